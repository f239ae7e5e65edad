"""What is wrong with a runspace, by the thresholds of the settings: broken, too heavy, too old."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q

from runspaces_app.models import Runspace
from taskhub.core import runtime_settings

MB = 1024 * 1024
BROKEN_FOR = timedelta(days=1)
_SHAPES = {"red": "diamond", "orange": "triangle", "yellow": "square"}


class Warning(NamedTuple):
    """One thing that is wrong with its `about` (state, memory or age); `tone` is red, orange or yellow."""

    about: str
    tone: str
    words: str

    @property
    def shape(self) -> str:
        """What tells tones apart without colours."""
        return _SHAPES[self.tone]


class Alert(NamedTuple):
    runspace: Runspace
    warning: Warning


class Limits(NamedTuple):
    """The thresholds of the settings: bytes, and seconds."""

    memory: int
    age: int


def limits() -> Limits:
    return Limits(
        memory=int(runtime_settings.get("memory_warning_mb")) * MB,
        age=int(runtime_settings.get("age_warning_seconds")),
    )


def of(runspace: Runspace, now: datetime, limits: Limits) -> list[Warning]:
    """All that is wrong with one, worst first."""
    if runspace.state == Runspace.State.BROKEN:
        return [Warning("state", "red", f"Broken: {runspace.close_reason or 'no reason known'}")]
    if runspace.state != Runspace.State.OPENED:
        return []
    found: list[Warning] = []
    if runspace.memory_bytes > limits.memory:
        found.append(Warning("memory", "orange", f"Over {limits.memory // MB:,} MB"))
    if (now - runspace.opened_at).total_seconds() > limits.age:
        found.append(Warning("age", "yellow", f"Older than {_hours(limits.age)}"))
    return found


def worth_a_look(now: datetime, limits: Limits) -> Q:
    """Those of which `alerts` tells, as a condition: open and too heavy or too old, or broken within a day."""
    wrong = Q(memory_bytes__gt=limits.memory) | Q(opened_at__lt=now - timedelta(seconds=limits.age))
    opened = Q(state=Runspace.State.OPENED)
    return (opened & wrong) | Q(state=Runspace.State.BROKEN, closed_at__gte=now - BROKEN_FOR)


def _hours(seconds: int) -> str:
    return (
        f"{seconds // 3600:,} h"
        if seconds >= 7200
        else f"{seconds // 60:,} min"
        if seconds >= 120
        else f"{seconds} s"
    )


def broken(now: datetime) -> list[Runspace]:
    """What broke within a day."""
    return list(
        Runspace.objects.filter(state=Runspace.State.BROKEN, closed_at__gte=now - BROKEN_FOR).order_by("-pk")[
            :100
        ]
    )


def alerts(now: datetime) -> list[Alert]:
    """The worst of every runspace that needs a look, red before orange before yellow."""
    opened = list(Runspace.objects.filter(state=Runspace.State.OPENED).order_by("-pk")[:1000])
    known = limits()
    found = [Alert(row, wrong[0]) for row in [*broken(now), *opened] if (wrong := of(row, now, known))]
    order = {"red": 0, "orange": 1, "yellow": 2}
    return sorted(found, key=lambda alert: order[alert.warning.tone])
