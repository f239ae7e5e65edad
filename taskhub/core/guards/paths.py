"""Paths from outside: inside a folder, or refused."""

from pathlib import Path, PurePosixPath
from typing import NoReturn

from taskhub.core.errors import BadInput

LONGEST = 1024
LONGEST_NAME = 255


def inside(root: Path, relative: str, *, field: str = "path") -> Path:
    """The real path of `relative` below `root`; it need not exist.

    Links are followed and have to stay inside; `root` itself may be reached through one.

    Raises:
        BadInput: absolute, `..`, a drive or backslash, a control character, too long, a link that
            leads out or in a circle, or the folder itself.
    """
    if not isinstance(relative, str) or not relative:
        _refuse(field, "a path inside the folder", repr(relative))
    shown = ascii(relative[:80])
    if len(relative) > LONGEST or any(
        len(part.encode(errors="replace")) > LONGEST_NAME for part in relative.split("/")
    ):
        _refuse(field, f"at most {LONGEST} characters, {LONGEST_NAME} bytes a name", shown)
    if "\\" in relative or not _printable(relative):
        _refuse(field, "a path without backslashes and control characters", shown)
    steps = PurePosixPath(relative)
    # ".." is refused even where it stays inside: what a path means must not hang on links.
    if steps.is_absolute() or ".." in relative.split("/") or not steps.parts:
        _refuse(field, "a path inside the folder", shown)
    try:
        folder = root.resolve()
        found = (folder / steps).resolve()
    except (OSError, RuntimeError, ValueError) as exc:
        raise _refusal(field, "a path that can be followed", shown) from exc
    if folder not in found.parents:
        _refuse(field, "a path inside the folder", shown)
    return found


def _printable(text: str) -> bool:
    return not any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in text)


def _refusal(field: str, expected: str, got: str) -> BadInput:
    return BadInput(f"{field}: expected {expected}, got {got}", fields={field: f"expected {expected}"})


def _refuse(field: str, expected: str, got: str) -> NoReturn:
    raise _refusal(field, expected, got)
