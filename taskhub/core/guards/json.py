"""JSON and texts from outside: bounded in size and depth, nothing that a database or a reader chokes on."""

import json
import re
from typing import Any

from taskhub.core.errors import BadInput, TooLarge

DEPTH = 64
_INTEGERS = range(-(2**63), 2**63)
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(raw: bytes, *, limit: int, depth: int = DEPTH) -> Any:
    """The value of a JSON text.

    Args:
        limit: bytes at most.
        depth: objects and lists within one another at most.

    Raises:
        TooLarge, BadInput: what is wrong, and where.
    """
    if len(raw) > limit:
        raise TooLarge(f"body: expected at most {limit} bytes, got {len(raw)}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as exc:
        raise BadInput(f"body: expected UTF-8, got byte {raw[exc.start]:#04x} at {exc.start}") from exc
    _check_depth(text, depth)
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique, parse_int=_integer)
    except (ValueError, RecursionError) as exc:
        raise BadInput(f"body: expected JSON, got {exc}") from exc
    check_value(value, "body", limit_bytes=limit, depth=depth)
    return value


def check_value(value: Any, field: str, *, limit_bytes: int, depth: int = DEPTH) -> None:
    """Refuse what JSON of ours may not hold, in a value already parsed.

    Raises:
        BadInput, TooLarge: naming the field.
    """
    _check(value, field, depth)
    size = len(json.dumps(value, ensure_ascii=False).encode())
    if size > limit_bytes:
        raise TooLarge(f"{field}: expected at most {limit_bytes} bytes, got {size}", fields={field: f"at most {limit_bytes} bytes"})


def check_text(value: Any, field: str, *, max_length: int, blank: bool = True) -> str:
    """A text without NUL and lone surrogates, of at most `max_length` characters.

    Raises:
        BadInput: naming the field.
    """
    if not isinstance(value, str):
        raise _bad(field, "a text", value)
    if not blank and not value.strip():
        raise _bad(field, "a text that is not blank", value)
    if len(value) > max_length:
        raise _bad(field, f"at most {max_length} characters", f"{len(value)}")
    _check_characters(value, field)
    return value


def _check(value: Any, field: str, depth: int) -> None:
    # A list instead of recursion: the depth is what is being checked.
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        item, level = waiting.pop()
        if isinstance(item, (dict, list, tuple)) and level >= depth:
            raise _bad(field, f"at most {depth} levels", "more")
        if isinstance(item, str):
            _check_characters(item, field)
        elif isinstance(item, bool) or item is None:
            continue
        elif isinstance(item, int):
            if item not in _INTEGERS:
                raise _bad(field, "whole numbers of at most 64 bits", f"one of {item.bit_length()} bits")
        elif isinstance(item, float):
            if item != item or item in (float("inf"), float("-inf")):
                raise _bad(field, "finite numbers", item)
        elif isinstance(item, dict):
            for key in item:
                if not isinstance(key, str):
                    raise _bad(field, "texts as keys", key)
                _check_characters(key, field)
            waiting.extend((child, level + 1) for child in item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend((child, level + 1) for child in item)
        else:
            raise _bad(field, "JSON", type(item).__name__)


def _check_characters(text: str, field: str) -> None:
    if "\0" in text:
        raise _bad(field, "text without NUL", "one with it")
    if _SURROGATE.search(text):
        raise _bad(field, "text without lone surrogates", "one with them")


def _check_depth(text: str, depth: int) -> None:
    """Before parsing: the parser itself recurses."""
    level, in_text, escaped = 0, False, False
    for letter in re.finditer(r'[\[\]{}"\\]|[^\[\]{}"\\]+', text):
        piece = letter.group()
        if in_text:
            if escaped:
                # An escape covers one character: of a longer piece the rest is plain text.
                escaped = False
            elif piece == "\\":
                escaped = True
            elif piece == '"':
                in_text = False
        elif piece == '"':
            in_text = True
        elif piece in "[{":
            level += 1
            if level > depth:
                raise BadInput(f"body: expected at most {depth} levels, got more")
        elif piece in "]}":
            level -= 1


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name}, which is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:80]!r} twice")
            seen.add(key)
    return found


def _bad(field: str, expected: str, got: Any) -> BadInput:
    return BadInput(f"{field}: expected {expected}, got {got!r:.120}", fields={field: f"expected {expected}"})
