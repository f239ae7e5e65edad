"""Definitions into Task rows: what differs is written, what fell away is marked."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from .. import periods
from ..models import Task, TaskOverride
from ..schedule.cursor import first_due
from .merge import Effective, merge
from .schema import TIMING, Definition

log = logging.getLogger("taskhub.tasks")

# Any number will do; it is the name of the lock by which engines load one after the other.
LOCK = 7_290_417
BATCH = 500

Key = tuple[str, str]

_DEFINED = tuple(field.name for field in fields(Definition) if field.name != "name")
_WRITTEN = [
    *_DEFINED,
    "source",
    "deleted",
    "next_due_at",
    "schedule_version",
    "failure_count",
    "last_modified",
]


def apply(
    definitions: Mapping[str, Sequence[Definition]],
    *,
    gone: Iterable[str] = (),
    restart: bool = True,
    now: datetime,
) -> int:
    """Make the tasks of these apps what their files say, in one transaction.

    Tasks that no file defines any more, and all of the apps in `gone`, are marked deleted and
    keep their history; if they come back, they are the same task. Custom tasks are not touched.

    Args:
        restart: the apps are on, so tasks that stand still for an app that was off go on.

    Returns:
        How many rows were written.
    """
    apps = [*definitions, *gone]
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        existing = _rows(apps)
        anew: list[periods.Spell] = []
        overrides = _overrides(apps)
        changed: list[Task] = []
        kept: set[Key] = set()
        for app, entries in definitions.items():
            for definition in entries:
                key = (app, definition.name)
                kept.add(key)
                row = existing.get(key)
                if row is not None and row["source"] == Task.Source.CUSTOM:
                    log.warning(
                        "app=%r task=%r: the file's task is left out, a custom one has its name", *key
                    )
                    continue
                task = _changed(app, merge(definition, overrides.get(key)), row, now)
                if task is not None:
                    changed.append(task)
                    if row is not None and task.schedule_version != row["schedule_version"]:
                        anew.append(periods.Spell(row["id"], row["schedule"], row["timezone"]))
        periods.close(anew, now=now)
        Task.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["app", "name"],
            update_fields=_WRITTEN,
            batch_size=BATCH if connection.vendor == "postgresql" else None,
        )
        fallen = [
            row["id"]
            for key, row in existing.items()
            if key not in kept and row["source"] != Task.Source.CUSTOM and not row["deleted"]
        ]
        for start in range(0, len(fallen), BATCH):
            _mark_deleted(fallen[start : start + BATCH], now)
        restarted = _restart(list(definitions), now) if restart else 0
    return len(changed) + len(fallen) + restarted


def apps_with_tasks() -> set[str]:
    """The apps that have tasks out of files."""
    rows = Task.objects.exclude(source=Task.Source.CUSTOM).filter(deleted=False)
    return set(rows.values_list("app", flat=True).order_by().distinct())


def _rows(apps: Sequence[str]) -> dict[Key, dict[str, Any]]:
    rows: dict[Key, dict[str, Any]] = {}
    for start in range(0, len(apps), BATCH):
        found = Task.objects.select_for_update().filter(app__in=apps[start : start + BATCH]).order_by("id")
        rows |= {(row["app"], row["name"]): row for row in found.values("id", "app", "name", *_WRITTEN)}
    return rows


def _overrides(apps: Sequence[str]) -> dict[Key, TaskOverride]:
    found: dict[Key, TaskOverride] = {}
    for start in range(0, len(apps), BATCH):
        rows = TaskOverride.objects.filter(app__in=apps[start : start + BATCH])
        found |= {(row.app, row.name): row for row in rows}
    return found


def _changed(app: str, effective: Effective, row: Mapping[str, Any] | None, now: datetime) -> Task | None:
    """The row to write, or None if it stands as it should."""
    definition, source, deleted = effective
    wanted = {name: getattr(definition, name) for name in _DEFINED}
    if row is not None and _is_over(definition, row, now):
        wanted["enabled"] = False
    told = {**wanted, "source": source, "deleted": deleted}
    if row is not None and all(row[name] == value for name, value in told.items()):
        return None
    task = Task(app=app, name=definition.name, source=source, deleted=deleted, **wanted)
    task.schedule_version = 1 if row is None else row["schedule_version"]
    task.next_due_at = None if row is None else row["next_due_at"]
    task.failure_count = 0 if row is None else row["failure_count"]
    if _begins_anew(task, row):
        task.schedule_version += row is not None
        task.next_due_at = None
        if not deleted:
            task.next_due_at = first_due(schedule=task.schedule, at=task.at, timezone=task.timezone, now=now)
    if row is not None and task.enabled and not row["enabled"]:
        task.failure_count = 0
    return task


def _is_over(definition: Definition, row: Mapping[str, Any], now: datetime) -> bool:
    """Whether the engine has disabled it after the run of its one time; another time begins anew."""
    at = definition.at
    return at is not None and at <= now and at == row["at"] and not row["enabled"]


def _begins_anew(task: Task, row: Mapping[str, Any] | None) -> bool:
    """Whether the cursor is set from now on: new, another schedule, switched on, gone or back."""
    if row is None or task.deleted != row["deleted"]:
        return True
    if task.enabled and not row["enabled"]:
        return True
    return any(getattr(task, name) != row[name] for name in TIMING)


def _restart(apps: Sequence[str], now: datetime) -> int:
    """Set the cursor of tasks that should have one: their app was switched off and is on again."""
    found: list[Task] = []
    for start in range(0, len(apps), BATCH):
        found += Task.objects.filter(
            app__in=apps[start : start + BATCH], enabled=True, deleted=False, next_due_at=None, at=None
        ).exclude(schedule="")
    for task in found:
        task.next_due_at = first_due(schedule=task.schedule, at=None, timezone=task.timezone, now=now)
    found = [task for task in found if task.next_due_at is not None]
    periods.close([periods.Spell(task.pk, task.schedule, task.timezone) for task in found], now=now)
    Task.objects.bulk_update(found, ["next_due_at"], batch_size=BATCH)
    return len(found)


def _mark_deleted(ids: Sequence[int], now: datetime) -> None:
    Task.objects.filter(pk__in=ids).update(
        deleted=True, next_due_at=None, schedule_version=F("schedule_version") + 1, last_modified=now
    )
