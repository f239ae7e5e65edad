"""Django's SQLite back end with a line in which all writers of a file stand: see `base.py`."""
