"""How fast, against what: one command, one table."""
