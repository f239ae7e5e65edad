"""Database back end for SQLite with a line in which writers wait; see `base.py`."""
