"""Code that the notebooks of From Bag of Words to LoRA share.

Everything here is taught in a notebook first: each module's docstring says where.
"""
