"""Overrides and custom tasks as one JSON document, out and in again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import transaction

from taskhub.core import audit
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError

from . import editing, overrides
from .definitions.schema import MOST_TASKS
from .definitions.spelling import snake
from .errors import BadTask, NoDefinition
from .models import Task, TaskOverride

VERSION = "1.0"
_OWN = {"app_name": "app", "app": "app", "deleted": "deleted", "custom": "custom"}


class Imported(NamedTuple):
    """How many entries made a custom task or changed one of any kind, and how many found it so."""

    created: int
    changed: int
    unchanged: int


def export(*, app: str | None = None, now: datetime) -> dict[str, Any]:
    """What people changed, and the custom tasks; of one app or of all.

    Returns:
        `{"version", "lastModified", "tasks": [{"name", "appName", "enabled", "schedule", "environment",
        "parameters", "limits", "deleted", "custom", …}]}`: of an override null means not changed, a
        custom task has all its fields.
    """
    rows = TaskOverride.objects.all()
    tasks = Task.objects.filter(source=Task.Source.CUSTOM, deleted=False)
    if app is not None:
        rows, tasks = rows.filter(app=app), tasks.filter(app=app)
    entries = [_of_override(row) for row in rows] + [_of_custom(task) for task in tasks]
    times = [row.last_modified for row in rows] + [task.last_modified for task in tasks]
    entries.sort(key=lambda entry: (entry["appName"], entry["name"]))
    return _document(entries, max(times, default=now))


def export_task(task: Task, *, now: datetime) -> dict[str, Any]:
    """The same document of one task; of a task that nobody changed it says just that."""
    if task.source == Task.Source.CUSTOM:
        return _document([_of_custom(task)], task.last_modified)
    row = TaskOverride.objects.filter(app=task.app, name=task.name).first()
    if row is None:
        return _document([_of_override(TaskOverride(app=task.app, name=task.name))], now)
    return _document([_of_override(row)], row.last_modified)


def import_(document: Any, *, by: Actor, now: datetime, dry_run: bool = False) -> Imported:
    """Make overrides and custom tasks what the document says; those it does not name stay. All or nothing.

    An override may be of a task that is not there: it counts once the task comes.

    Args:
        dry_run: only count; what would be refused is refused.

    Raises:
        BadTask: not such a document; `fields` names the entry, as `tasks[2].schedule`.
        other TaskError: as `editing`, named so too.
    """
    entries = _entries(document)
    counts = {"created": 0, "changed": 0, "unchanged": 0}
    apps: set[str] = set()
    with transaction.atomic():
        for index, entry in enumerate(entries):
            try:
                counts[_take(entry, apps, by, now)] += 1
            except TaskhubError as exc:
                exc.fields = {f"tasks[{index}].{name}": said for name, said in exc.fields.items()}
                exc.args = (f"tasks[{index}].{exc}",)
                raise
        for app in sorted(apps):
            try:
                overrides.reload(app, now=now)
            except NoDefinition:
                # Its file is broken or away; the loader does it when it can be read.
                continue
        if dry_run:
            transaction.set_rollback(True)
    return Imported(**counts)


def _document(entries: list[dict[str, Any]], modified: datetime) -> dict[str, Any]:
    return {"version": VERSION, "lastModified": _iso(modified), "tasks": entries}


def _entries(document: Any) -> list[Any]:
    if not isinstance(document, Mapping) or not isinstance(document.get("tasks"), list):
        raise _bad("tasks", "expected an object with a list called tasks, got something else")
    unknown = [key for key in document if key not in ("version", "lastModified", "tasks")]
    if unknown:
        raise _bad(str(unknown[0]), "expected version, lastModified and tasks only")
    if document.get("version", VERSION) != VERSION:
        raise _bad("version", f"expected {VERSION!r}, got {document['version']!r:.40}")
    if len(document["tasks"]) > MOST_TASKS:
        raise _bad("tasks", f"expected at most {MOST_TASKS} tasks, got {len(document['tasks'])}")
    return list(document["tasks"])


def _take(entry: Any, apps: set[str], by: Actor, now: datetime) -> str:
    if not isinstance(entry, Mapping):
        raise _bad("name", f"expected the fields of a task, got {entry!r:.80}")
    own: dict[str, Any] = {"app": "", "deleted": False, "custom": False}
    given: dict[str, Any] = {}
    for key, value in entry.items():
        name = _OWN.get(snake(key))
        if name is None:
            if snake(key) != "last_modified":
                given[key] = value
        elif value is not None:
            own[name] = value
    if not isinstance(own["app"], str) or len(own["app"]) > 64:
        raise _bad("appName", f"expected the name of an app, got {own['app']!r:.80}")
    for name in ("deleted", "custom"):
        if not isinstance(own[name], bool):
            raise _bad(name, f"expected true or false, got {own[name]!r:.80}")
    if own["custom"]:
        return _take_custom(own["app"], given, own["deleted"], by, now)
    apps.add(own["app"])
    return _take_override(own["app"], given, own["deleted"], by, now)


def _take_custom(app: str, given: dict[str, Any], deleted: bool, by: Actor, now: datetime) -> str:
    name = given.get("name")
    row = None
    if isinstance(name, str):
        row = Task.objects.filter(app=app, name=name, source=Task.Source.CUSTOM, deleted=False).first()
    if deleted:
        if row is None:
            return "unchanged"
        editing.delete(row.pk, by=by, now=now)
        return "changed"
    if row is None:
        editing.create(given, app=app, kept=True, by=by, now=now)
        return "created"
    version, modified = row.schedule_version, row.last_modified
    after = editing.edit(row.pk, given, kept=True, by=by, now=now)
    return "unchanged" if (after.schedule_version, after.last_modified) == (version, modified) else "changed"


def _take_override(app: str, given: dict[str, Any], deleted: bool, by: Actor, now: datetime) -> str:
    # Null: not overridden. It is written anew, so what the entry leaves out is taken back.
    flat, places = editing.flat({key: value for key, value in given.items() if value is not None})
    name = flat.pop("name", None)
    if not isinstance(name, str) or not name.strip() or len(name) > 128:
        raise _bad("name", f"expected a name, got {name!r:.80}")
    if Task.objects.filter(app=app, name=name, source=Task.Source.CUSTOM, deleted=False).exists():
        raise _bad("custom", f"expected true, {name!r} is a custom task here")
    before = TaskOverride.objects.select_for_update().filter(app=app, name=name).first()
    said = None if before is None else _of_override(before)
    if before is not None:
        before.delete()
    if deleted:
        TaskOverride.objects.create(app=app, name=name, deleted=True)
    with editing.named_as_given(places):
        overrides.write(app, name, flat, definition=_known(app, name), now=now)
    row = TaskOverride.objects.filter(app=app, name=name).first()
    after = None if row is None else _of_override(row)
    if after == said:
        return "unchanged"
    audit.record(
        actor=by, action="task.import", object_type="task", object_id=f"{app}/{name}" if app else name,
        before=said, after=after, now=now,
    )  # fmt: skip
    return "changed"


def _known(app: str, name: str) -> Any:
    try:
        return overrides.definition_of(app, name)
    except NoDefinition:
        return None


def _of_override(row: TaskOverride) -> dict[str, Any]:
    return {
        "name": row.name, "appName": row.app, "enabled": row.enabled, "schedule": row.schedule,
        "environment": row.environment, "parameters": row.parameters, "limits": row.limits,
        "deleted": row.deleted, "custom": False,
    }  # fmt: skip


def _of_custom(task: Task) -> dict[str, Any]:
    entry = {_camel(name): getattr(task, name) for name in editing.DEFINED}
    entry["at"] = None if task.at is None else _iso(task.at)
    return entry | {"appName": task.app, "deleted": False, "custom": True}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _bad(field: str, said: str) -> BadTask:
    return BadTask(f"{field}: {said}", fields={field: said})
