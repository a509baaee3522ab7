"""What belongs to one notebook: a room each, with the notebook's own name.

A room holds ``checks.py``, the exercises as data, and ``pictures.py``, what only that notebook
draws. `lessons.exercises` judges the answers.
"""
