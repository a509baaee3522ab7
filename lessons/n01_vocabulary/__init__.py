"""Notebook 01 · Vocabulary and tokenisation."""
