"""Paths from outside stay inside the folder they belong to."""

from pathlib import Path

from taskhub.core.errors import BadInput


def inside(root: Path, relative: str) -> Path:
    """The absolute path of `relative` below `root`, symbolic links resolved.

    Raises:
        BadInput: it is absolute, climbs out, or leads out through a link.
    """
    if not relative or "\0" in relative or "\\" in relative or len(relative) > 1024:
        raise _bad(relative)
    candidate = Path(relative)
    if candidate.is_absolute() or ".." in candidate.parts or relative.startswith("~"):
        raise _bad(relative)
    base = root.resolve()
    try:
        resolved = (base / candidate).resolve()
    except (OSError, RuntimeError) as exc:  # a link that leads to itself
        raise _bad(relative) from exc
    if not resolved.is_relative_to(base) or resolved == base:
        raise _bad(relative)
    return resolved


def _bad(relative: str) -> BadInput:
    return BadInput(
        f"path: expected a relative path that stays inside its folder, got {relative[:120]!r}",
        fields={"path": "a relative path that stays inside its folder"},
    )
