"""The two spellings of a task in a file, read into one set of names.

Nested: `schedule: {cron: …}`, `script: {path: …}`, `termination: {maxRuntime: …}`. Flat:
`schedule: …`, `scriptPath: …`, `maxRuntime: …`. Both may be mixed, in camelCase or snake_case.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from .problems import Place

FLAT = {
    "name": "name",
    "description": "description",
    "enabled": "enabled",
    "tags": "tags",
    "language": "language",
    "code": "code",
    "script_path": "path",
    "path": "path",
    "parameters": "parameters",
    "environment": "environment",
    "schedule": "schedule",
    "cron": "schedule",
    "at": "at",
    "timezone": "timezone",
    "misfire": "misfire",
    "overlap": "overlap",
    "pool": "pool",
    "priority": "priority",
    "idempotent": "idempotent",
    "reuse": "reuse",
    "max_runtime": "max_runtime",
    "kill_on_timeout": "kill_on_timeout",
    "max_failures": "max_failures",
    "max_attempts": "max_attempts",
    "backoff": "backoff",
    "jitter": "jitter",
}
GROUPS = {
    "script": {"path": "path", "code": "code", "language": "language"},
    "schedule": {
        "cron": "schedule", "at": "at", "timezone": "timezone", "misfire": "misfire", "overlap": "overlap",
    },
    "termination": {
        "max_runtime": "max_runtime", "kill_on_timeout": "kill_on_timeout", "max_failures": "max_failures",
    },
    "retry": {"max_attempts": "max_attempts", "backoff": "backoff", "jitter": "jitter"},
}  # fmt: skip


class Given(NamedTuple):
    """A value of the file, and where it stands there."""

    value: Any
    place: Place


def gather(entry: Mapping[Any, Any], place: Place) -> tuple[dict[str, Given], list[tuple[Place, str]]]:
    """The values of one task by the names of Task's fields, and what is wrong with the spelling."""
    given: dict[str, Given] = {}
    wrong: list[tuple[Place, str]] = []

    def take(name: str | None, value: Any, at: Place, known: list[str]) -> None:
        if name is None:
            wrong.append((at, _unknown(str(at[-1]), known)))
        elif name in given:
            wrong.append((at, "is given twice, here and in the other spelling"))
        else:
            given[name] = Given(value, at)

    for key, value in entry.items():
        word = snake(key)
        at = (*place, str(key))
        group = GROUPS.get(word)
        if group is not None and isinstance(value, Mapping):
            for inner_key, inner in value.items():
                take(group.get(snake(inner_key)), inner, (*at, str(inner_key)), list(group))
        elif group is not None and word not in FLAT:
            wrong.append((at, f"expected {', '.join(group)}, got {value!r:.80}"))
        else:
            take(FLAT.get(word), value, at, [*FLAT, *GROUPS])
    return given, wrong


def snake(key: Any) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", str(key)).lower()


def _unknown(key: str, known: list[str]) -> str:
    near = get_close_matches(snake(key), known, n=1)
    return f"is no field of a task; did you mean {near[0]}?" if near else "is no field of a task"
