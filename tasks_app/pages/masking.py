"""Parameters and environment on pages: secrets hidden, and put back when a form returns them as it got them."""

from collections.abc import Mapping
from typing import Any

from taskhub.core import masking

MASK = masking.MASK


def shown(value: Any) -> Any:
    """The value with what stands behind a secret-sounding name hidden; nothing is cut."""
    return _shown("", value)


def restored(given: Any, known: Any) -> Any:
    """What a form returned, with each part that is still as `shown` made it put back to what is known."""
    return _restored("", given, known)


def _shown(name: str, value: Any) -> Any:
    if masking.is_secret(name) and not isinstance(value, bool) and value not in (None, "", {}, []):
        return MASK
    if isinstance(value, Mapping):
        return {key: _shown(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown("", item) for item in value]
    if isinstance(value, str) and len(value) <= masking.LONGEST_TEXT:
        return masking.masked(value)
    return value


def _restored(name: str, given: Any, known: Any) -> Any:
    if given == _shown(name, known):
        return known
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        return {key: _restored(key, item, known.get(key)) for key, item in given.items()}
    if isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        return [_restored("", item, before) for item, before in zip(given, known, strict=True)]
    return given


def unknown(given: Any, path: str = "") -> str:
    """Where a mask stands for a value that nobody knows; "" if nowhere."""
    if given == MASK:
        return path or "it"
    if isinstance(given, Mapping):
        parts = ((f"{path}.{key}" if path else str(key), item) for key, item in given.items())
    elif isinstance(given, list):
        parts = ((f"{path}[{index}]", item) for index, item in enumerate(given))
    else:
        return ""
    return next((found for place, item in parts if (found := unknown(item, place))), "")
