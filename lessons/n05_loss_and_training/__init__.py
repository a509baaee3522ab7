"""Notebook 05 · Loss and training."""
