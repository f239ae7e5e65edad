"""The languages a script may be written in: one folder each, one line in `registry.py`.

Standard library only, so the lean worker may import it. `all()` shadows the built-in on purpose:
callers write `languages.all()`.
"""

from .base import CheckFailed, Language
from .registry import all, get

__all__ = ["CheckFailed", "Language", "all", "get"]
