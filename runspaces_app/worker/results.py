"""Turning what a script returns into JSON text. Standard library only."""

import datetime
import decimal
import json
import pathlib
import re
import uuid
from typing import Any

LIMIT = 1024 * 1024
# A reader's stack takes about a thousand levels, less what it stands on: what nobody can read is no result.
DEEPEST = 500

_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]')


class BadResult(Exception):
    """The result cannot be kept; `code` is `result_not_json` or `result_too_large`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def to_json(value: Any) -> str:
    """JSON text of at most 1 MiB and 500 levels.

    Dates and times become ISO 8601 text, UUID, Decimal and paths text, sets lists.

    Raises:
        BadResult: not representable, or too large.
    """
    try:
        text = _ENCODER.encode(value)
        size = len(text) if text.isascii() else len(text.encode())
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError) as exc:
        raise BadResult("result_not_json", f"result: expected a value that is JSON, got {exc}") from exc
    if size > LIMIT:
        raise BadResult("result_too_large", f"result: expected at most {LIMIT} bytes of JSON, got {size}")
    # Counted first: only a text with that many brackets can be that deep.
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        raise BadResult(
            "result_not_json",
            f"result: expected a value that is JSON, got more than {DEEPEST} levels of lists and objects",
        )
    return text


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def checked_text(text: str) -> str:
    """JSON text from elsewhere (the control channel), held to the same rules."""
    try:
        return to_json(json.loads(text))
    except (ValueError, RecursionError) as exc:
        raise BadResult("result_not_json", f"result: expected JSON, got {exc}") from exc


def _convert(value: Any) -> Any:
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, decimal.Decimal, pathlib.PurePath)):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} {value!r:.100}")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_convert)


class Emitted:
    """What a script has given by `emit`, kept as text so that later changes do not reach it."""

    def __init__(self) -> None:
        self._items: list[str] = []
        self._size = 2
        self._problem: BadResult | None = None

    def add(self, text: str) -> None:
        self._size += len(text.encode("utf-8", "surrogatepass")) + 1
        if self._size > LIMIT + 1:
            # Not kept: a script that emits for ever must not fill the memory.
            self._problem = BadResult(
                "result_too_large",
                f"result: expected at most {LIMIT} bytes of JSON, got {self._size} and more",
            )
            return
        self._items.append(text)

    def __bool__(self) -> bool:
        return bool(self._items) or self._problem is not None

    def text(self) -> str:
        """The list as JSON text.

        Raises:
            BadResult: it grew beyond the limit.
        """
        if self._problem is not None:
            raise self._problem
        return "[" + ",".join(self._items) + "]"
