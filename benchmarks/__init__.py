"""How fast, against what: every ratio measured side by side in one run."""
