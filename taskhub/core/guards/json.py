"""JSON from outside: read within bounds, or refused with the field named."""

import json
import math
import re
from typing import Any, NoReturn

from taskhub.core.errors import BadInput, TooLarge

DEPTH = 64
WHOLE = range(-(2**63), 2**63)
_WHOLE_DIGITS = 20

# Strings go first, so that brackets in them do not count. The closing quote is optional and
# nothing is ever given back: whatever the text, the scan is one pass.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(raw: bytes, *, limit: int, depth: int = DEPTH) -> Any:
    """Read a JSON text.

    Args:
        limit: most bytes of `raw`.
        depth: most lists and objects within one another.

    Raises:
        TooLarge: longer than `limit`.
        BadInput: not UTF-8 or not JSON; too deep; a key given twice; NaN, Infinity or a number
            beyond 64 bits; NUL or a lone surrogate in a text.
    """
    if len(raw) > limit:
        raise TooLarge(f"body: expected at most {limit} bytes, got {len(raw)}")
    if _deeper_than(raw, depth):
        raise BadInput(f"body: expected at most {depth} levels of lists and objects, got more")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadInput(f"body: expected UTF-8, got byte 0x{raw[exc.start]:02x} at {exc.start}") from exc
    reader = _Reader()
    try:
        value = reader.decoder.decode(text)
    except json.JSONDecodeError as exc:
        raise BadInput(
            f"body: expected JSON, got {exc.msg} at line {exc.lineno}, column {exc.colno}"
        ) from exc
    # Only an escape can bring in a NUL or a lone surrogate, for the text was UTF-8.
    if reader.suspicious or "\\u" in text:
        _walk(value, "", limit=None)
    return value


def check_value(value: object, field: str, *, limit_bytes: int) -> None:
    """Refuse what cannot be stored as JSON within the bounds: at most 64 deep, `limit_bytes` long.

    Raises:
        TooLarge: it would take more bytes.
        BadInput: another kind of object, or a number, text or depth out of bounds.
    """
    _walk(value, field, limit=limit_bytes)
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > limit_bytes:
        _too_large(field, limit_bytes)


def check_text(value: object, field: str, *, max_length: int, blank: bool = True) -> str:
    """The text itself, if it is one of at most `max_length` characters without NUL or lone surrogate.

    Raises:
        BadInput: naming the field.
    """
    if not isinstance(value, str):
        _refuse(field, "a text", _kind(value))
    if len(value) > max_length:
        _refuse(field, f"at most {max_length} characters", str(len(value)))
    _check_characters(value, field)
    if not blank and not value.strip():
        _refuse(field, "a text that is not blank", repr(value[:20]))
    return value


class _Reader:
    """A decoder that marks what has to be looked at again, where the field's name is known."""

    def __init__(self) -> None:
        self.suspicious = False
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs,
            parse_int=self._whole,
            parse_float=self._number,
            parse_constant=self._constant,
        )

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    _refuse(_shown(key), "to be given once", "it twice")
                seen.add(key)
        return found

    def _whole(self, digits: str) -> int:
        # Converting takes time that grows with the square of the length.
        value = int(digits) if len(digits) <= _WHOLE_DIGITS else WHOLE.stop
        if value not in WHOLE:
            self.suspicious = True
        return value

    def _number(self, digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            self.suspicious = True
        return value

    def _constant(self, name: str) -> float:
        self.suspicious = True
        return float(name)


def _deeper_than(raw: bytes, depth: int) -> bool:
    """Whether brackets stand more than `depth` deep; for a text that is no JSON, whether they could."""
    brackets = _STRING.sub(b"", raw).translate(_BRACKETS, _NO_BRACKETS)
    # Each pass takes away the innermost level everywhere.
    for _ in range(depth):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return b"[]" in brackets or brackets.count(b"[") > depth


def _walk(value: object, field: str, *, limit: int | None) -> None:
    """Look at every part of a value, without recursion."""
    seen = 0
    waiting: list[tuple[object, str, int]] = [(value, field, 0)]
    while waiting:
        part, name, level = waiting.pop()
        if isinstance(part, str):
            _check_characters(part, name)
            seen += len(part) + 2
        elif isinstance(part, dict | list | tuple):
            if level >= DEPTH:
                _refuse(field, f"at most {DEPTH} levels of lists and objects", "more")
            seen += 2
            waiting.extend(_parts(part, name, level + 1))
        else:
            _check_scalar(part, name)
            seen += 1
        # Each part takes at least that many bytes: what repeats itself ends here, not in memory.
        if limit is not None and seen > limit:
            _too_large(field, limit)


def _parts(
    part: dict[Any, Any] | list[Any] | tuple[Any, ...], name: str, level: int
) -> list[tuple[object, str, int]]:
    if not isinstance(part, dict):
        return [(each, f"{name}[{index}]", level) for index, each in enumerate(part)]
    found = []
    for key, each in part.items():
        if not isinstance(key, str):
            _refuse(name, "names that are texts", _kind(key))
        _check_characters(key, name)
        found.append((each, f"{name}.{_shown(key)}" if name else _shown(key), level))
    return found


def _check_scalar(value: object, field: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, int):
        if value not in WHOLE:
            _refuse(field, "a whole number of 64 bits", "one beyond")
    elif isinstance(value, float):
        if not math.isfinite(value):
            _refuse(field, "a finite number", str(value))
    else:
        _refuse(field, "a value that JSON knows", _kind(value))


def _check_characters(text: str, field: str) -> None:
    if "\0" in text:
        _refuse(field, "a text without NUL", f"one at character {text.index(chr(0))}")
    if not text.isascii() and (found := _SURROGATE.search(text)):
        _refuse(field, "a text without lone surrogates", f"one at character {found.start()}")


def _shown(key: str) -> str:
    """A key as it may stand in a message: short, and printable whatever it holds."""
    return key[:80] if key.isprintable() else ascii(key[:80])


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _refuse(field: str, expected: str, got: str) -> NoReturn:
    name = field or "body"
    raise BadInput(
        f"{name}: expected {expected}, got {got}", fields={name: f"expected {expected}, got {got}"}
    )


def _too_large(field: str, limit: int) -> NoReturn:
    name = field or "body"
    raise TooLarge(
        f"{name}: expected at most {limit} bytes, got more",
        fields={name: f"expected at most {limit} bytes, got more"},
    )
