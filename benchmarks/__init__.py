"""How fast, against what: every row and every ratio measured in one run."""
