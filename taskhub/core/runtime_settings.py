"""The seven settings people change while Taskhub runs."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from . import audit
from .audit import Actor
from .errors import BadInput, NotFound
from .models import Setting

CACHED_SECONDS = 1.0


@dataclass(frozen=True)
class Definition:
    """One setting: its default, and the whole numbers it accepts (None for a switch)."""

    name: str
    default: Any
    label: str
    help: str
    unit: str = ""
    least: int | None = None
    most: int | None = None

    def checked(self, value: Any) -> Any:
        """The value, if it is one.

        Raises:
            BadInput: naming the setting, what was expected and what came.
        """
        if isinstance(self.default, bool):
            if isinstance(value, bool):
                return value
            expected = "true or false"
        else:
            expected = f"a whole number from {self.least} to {self.most}"
            whole = isinstance(value, int) and not isinstance(value, bool)
            if whole and self.least is not None and self.most is not None and (
                self.least <= value <= self.most or (value == -1 and self.name == "default_timeout")
            ):
                return value
        raise BadInput(f"{self.name}: expected {expected}, got {value!r:.100}", fields={self.name: f"expected {expected}"})


DEFINITIONS = {
    definition.name: definition
    for definition in (
        Definition("history_retention_days", 30, "History retention",
                   "Ended jobs, their output, executions and occurrences are removed after this time.", "days", 1, 3650),
        Definition("max_concurrent_tasks", 10, "Max concurrent tasks",
                   "Task jobs that may run at once; more wait.", "jobs", 1, 10_000),
        Definition("notifications_enabled", True, "Notifications", "Send e-mail and webhooks of tasks."),
        Definition("default_timeout", 600, "Default time-out",
                   "For tasks and ad-hoc jobs that name none; -1 means no limit.", "seconds", 1, 315_360_000),
        Definition("auto_refresh_seconds", 5, "Auto-refresh", "How often pages without a live connection ask.",
                   "seconds", 1, 3600),
        Definition("memory_warning_mb", 100, "Memory warning", "A runspace above this is marked.", "MB", 1, 1_000_000),
        Definition("age_warning_seconds", 86_400, "Age warning", "A runspace older than this is marked.",
                   "seconds", 1, 315_360_000),
    )
}  # fmt: skip

_lock = threading.Lock()
_cached: dict[str, Any] = {}
_cached_until = 0.0


def get(name: str) -> Any:
    """The value in force; at most a second old.

    Raises:
        KeyError: there is no such setting.
    """
    global _cached, _cached_until
    definition = DEFINITIONS[name]
    with _lock:
        if time.monotonic() >= _cached_until:
            _cached = dict(Setting.objects.values_list("name", "value"))
            _cached_until = time.monotonic() + CACHED_SECONDS
        return _cached.get(name, definition.default)


def forget_cached() -> None:
    global _cached_until
    with _lock:
        _cached_until = 0.0


def set_value(name: str, value: Any, *, actor: Actor, now: datetime) -> None:
    """Change a setting; its default value removes the row.

    Raises:
        NotFound, BadInput: nothing was changed.
    """
    definition = DEFINITIONS.get(name)
    if definition is None:
        raise NotFound(f"name: expected one of {', '.join(DEFINITIONS)}, got {name!r:.80}")
    value = definition.checked(value)
    with transaction.atomic():
        row = Setting.objects.select_for_update().filter(pk=name).first()
        before = row.value if row else definition.default
        if value == definition.default:
            Setting.objects.filter(pk=name).delete()
        else:
            Setting.objects.update_or_create(pk=name, defaults={"value": value, "updated_by": actor.name})
        audit.record(
            actor=actor, action="settings.change", object_type="setting", object_id=name, now=now,
            before={"value": before}, after={"value": value},
        )  # fmt: skip
        transaction.on_commit(forget_cached)
    forget_cached()


def everything() -> list[dict[str, Any]]:
    """All settings with value, default, and whether somebody has changed them."""
    rows = {row.name: row for row in Setting.objects.all()}
    return [
        {
            "name": d.name, "label": d.label, "help": d.help, "unit": d.unit, "default": d.default,
            "value": rows[d.name].value if d.name in rows else d.default,
            "source": "database" if d.name in rows else "default",
            "updated_by": rows[d.name].updated_by if d.name in rows else "",
            "updated_at": rows[d.name].updated_at if d.name in rows else None,
        }
        for d in DEFINITIONS.values()
    ]  # fmt: skip
