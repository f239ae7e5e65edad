"""What each field of a task may hold. Each check returns the value as Task stores it."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from runspaces_app import languages
from taskhub.core.guards import json as json_guard

from ..schedule import cron, misfire, overlap, zones

MAPS_LIMIT = 256 * 1024
CODE_LIMIT = 1024 * 1024
MOST_TAGS = 50
LONGEST_RUN = 10 * 365 * 86_400
# Far enough from the ends of the calendar that a time exists on the clock of every zone.
YEARS = range(1970, 9999)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Refused(ValueError):
    """A value that does not fit; the text says what was expected and what came."""


def in_zone(moment: datetime, timezone: str) -> datetime:
    """The moment in UTC; a time without offset is read on the clock of the zone."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zones.get(timezone))
    return aware.astimezone(UTC)


def size(value: Mapping[str, Any]) -> int:
    """Bytes of the JSON that is stored for it."""
    return len(json.dumps(value))


def language_of(path: str) -> str:
    """The language whose suffix the script has; any other file starts itself."""
    suffix = PurePosixPath(path).suffix
    return next((each.name for each in languages.all() if suffix and each.suffix == suffix), "executable")


def _text(longest: int, *, blank: bool = True, lines: bool = False) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Refused(f"expected a text, got {value!r:.80}")
        if len(value) > longest:
            raise Refused(f"expected at most {longest} characters, got {len(value)}")
        if not blank and not value.strip():
            raise Refused("expected a text that is not blank")
        if not lines and _CONTROL.search(value):
            raise Refused(f"expected one line without control characters, got {value!r:.80}")
        json_guard.check_text(value, "text", max_length=longest)
        return value

    return check


def _name(value: Any) -> str:
    # A name such as 2024 is a number to YAML.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    checked = _text(128, blank=False)(text)
    if checked != checked.strip():
        raise Refused(f"expected a name without blanks around it, got {checked!r}")
    return checked


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"expected true or false, got {value!r:.80}")
    return value


def _number(low: int, high: int, *, none: int | None = None) -> Callable[[Any], int]:
    """Whole numbers from `low` to `high`; `none` is the number that means no limit."""

    def check(value: Any) -> int:
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not (low <= value <= high or value == none)
        ):
            further = f", or {none} for none" if none is not None else ""
            raise Refused(f"expected a whole number from {low} to {high}{further}, got {value!r:.80}")
        return value

    return check


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise Refused(f"expected seconds from 0 to 86400, got {value!r:.80}")
    return float(value)


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise Refused(f"expected one of {', '.join(words)}, got {value!r:.80}")
        return str(value)

    return check


def _language(value: Any) -> str:
    known = [language.name for language in languages.all()]
    if value not in known:
        raise Refused(f"expected one of {', '.join(known)}, got {value!r:.80}")
    return str(value)


def _path(value: Any) -> str:
    text = _text(512, blank=False)(value)
    parts = PurePosixPath(text).parts
    if text.startswith("/") or ".." in parts or "\\" in text:
        raise Refused(f"expected a path inside the app's folder, got {text!r}")
    return text


def _tags(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Refused(f"expected a list of texts, got {value!r:.80}")
    if len(value) > MOST_TAGS:
        raise Refused(f"expected at most {MOST_TAGS} tags, got {len(value)}")
    return [_text(64, blank=False)(tag) for tag in value]


def _parameters(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise Refused(f"expected names with values, got {value!r:.80}")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise Refused(f"expected values that JSON knows (put dates in quotes): {exc}") from exc
    json_guard.check_value(value, "parameters", limit_bytes=MAPS_LIMIT)
    return dict(value)


def _environment(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Refused(f"expected names with texts, got {value!r:.80}")
    environment = {}
    for name, content in value.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise Refused(f"expected names of letters, digits and _, got {name!r:.80}")
        if isinstance(content, bool):
            content = "true" if content else "false"
        if not isinstance(content, str | int | float):
            raise Refused(f"{name}: expected a text, got {content!r:.80}")
        environment[name] = _text(MAPS_LIMIT, lines=True)(str(content))
    json_guard.check_value(environment, "environment", limit_bytes=MAPS_LIMIT)
    return environment


def _schedule(value: Any) -> str:
    text = _text(10_000, lines=True)(value)
    if text.strip():
        # In its own zone it is asked again once that is read; here the text itself is judged.
        cron.parse(text)
    return text.strip()


def _timezone(value: Any) -> str:
    return zones.get(_text(64)(value)).key


def _moment(value: Any) -> datetime:
    """Perhaps without offset: the zone is known only once all fields are read."""
    moment = value
    if isinstance(value, str):
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
    if isinstance(moment, datetime):
        if moment.year not in YEARS:
            raise Refused(f"expected a year from {YEARS[0]} to {YEARS[-1]}, got {moment.isoformat()}")
        return moment
    raise Refused(f"expected a date and time such as 2026-03-01T09:30, got {value!r:.80}")


CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "description": _text(10_000, lines=True),
    "enabled": _flag,
    "tags": _tags,
    "language": _language,
    "code": _text(CODE_LIMIT, lines=True),
    "path": _path,
    "parameters": _parameters,
    "environment": _environment,
    "schedule": _schedule,
    "at": _moment,
    "timezone": _timezone,
    "misfire": _one_of(misfire.POLICIES),
    "overlap": _one_of(overlap.POLICIES),
    "pool": _text(64, blank=False),
    "priority": _number(-100, 100),
    "idempotent": _flag,
    "reuse": _flag,
    "max_runtime": _number(1, LONGEST_RUN, none=-1),
    "kill_on_timeout": _flag,
    "max_failures": _number(1, 1_000_000),
    "max_attempts": _number(1, 100),
    "backoff": _seconds,
    "jitter": _flag,
}
