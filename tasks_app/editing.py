"""Changing tasks by hand. Every change acts from now on, is checked as a file is, and is audited.

A custom task is its row. A task out of a file is overridden: the file stays as it is, some fields
are laid over it, and they can be taken back.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from scaffolding import hosting
from scaffolding.errors import AppNotFound
from taskhub.core import audit, wake
from taskhub.core.audit import Actor

from . import overrides, periods, selectors
from .definitions import Definition, schema
from .definitions.problems import Place, field_at
from .definitions.spelling import gather
from .errors import BadTask, NoDefinition, TaskError, TaskExists, TaskHasOpenJobs, TaskNotDeleted
from .models import Occurrence, Task, TaskOverride
from .schedule.cursor import first_due

DEFINED = tuple(field.name for field in fields(Definition))
_EITHER = {"code": "path", "path": "code", "schedule": "at", "at": "schedule"}


def create(given: Mapping[str, Any], *, app: str = "", kept: bool = False, by: Actor, now: datetime) -> Task:
    """A custom task.

    Args:
        given: its fields, in either spelling of a file; null leaves the default.
        kept: it was there before, here or elsewhere, so its one time may be over.

    Raises:
        BadTask, TaskExists
    """
    _check_app(app)
    definition = schema.check(given, pools=overrides.pools())
    if not kept:
        _check_comes(definition, now)
    with transaction.atomic():
        row = Task.objects.select_for_update().filter(app=app, name=definition.name).first()
        if row is not None and (not row.deleted or selectors.restorable(row)):
            raise _exists(app, definition.name)
        # A task that has left its file gives its place, and keeps its history.
        row = row or Task(app=app, name=definition.name)
        _set(row, definition)
        row.source, row.deleted, row.failure_count = Task.Source.CUSTOM, False, 0
        row.schedule_version += 1
        row.next_due_at = _first_due(row, now)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as exc:
            raise _exists(app, definition.name) from exc
        TaskOverride.objects.filter(app=app, name=row.name).delete()
        _tell("task.create", row, by, now, after={"app": app, "name": row.name, "schedule": row.schedule})
    return row


def edit(task: int, given: Mapping[str, Any], *, kept: bool = False, by: Actor, now: datetime) -> Task:
    """Change the fields that are given: of a custom task any, of another those that can be overridden.

    Args:
        given: in either spelling. Null means the default, for a schedule by hand only; environment
            and parameters of a task out of a file are merged by key.
        kept: as in `create`.

    Raises:
        TaskNotFound, TaskDeleted, BadTask, TaskExists
        DefinedByFile, NoDefinition: of a task out of a file.
    """
    return _change(task, given, whole=False, kept=kept, by=by, now=now)


def replace(task: int, given: Mapping[str, Any], *, by: Actor, now: datetime) -> Task:
    """Make the task what is given as a whole: what is left out is as if it had never been changed.

    Of a custom task that is the default, of another what its file says; fields that only the file
    can change may be given as the file has them.

    Raises:
        as `edit`.
    """
    return _change(task, given, whole=True, by=by, now=now)


def _change(
    task: int, given: Mapping[str, Any], *, whole: bool, kept: bool = False, by: Actor, now: datetime
) -> Task:
    changes, places = flat(given)
    with transaction.atomic(), named_as_given(places):
        row = selectors.current(task, lock=True)
        before = _said(row)
        if row.source == Task.Source.CUSTOM:
            _edit_custom(row, changes, now, whole=whole, kept=kept)
        else:
            definition = overrides.definition_of(row.app, row.name)
            if whole:
                changes = overrides.beside(definition, changes)
                TaskOverride.objects.filter(app=row.app, name=row.name).delete()
            overrides.write(row.app, row.name, changes, definition=definition, now=now)
            overrides.reload(row.app, now=now)
        row.refresh_from_db()
        _tell_changes("task.edit", row, before, by, now)
    return row


def reset(task: int, *, field: str = "", by: Actor, now: datetime) -> Task:
    """Take back what is overridden, all of it or one field: there the task is what its file says.

    Args:
        field: by its name in Task; `environment.NAME` is one entry of a map.

    Raises:
        BadTask: no field that can be overridden.
        TaskNotFound, TaskDeleted
        NoDefinition: a custom task has no file; another may have left it.
    """
    with transaction.atomic():
        row = selectors.current(task, lock=True)
        if row.source == Task.Source.CUSTOM:
            raise NoDefinition(f"id: expected a task that a file defines, got {row}, which is a custom one")
        before = _said(row)
        if overrides.take_back(row.app, row.name, field):
            overrides.reload(row.app, now=now)
            row.refresh_from_db()
            _tell_changes("task.reset", row, before, by, now)
    return row


def delete(task: int, *, by: Actor, now: datetime) -> None:
    """Take a task out of execution and listing. One of a file can be restored, a custom one is removed.

    Raises:
        TaskNotFound, TaskDeleted
        TaskHasOpenJobs: a custom task of which something waits or runs.
    """
    with transaction.atomic():
        row = selectors.current(task, lock=True)
        if row.source == Task.Source.CUSTOM:
            if row.jobs.filter(finished_at__isnull=True).exists():
                raise TaskHasOpenJobs(f"id: expected a task without open jobs, got {row}")
            Occurrence.objects.filter(task=row).delete()
            _tell("task.delete", row, by, now, before=_said(row))
            Task.objects.filter(pk=row.pk).delete()
            _free(row.app, now)
            return
        TaskOverride.objects.update_or_create(app=row.app, name=row.name, defaults={"deleted": True})
        Task.objects.filter(pk=row.pk).update(
            deleted=True, next_due_at=None, schedule_version=F("schedule_version") + 1, last_modified=now
        )
        _tell("task.delete", row, by, now)


def restore(task: int, *, by: Actor, now: datetime) -> Task:
    """Bring back a task out of a file that was deleted by hand, with what was overridden before.

    Raises:
        TaskNotFound: it is not there, or its file does not have it any more.
        TaskNotDeleted
        NoDefinition: its file cannot be read, or does not have it any more.
    """
    with transaction.atomic():
        row = Task.objects.select_for_update().get(pk=selectors.known(task).pk)
        if not row.deleted:
            raise TaskNotDeleted(f"id: expected a deleted task, got {row}, which is not deleted")
        override = TaskOverride.objects.get(app=row.app, name=row.name)
        overrides.definition_of(row.app, row.name)
        override.deleted = False
        overrides.save(override)
        overrides.reload(row.app, now=now)
        row.refresh_from_db()
        _tell("task.restore", row, by, now)
    return row


def duplicate(
    task: int,
    *,
    name: str | None = None,
    app: str | None = None,
    schedule: str | None = None,
    by: Actor,
    now: datetime,
) -> Task:
    """A custom task that does the same; disabled if it keeps the schedule, so that nothing runs twice.

    Raises:
        TaskNotFound, TaskDeleted, BadTask, TaskExists
    """
    row = selectors.current(task)
    target = row.app if app is None else app
    definition = _definition(row)
    entry = overrides.entry_of(definition) | {"name": name or _free_name(row.name, target)}
    if schedule is not None:
        entry.pop("at", None)
        entry["schedule"] = schedule
    elif definition.schedule or definition.at:
        entry["enabled"] = False
    return create(entry, app=target, kept=True, by=by, now=now)


def _edit_custom(row: Task, changes: dict[str, Any], now: datetime, *, whole: bool, kept: bool) -> None:
    entry = {} if whole else overrides.entry_of(_definition(row))
    for name, value in changes.items():
        entry.pop(name, None)
        if value is not None:
            entry[name] = value
            # A script in place of code, a time in place of a schedule: the other one goes.
            if value != "" and name in _EITHER and not changes.get(_EITHER[name]):
                entry.pop(_EITHER[name], None)
            if name == "path" and "language" not in changes:
                entry.pop("language", None)
    entry = {name: value for name, value in entry.items() if value != ""}
    definition = schema.check(entry, pools=overrides.pools())
    old = _definition(row)
    if definition == old:
        return
    if definition.at != old.at and not kept:
        _check_comes(definition, now)
    if definition.name != old.name and Task.objects.filter(app=row.app, name=definition.name).exists():
        raise _exists(row.app, definition.name)
    _set(row, definition)
    written = [*DEFINED, "last_modified"]
    on_again = definition.enabled and not old.enabled
    if on_again:
        row.failure_count = 0
        written.append("failure_count")
    if on_again or any(getattr(definition, name) != getattr(old, name) for name in schema.TIMING):
        periods.close([periods.Spell(row.pk, old.schedule, old.timezone)], now=now)
        row.schedule_version += 1
        row.next_due_at = _first_due(row, now)
        written += ["schedule_version", "next_due_at"]
    row.save(update_fields=written)
    if definition.name != old.name:
        _free(row.app, now)


def _free(app: str, now: datetime) -> None:
    """A custom task has given up a name: the task of a file that had to stand back may have it."""
    with suppress(NoDefinition):
        overrides.reload(app, now=now)


def flat(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The changes by the names of Task, and how the caller calls each."""
    spread = dict(given)
    limits = spread.pop("limits", None)
    wrong: list[tuple[Place, str]] = []
    if isinstance(limits, Mapping):
        spread |= {str(name): value for name, value in limits.items()}
    elif limits is not None:
        wrong.append((("limits",), f"expected names with values, got {limits!r:.80}"))
    found, misspelt = gather(spread, ())
    wrong += misspelt
    if wrong:
        raise schema.bad(wrong)
    values = {name: one.value for name, one in found.items()}
    return values, {name: field_at(one.place) for name, one in found.items()}


@contextmanager
def named_as_given(places: Mapping[str, str]) -> Iterator[None]:
    """Errors name fields as the caller does."""
    try:
        yield
    except TaskError as exc:
        exc.fields = {places.get(name, name): said for name, said in exc.fields.items()}
        raise


def _definition(row: Task) -> Definition:
    return Definition(**{name: getattr(row, name) for name in DEFINED})


def _said(row: Task) -> dict[str, Any]:
    return {name: getattr(row, name) if name != "at" else row.at and row.at.isoformat() for name in DEFINED}


def _set(row: Task, definition: Definition) -> None:
    for name in DEFINED:
        setattr(row, name, getattr(definition, name))


def _first_due(row: Task, now: datetime) -> datetime | None:
    return first_due(schedule=row.schedule, at=row.at, timezone=row.timezone, now=now)


def _check_comes(definition: Definition, now: datetime) -> None:
    """A one-off time that somebody sets has to be one that comes."""
    if definition.at is not None and definition.at <= now:
        said = f"expected a time to come, got {definition.at:%Y-%m-%d %H:%M:%S} UTC, which is over"
        raise BadTask(f"at: {said}", fields={"at": said})


def _free_name(name: str, app: str) -> str:
    taken = set(Task.objects.filter(app=app).values_list("name", flat=True))
    number = 1
    while (free := f"{name[:110]} copy{f' {number}' if number > 1 else ''}") in taken:
        number += 1
    return free


def _tell(action: str, row: Task, by: Actor, now: datetime, **more: Any) -> None:
    audit.record(actor=by, action=action, object_type="task", object_id=str(row.pk), now=now, **more)
    transaction.on_commit(wake.wake_engines)


def _tell_changes(action: str, row: Task, before: Mapping[str, Any], by: Actor, now: datetime) -> None:
    after = _said(row)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        _tell(action, row, by, now, before={name: before[name] for name in changed},
              after={name: after[name] for name in changed})  # fmt: skip


def _check_app(app: str) -> None:
    if not app:
        return
    try:
        hosting.get(app)
    except AppNotFound as exc:
        said = f"expected the name of an app, got {app[:80]!r}"
        raise BadTask(f"app: {said}", fields={"app": said}) from exc


def _exists(app: str, name: str) -> TaskExists:
    said = f"expected a name that is free in {f'app {app}' if app else 'the data folder'}, got {name!r}"
    return TaskExists(f"name: {said}", fields={"name": said})
