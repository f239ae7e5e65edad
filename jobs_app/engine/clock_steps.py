"""A wall clock that was set back: what was decided for a time that has not come is void."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction
from django.db.models import F, Q

from taskhub.core import audit
from taskhub.core.home import Home
from tasks_app import periods
from tasks_app.models import Occurrence, Task
from tasks_app.schedule.cursor import first_due

from . import sql, task_limit

log = logging.getLogger("taskhub.engine")

# Less is waited out: the cursors stand still until the clock has come up to them again.
BEHIND = timedelta(hours=3)
BATCH = 1000

REASON = "clock"

# The latest time this process has seen, for each data folder.
_seen: dict[Path, datetime] = {}


def settle(*, now: datetime) -> bool:
    """Set due times straight if the clock stands more than 3 h behind the newest occurrence.

    Cursors go to now, later occurrences become void, one audit entry tells of it. The database is
    asked only by a process that starts, or whose clock went back.
    """
    home = Home.current().root
    seen = _seen.get(home)
    if seen is not None and now >= seen:
        _seen[home] = now
        return False
    stepped = _behind(now) is not None and _set_straight(now)
    _seen[home] = now
    return stepped


def _behind(now: datetime) -> datetime | None:
    """When the newest decision was taken, if that lies too far ahead of now."""
    connection.ensure_connection()
    (found,) = sql.run("SELECT MAX(decided_at) FROM tasks_app_occurrence").fetchone()
    newest = sql.moment(found)
    return newest if newest is not None and newest - now > BEHIND else None


def _set_straight(now: datetime) -> bool:
    with transaction.atomic():
        task_limit.lock()
        # Asked again under the lock: of two engines one tells.
        newest = _behind(now)
        if newest is None:
            return False
        void = Occurrence.objects.filter(due_at__gt=now, void=False).update(
            void=True, reason=REASON, decided_at=now
        )
        _shorten(now)
        Occurrence.objects.filter(decided_at__gt=now).update(decided_at=now)
        moved = _move_cursors(now)
        log.warning("the clock went back from %s to %s: %s due times void", newest, now, void)
        audit.record(
            actor=audit.ENGINE, action="clock.back", object_type="clock", now=now,
            before={"newest_decision": newest.isoformat()}, after={"void": void, "tasks": moved},
            message=f"The clock stands {newest - now} behind the newest decision. Due times are counted from now.",
        )  # fmt: skip
    return True


def _shorten(now: datetime) -> None:
    """Stretches that reach beyond now end at it."""
    for row in Occurrence.objects.filter(until__gt=now, void=False).select_related("task").iterator():
        until, count = periods.stretch(row.task.schedule, row.task.timezone, row.due_at, now)
        Occurrence.objects.filter(pk=row.pk).update(until=until, count=count)


def _move_cursors(now: datetime) -> int:
    """In slices by id, in the order in which everybody locks several tasks; returns how many moved."""
    moved, after = 0, 0
    while True:
        tasks = list(
            Task.objects.select_for_update()
            .filter(~Q(schedule="") | Q(at__gt=now), pk__gt=after, deleted=False, enabled=True)
            .order_by("id")
            .only("schedule", "at", "timezone", "next_due_at", "schedule_version")[:BATCH]
        )
        if not tasks:
            return moved
        after = tasks[-1].pk
        changed = []
        for task in tasks:
            due = first_due(schedule=task.schedule, at=task.at, timezone=task.timezone, now=now)
            if due != task.next_due_at:
                task.next_due_at = due
                changed.append(task)
        Task.objects.bulk_update(changed, ["next_due_at"], batch_size=BATCH)
        Task.objects.filter(pk__in=[task.pk for task in changed]).update(
            schedule_version=F("schedule_version") + 1
        )
        moved += len(changed)
