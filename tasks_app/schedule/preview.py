"""The next runs of a schedule, as pages and the API show them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from . import cron, zones
from .cron import Schedule

if TYPE_CHECKING:
    from tasks_app.models import Task

MOST = 100
_MINUTE = timedelta(minutes=1)
# Changes of the clock are looked for between runs at most this far apart; they are months from each other.
_FARTHEST = timedelta(days=40)
_SHOWN = 3


class Run(NamedTuple):
    """A due time to come: in UTC, and on the clock of the schedule's zone.

    Attributes:
        note: what a change of that clock does to it, in a sentence; mostly blank.
    """

    due_at: datetime
    local: datetime
    note: str = ""


def next_runs(text: str, timezone: str, *, count: int = 5, now: datetime) -> list[Run]:
    """The first `count` due times after `now`; fewer if the schedule ends.

    Raises:
        BadSchedule, NeverFires, UnknownTimezone: as `cron.parse`.
    """
    schedule = cron.parse(text, timezone)
    runs = []
    before = now
    for moment in islice(schedule.iterate(now), min(count, MOST)):
        runs.append(Run(moment, moment.astimezone(schedule.zone), _note(schedule, before, moment)))
        before = moment
    return runs


def of_task(task: "Task", *, count: int, now: datetime) -> list[Run]:
    """The due times of a task to come, whether they will run it or not: of its schedule, or its one time.

    Raises:
        BadSchedule, NeverFires, UnknownTimezone: as `cron.parse`.
    """
    if task.deleted:
        return []
    if task.at is not None:
        return [Run(task.at, task.at.astimezone(zones.get(task.timezone)))] if task.at > now else []
    return next_runs(task.schedule, task.timezone, count=count, now=now) if task.schedule else []


def _note(schedule: Schedule, before: datetime, moment: datetime) -> str:
    """What there is to say of a run, `before` being the run before it or the time of asking."""
    skipped = _skipped(schedule, before, moment)
    return skipped or _doubled(schedule, moment)


def _skipped(schedule: Schedule, before: datetime, moment: datetime) -> str:
    jump = _jump(schedule, before, moment)
    if jump is None:
        return ""
    last, first = (jump - _MINUTE).astimezone(schedule.zone), jump.astimezone(schedule.zone)
    gap = _minutes(last.replace(tzinfo=None) + _MINUTE, first.replace(tzinfo=None))
    missing = [local for local in gap if schedule.names(local)]
    if not missing:
        return ""
    what = _times(missing)
    verb = "does" if len(missing) == 1 else "do"
    day = missing[0].date()
    if schedule.wall_clock and moment == jump:
        runs = "runs" if len(missing) == 1 else "run"
        return f"{what} {verb} not exist on {day}, {runs} at {first:%H:%M}"
    if schedule.wall_clock:
        return ""
    return f"{what} {verb} not exist on {day}, the clock goes on at {first:%H:%M}"


def _doubled(schedule: Schedule, moment: datetime) -> str:
    local = moment.astimezone(schedule.zone)
    twin = local.replace(fold=1 - local.fold)
    if twin.utcoffset() == local.utcoffset() or twin.astimezone(UTC).astimezone(schedule.zone) != twin:
        return ""
    if schedule.wall_clock:
        return f"{local:%H:%M} happens twice on {local.date()}, runs at the first"
    return f"{local:%H:%M} happens twice on {local.date()}, this is the {'second' if local.fold else 'first'}"


def _jump(schedule: Schedule, before: datetime, moment: datetime) -> datetime | None:
    """The minute in (before, moment] at which the local clock is set forward, if there is one."""
    before = max(before, moment - _FARTHEST).astimezone(UTC).replace(second=0, microsecond=0)
    zone = schedule.zone
    # A run exactly at the jump is asked with the minute before it.
    low, high = min(before, moment - _MINUTE), moment
    start, end = (each.astimezone(zone).utcoffset() or timedelta() for each in (low, high))
    if end <= start:
        return None
    while high - low > _MINUTE:
        middle = low + (high - low) // 2 // _MINUTE * _MINUTE
        if (middle.astimezone(zone).utcoffset() or timedelta()) > start:
            high = middle
        else:
            low = middle
    return high


def _minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += _MINUTE


def _times(missing: list[datetime]) -> str:
    shown = ", ".join(f"{local:%H:%M}" for local in missing[:_SHOWN])
    return shown if len(missing) <= _SHOWN else f"{shown} and {len(missing) - _SHOWN} more"
