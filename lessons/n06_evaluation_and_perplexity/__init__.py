"""Notebook 06 · Evaluation and perplexity."""
