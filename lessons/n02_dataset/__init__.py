"""Notebook 02 · The Dataset, and making it fast."""
