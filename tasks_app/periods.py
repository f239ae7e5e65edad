"""The one row that stands for the due times of a task that was off."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from .errors import TaskError
from .models import Occurrence
from .schedule import cron

REASONS = ("disabled", "app_disabled")
BATCH = 500


class Spell(NamedTuple):
    """A task and the schedule it had while it was off."""

    task: int
    schedule: str
    timezone: str


def close(spells: Iterable[Spell], *, now: datetime) -> None:
    """Write into the row of the time these tasks were off how far it went and how many due times it had.

    To be called when a cursor is set anew, in the same transaction. A row without `until` stands
    for a time that is not over; one with it is left as it is.
    """
    by_task = {spell.task: spell for spell in spells}
    tasks = list(by_task)
    for start in range(0, len(tasks), BATCH):
        rows = Occurrence.objects.filter(
            task_id__in=tasks[start : start + BATCH], reason__in=REASONS, until=None, void=False,
            due_at__lte=now,
        )  # fmt: skip
        for row in rows.order_by("id"):
            spell = by_task[row.task_id]
            until, count = stretch(spell.schedule, spell.timezone, row.due_at, now)
            Occurrence.objects.filter(pk=row.pk, until=None).update(until=until, count=count)


def stretch(schedule: str, timezone: str, first: datetime, now: datetime) -> tuple[datetime, int]:
    """The last due time from `first`, which is one, to `now`, and how many there are."""
    if not schedule:
        return first, 1
    try:
        parsed = cron.parse(schedule, timezone)
    except TaskError:
        # Written past the check of the schedule; nothing more can be said about it.
        return first, 1
    newest = parsed.newest(first, now, limit=1)
    return (newest[0] if newest else first), 1 + parsed.count(first, now)
