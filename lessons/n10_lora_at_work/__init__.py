"""Notebook 10 · LoRA at work."""
