"""Notebook 03 · The DataLoader."""
