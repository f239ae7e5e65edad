"""What commands print: tables, JSON, safe text, and a bar where a person waits."""

import getpass
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TextIO
from unicodedata import combining, east_asian_width

from django.core.management.base import CommandError
from django.db import DatabaseError
from rest_framework.utils.encoders import JSONEncoder

from .audit import Actor
from .errors import BadInput, TaskhubError
from .guards import json as json_guard

WIDTH = 100
LARGEST_VALUE = 256 * 1024
_BAR = 24
_NARROWEST = 8
# Escape sequences of terminals: colours (SGR) apart, they move the cursor, rename windows, answer back.
_ESCAPE = re.compile(
    r"(?P<colour>\x1b\[[0-9;:]*m)"
    r"|\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[^\n])?"
)
# One whose end is still to come.
_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]*\x1b?)?\Z")
_LONGEST_BEGUN = 4096
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """One line without anything a terminal would obey."""
    bare = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _ESCAPE.sub("", text))
    return bare.replace("\n", " ").replace("\t", " ")


def coloured(text: str) -> str:
    """Output for a terminal: colours stay, every other thing it would obey goes."""
    return _CONTROL.sub("", _ESCAPE.sub(lambda found: found["colour"] or "", text))


def whole(text: str) -> tuple[str, str]:
    """Cut a text that goes on later before an escape sequence that it only begins.

    Without this, the halves of a sequence would pass `coloured` one by one.

    Returns:
        What may be shown now, and what has to come before the rest.
    """
    begun = _BEGUN.search(text, max(0, len(text) - _LONGEST_BEGUN))
    return (text, "") if begun is None else (text[: begun.start()], begun[0])


def as_json(value: Any) -> str:
    """One line of ASCII: no text in it can make a terminal do anything."""
    return json.dumps(value, cls=JSONEncoder)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    soft: Sequence[str] = (),
    spare: Sequence[str] = (),
    width: int | None = None,
) -> list[str]:
    """Lines of a table that fits the terminal; to a pipe or file it is as wide as it has to be.

    Args:
        soft: columns that may be narrowed, the widest first; all but the first, if none is named.
        spare: columns that are left out, in this order, where narrowing does not do.
    """
    cells = [[plain(str(cell)) for cell in row] for row in (heads, *rows)]
    shown = list(range(len(heads)))
    full = [max(columns(row[column]) for row in cells) for column in shown]
    narrow = [column for column in shown if (heads[column] in soft if soft else column)]
    least = [min(size, _NARROWEST) if column in narrow else size for column, size in enumerate(full)]
    width = _width() if width is None else width
    if width is not None:
        for name in spare:
            if _total(least, shown) > width:
                shown.remove(heads.index(name))
        while _total(full, shown) > width and (
            over := [c for c in narrow if c in shown and full[c] > least[c]]
        ):
            full[max(over, key=full.__getitem__)] -= 1
    return ["  ".join(_fit(row[column], full[column]) for column in shown).rstrip() for row in cells]


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: some characters take two, some none."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _width() -> int | None:
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else None


def _total(sizes: Sequence[int], shown: Sequence[int]) -> int:
    return sum(sizes[column] for column in shown) + 2 * (len(shown) - 1)


def _fit(text: str, size: int) -> str:
    if columns(text) > size:
        while columns(text) > size - 1:
            text = text[:-1]
        text += "\N{HORIZONTAL ELLIPSIS}"
    return text + " " * (size - columns(text))


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
    """`["a=1", "b=x"]` as a map of texts.

    Raises:
        CommandError: one of them has no name or no `=`.
    """
    found = {}
    for one in given or ():
        name, sign, value = one.partition("=")
        if not sign or not name:
            misused(f"{option}: expected NAME=VALUE, got {one!r}")
        found[name] = value
    return found


def values(given: Sequence[str] | None, option: str) -> dict[str, Any]:
    """The same, where `n:=5` is the number 5, and whatever else is JSON behind `:=` is that.

    Raises:
        CommandError, BadInput
    """
    found: dict[str, Any] = {}
    for name, text in pairs(given, option).items():
        if name.endswith(":") and len(name) > 1:
            try:
                found[name[:-1]] = document(
                    text.encode("utf-8", "surrogateescape"), name[:-1], limit=LARGEST_VALUE
                )
            except TaskhubError as exc:
                misused(f"{option}: {exc}, which is {text[:80]!r}; a text needs no colon before the =")
        else:
            found[name] = text
    return found


def document(raw: bytes, name: str, *, limit: int) -> Any:
    """JSON from a shell; what is wrong with it is told of `name`, not of the body of a request.

    Raises:
        BadInput
    """
    try:
        return json_guard.parse(raw, limit=limit)
    except TaskhubError as exc:
        raise BadInput(f"{name}: {str(exc).removeprefix('body: ')}") from exc


def guarded(act: Callable[[], None]) -> None:
    """Have it done; what is refused is told in one sentence, with exit code 1."""
    try:
        act()
        sys.stdout.flush()
    except TaskhubError as exc:
        refuse(str(exc))
    except DatabaseError as exc:
        refuse(f"The database cannot be used; `taskhub up` prepares it. It said: {exc}")
    except UnicodeEncodeError as exc:
        refuse(f"expected text in UTF-8, got {exc.object[exc.start : exc.end]!r}")
    except BrokenPipeError:
        # Who reads has seen enough, as `head` does. Nothing may be left to be flushed at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


def refuse(words: str) -> NoReturn:
    raise CommandError(plain(words))


def misused(words: str) -> NoReturn:
    """As `argparse` does where a value cannot be what it should be: exit code 2."""
    raise CommandError(plain(words), returncode=2)
