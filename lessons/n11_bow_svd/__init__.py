"""Notebook 11 · Bag of words, SVD and metrics."""
