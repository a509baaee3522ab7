"""Notebook 04 · The MLP."""
