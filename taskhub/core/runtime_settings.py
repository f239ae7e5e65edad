"""The seven settings people change while Taskhub runs."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from . import audit
from .audit import Actor
from .errors import BadInput, NotFound
from .models import Setting

CACHED_SECONDS = 1.0


@dataclass(frozen=True)
class Definition:
    """One setting: its default and what it accepts.

    Attributes:
        least, most: bounds of a whole number; None for a switch.
        or_none: -1 is accepted too and means no limit.
    """

    name: str
    default: Any
    label: str
    help: str
    unit: str = ""
    least: int | None = None
    most: int | None = None
    or_none: bool = False

    @property
    def expected(self) -> str:
        if isinstance(self.default, bool):
            return "true or false"
        return f"a whole number from {self.least} to {self.most}" + (
            ", or -1 for none" if self.or_none else ""
        )

    def accepts(self, value: object) -> bool:
        if isinstance(self.default, bool) or isinstance(value, bool):
            return isinstance(self.default, bool) and isinstance(value, bool)
        if not isinstance(value, int) or self.least is None or self.most is None:
            return False
        return self.least <= value <= self.most or (self.or_none and value == -1)

    def checked(self, value: Any) -> Any:
        """The value, if it is one.

        Raises:
            BadInput: naming the setting, what was expected and what came.
        """
        if self.accepts(value):
            return value
        raise BadInput(
            f"{self.name}: expected {self.expected}, got {value!r:.100}",
            fields={self.name: f"expected {self.expected}"},
        )


_ALL = (
    Definition(
        "history_retention_days", 30, "History retention",
        "Ended jobs, their output, executions and occurrences are removed after this time.",
        unit="days", least=1, most=3650,
    ),
    Definition(
        "max_concurrent_tasks", 10, "Max concurrent tasks", "Task jobs that may run at once; more wait.",
        unit="jobs", least=1, most=10_000,
    ),
    Definition("notifications_enabled", True, "Notifications", "Send e-mail and webhooks of tasks."),
    Definition(
        "default_timeout", 600, "Default time-out",
        "For tasks and ad-hoc jobs that name none; -1 means no limit.",
        unit="seconds", least=1, most=315_360_000, or_none=True,
    ),
    Definition(
        "auto_refresh_seconds", 5, "Auto-refresh", "How often pages without a live connection ask.",
        unit="seconds", least=1, most=3600,
    ),
    Definition(
        "memory_warning_mb", 100, "Memory warning", "A runspace above this is marked.",
        unit="MB", least=1, most=1_000_000,
    ),
    Definition(
        "age_warning_seconds", 86_400, "Age warning", "A runspace older than this is marked.",
        unit="seconds", least=1, most=315_360_000,
    ),
)  # fmt: skip
DEFINITIONS = {definition.name: definition for definition in _ALL}


class _Cached(NamedTuple):
    values: dict[str, Any]
    until: float


_cached: _Cached | None = None


def get(name: str) -> Any:
    """The value in force; at most a second old.

    Raises:
        KeyError: there is no such setting.
    """
    global _cached
    definition = DEFINITIONS[name]
    known = _cached
    if known is None or time.monotonic() >= known.until:
        known = _Cached(dict(Setting.objects.values_list("name", "value")), time.monotonic() + CACHED_SECONDS)
        # What a transaction sees may never come to be, so only reads outside of one are kept.
        _cached = None if connection.in_atomic_block else known
    value = known.values.get(name, definition.default)
    return value if definition.accepts(value) else definition.default


def forget_cached(**kwargs: Any) -> None:
    """Read anew at the next `get`; also a receiver of signals."""
    global _cached
    _cached = None


def set_value(name: str, value: Any, *, actor: Actor, now: datetime) -> None:
    """Change a setting; its default value removes the row.

    Raises:
        NotFound, BadInput: nothing was changed.
    """
    definition = DEFINITIONS.get(name)
    if definition is None:
        raise NotFound(
            f"name: expected one of {', '.join(DEFINITIONS)}, got {name!r:.80}",
            fields={"name": "no such setting"},
        )
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
