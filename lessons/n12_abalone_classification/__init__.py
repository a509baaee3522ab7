"""Notebook 12 · Tabular data: abalone, classification."""
