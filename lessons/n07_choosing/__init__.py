"""Notebook 07 · Choosing: rate, tokeniser, honest held-out sets."""
