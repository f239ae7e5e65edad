"""A task out of a file, layer by layer: what the file says, what was changed, and what counts."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from tasks_app import overrides
from tasks_app.definitions import Definition
from tasks_app.definitions.merge import LIMITS
from tasks_app.errors import NoDefinition
from tasks_app.models import Task, TaskOverride

from . import masking

LABELS = {
    "enabled": "Enabled",
    "schedule": "Schedule",
    "max_runtime": "Time limit, s",
    "kill_on_timeout": "Kill beyond it",
    "max_failures": "Disable after failures",
    "max_attempts": "Attempts",
    "backoff": "Back-off, s",
    "jitter": "Jitter",
}


class Layer(NamedTuple):
    """One field: its value in the file, what is laid over it, and what counts.

    Attributes:
        field: as a form sends it to have it reset; `environment.NAME` for one of a map.
        changed: something is laid over it.
    """

    field: str
    label: str
    default: str
    override: str
    effective: str
    changed: bool


@dataclass(frozen=True)
class Layers:
    """All fields that can be overridden.

    Attributes:
        missing: why the file does not say anything; blank if it does.
    """

    rows: list[Layer]
    missing: str = ""

    @property
    def changed(self) -> list[Layer]:
        return [row for row in self.rows if row.changed]


def of(task: Task, *, readable: bool) -> Layers | None:
    """The layers of a task; None for a custom one.

    Args:
        readable: with environment and parameters.
    """
    if task.source == Task.Source.CUSTOM:
        return None
    try:
        definition = overrides.definition_of(task.app, task.name)
    except NoDefinition as exc:
        return Layers([], str(exc))
    override = TaskOverride.objects.filter(app=task.app, name=task.name).first()
    override = override or TaskOverride(app=task.app, name=task.name)
    rows = [_plain(name, definition, override, task) for name in (*overrides.PLAIN, *LIMITS)]
    if readable:
        for name in overrides.MAPS:
            rows += _map(name, definition, override, task)
    return Layers(rows)


def hides(task: Task) -> bool:
    """Whether a custom task bears the name of one in the file, which is left out for it."""
    if task.source != Task.Source.CUSTOM:
        return False
    with suppress(NoDefinition):
        overrides.definition_of(task.app, task.name)
        return True
    return False


def _plain(name: str, definition: Definition, override: TaskOverride, task: Task) -> Layer:
    limits = override.limits or {}
    changed = name in limits if name in LIMITS else getattr(override, name) is not None
    laid = limits.get(name) if name in LIMITS else getattr(override, name)
    return Layer(
        name,
        LABELS.get(name, name),
        _timed(name, definition),
        _said(name, laid) if changed else "",
        _timed(name, task),
        changed,
    )


def _map(name: str, definition: Definition, override: TaskOverride, task: Task) -> list[Layer]:
    laid, effective = getattr(override, name) or {}, masking.shown(getattr(task, name))
    default, over = masking.shown(getattr(definition, name)), masking.shown(laid)
    return [
        Layer(
            f"{name}.{key}",
            f"{name.capitalize()}: {key}",
            _value(default[key]) if key in default else "",
            _value(over[key]) if key in over else "",
            _value(effective.get(key)),
            key in over,
        )
        for key in sorted({*default, *over, *effective})
    ]


def _timed(name: str, says: Definition | Task) -> str:
    if name == "schedule" and says.at is not None:
        return f"once at {says.at:%Y-%m-%d %H:%M} UTC"
    return _said(name, getattr(says, name))


def _said(name: str, value: Any) -> str:
    if name == "max_runtime" and value in (None, -1):
        return "default" if value is None else "none"
    if value is None or value == "":
        return "never" if name == "max_failures" else "by hand only"
    return _value(value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
