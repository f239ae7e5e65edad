"""What commands print: tables, JSON, safe text, and a bar where a person waits."""

import getpass
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TextIO

from django.core.management.base import CommandError
from rest_framework.utils.encoders import JSONEncoder

from .audit import Actor
from .errors import TaskhubError

WIDTH = 100
_BAR = 24
# Escape sequences of terminals: colours (SGR) apart, they move the cursor, rename windows, answer back.
_ESCAPE = re.compile(r"\x1b\[[0-9;:]*m|\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """One line without anything a terminal would obey."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _ESCAPE.sub("", text).replace("\x1b", "")).replace(
        "\n", " "
    )


def coloured(text: str) -> str:
    """Output for a terminal: colours stay, every other thing it would obey goes."""
    kept = _ESCAPE.sub(lambda found: found[0] if found[0].endswith("m") and found[0][1] == "[" else "", text)
    return _CONTROL.sub("", kept)


def as_json(value: Any) -> str:
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, width: int | None = None) -> list[str]:
    """Lines of a table; the widest column gives way until it fits, but never the first, which names the row."""
    cells = [[plain(str(cell)) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    room = (width or shutil.get_terminal_size((WIDTH, 24)).columns) - 2 * (len(heads) - 1)
    while sum(widths) > room and max(widths[1:], default=0) > 8:
        widths[widths.index(max(widths[1:]), 1)] -= 1
    return [
        "  ".join(_fit(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def _fit(text: str, size: int) -> str:
    return text.ljust(size) if len(text) <= size else text[: size - 1] + "\N{HORIZONTAL ELLIPSIS}"


class Bar:
    """How far something is, on one line of a terminal; silent where nobody looks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ""
        self._looks = stream.isatty()

    def show(self, percent: float, words: str) -> None:
        full = round(_BAR * percent / 100)
        line = f"[{'#' * full}{'.' * (_BAR - full)}] {percent:3.0f} %  {plain(words)}"
        line = line[: shutil.get_terminal_size((WIDTH, 24)).columns - 1]
        if self._looks and line != self._shown:
            self._stream.write(f"\r{line}\x1b[K")
            self._stream.flush()
            self._shown = line

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = ""


def actor() -> Actor:
    """Who acts by a command: the user of the shell, who need not be one of Taskhub's."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Actor(f"{name} (command line)")


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """`["a=1", "b=x"]` as a map.

    Raises:
        CommandError: one of them has no name or no `=`.
    """
    found = {}
    for one in given or ():
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise CommandError(f"{option}: expected NAME=VALUE, got {one!r}")
        found[name] = value
    return found


def guarded(act: Callable[[], None]) -> None:
    """Have it done; what is refused is told in one sentence, with exit code 1."""
    try:
        act()
    except TaskhubError as exc:
        refuse(str(exc))


def refuse(words: str) -> NoReturn:
    raise CommandError(plain(words))
