"""Switching a task on or off by hand."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from taskhub.core import audit, wake
from taskhub.core.audit import Actor

from . import overrides, periods, selectors
from .models import Task
from .schedule.cursor import first_due


def switch(task: int, *, enabled: bool, by: Actor, now: datetime) -> Task:
    """Enable or disable a task; what is so already stays as it is, without an audit entry.

    Enabling acts from now on: nothing is made up for, and the count of failures begins anew. A
    task out of a file gets an override, so that the next reading of the file does not undo it, or
    loses the one that said otherwise.

    Raises:
        TaskNotFound, TaskDeleted
    """
    with transaction.atomic():
        row = selectors.current(task, lock=True)
        if row.enabled == enabled:
            return row
        changes = {"enabled": enabled, "last_modified": now}
        if row.source != Task.Source.CUSTOM:
            over = overrides.switch(row.app, row.name, enabled=enabled)
            changes["source"] = Task.Source.OVERRIDDEN if over else Task.Source.DEFAULT
        if enabled:
            periods.close([periods.Spell(row.pk, row.schedule, row.timezone)], now=now)
            changes |= {
                "failure_count": 0,
                "next_due_at": first_due(schedule=row.schedule, at=row.at, timezone=row.timezone, now=now),
            }
        # A scheduler that has read the row before must not move the cursor it saw.
        Task.objects.filter(pk=row.pk).update(**changes, schedule_version=F("schedule_version") + 1)
        audit.record(
            actor=by,
            action="task.enable" if enabled else "task.disable",
            object_type="task",
            object_id=str(row.pk),
            before={"enabled": row.enabled},
            after={"enabled": enabled},
            now=now,
        )
        transaction.on_commit(wake.wake_engines)
        row.refresh_from_db()
    return row
