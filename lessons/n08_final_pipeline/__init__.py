"""Notebook 08 · The final pipeline."""
