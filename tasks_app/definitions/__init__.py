"""Task files: where they lie, what they may say, and how they become Task rows."""

from .files import problems
from .loader import Loader
from .schema import Definition

__all__ = ["Definition", "Loader", "problems"]
