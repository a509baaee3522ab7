"""What a student sees, in a real browser: JupyterLab, and the pages of `make run`.

Not part of the ordinary tests: `make browser` runs it, and needs Chromium.
"""
