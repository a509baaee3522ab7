"""Notebook 13 · Tabular data: abalone, regression."""
