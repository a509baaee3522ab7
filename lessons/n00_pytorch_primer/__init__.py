"""Notebook 00 · PyTorch in one sitting."""
