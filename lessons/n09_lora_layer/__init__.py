"""Notebook 09 · LoRA: the layer."""
