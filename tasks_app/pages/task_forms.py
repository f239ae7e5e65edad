"""Between tasks and forms: what a form begins with, and what a valid one asks for."""

from typing import Any

from tasks_app import editing, overrides
from tasks_app.definitions.merge import LIMITS
from tasks_app.definitions.schema import Definition
from tasks_app.errors import BadTask
from tasks_app.models import Task
from tasks_app.schedule import zones

from .task_fields import OverrideForm, TaskForm, json_text

# A blank number of these is no limit of the task's own.
_OPTIONAL = ("max_runtime", "max_failures")
_AS_THEY_ARE = tuple(name for name in (
    "name", "description", "enabled", "timezone", "misfire", "overlap", "pool", "priority", "idempotent", "reuse",
    "kill_on_timeout", "max_attempts", "backoff", "jitter", "parameters", "environment", *_OPTIONAL,
) if name in editing.DEFINED)  # fmt: skip


def empty(*, app: str) -> dict[str, Any]:
    """What the form of a new task begins with."""
    return {**_initial(Task(app=app)), "when": "cron", "script": "code", "language": "", "timezone": "UTC"}


def initial(task: Task) -> dict[str, Any]:
    """What the form of a task begins with."""
    return _initial(task)


def asked(form: TaskForm, task: Task | None) -> dict[str, Any]:
    """All of a custom task, as `editing.create` and `editing.edit` take it; call it on a valid form."""
    said = form.cleaned_data
    given = {name: said[name] for name in _AS_THEY_ARE}
    given["timezone"] = said["timezone"].strip() or "UTC"
    given["tags"] = [tag for tag in (each.strip() for each in said["tags"].split(",")) if tag]
    given["schedule"] = said["schedule"] if said["when"] == "cron" else ""
    given["at"] = said["at"].strip() if said["when"] == "once" else ""
    unchanged = task is not None and (given["at"], given["timezone"]) == (local_text(task), task.timezone)
    if task is not None and task.at is not None and unchanged:
        # In an hour that happens twice the form cannot say which one; unchanged it is what it was.
        given["at"] = task.at.isoformat()
    code = said["code"].replace("\r\n", "\n")
    given["code"] = code if said["script"] == "code" else ""
    given["path"] = said["path"].strip() if said["script"] == "path" else ""
    if said["language"]:
        given["language"] = said["language"]
    return given


def create(form: TaskForm, **said_by: Any) -> Task:
    """Make the task a valid form asks for.

    Raises:
        as `editing.create`.
    """
    return editing.create(asked(form, None), app=form.cleaned_data["app"], **said_by)


def laid_over(form: OverrideForm, task: Task) -> dict[str, Any]:
    """What a valid form changes of a task out of a file, as `editing.edit` takes it.

    Raises:
        BadTask: a key is missing that only the file can take away.
    """
    said = form.cleaned_data
    changes: dict[str, Any] = {}
    for name in ("enabled", *LIMITS):
        if said[name] != getattr(task, name):
            changes[name] = said[name]
    schedule = said["schedule"].strip() if said["when"] == "cron" else ""
    # `once` stands there only for a task whose file says a time, and leaves it so.
    if said["when"] != "once" and (schedule != task.schedule or task.at is not None):
        changes["schedule"] = schedule or None
    definition = overrides.definition_of(task.app, task.name)
    for name in overrides.MAPS:
        if said[name] != getattr(task, name):
            changes[name] = _map_changes(name, said[name], getattr(task, name), definition)
    return changes


def _map_changes(
    name: str, wanted: dict[str, Any], present: dict[str, Any], definition: Definition
) -> dict[str, Any]:
    fixed = getattr(definition, name)
    for key in present:
        if key not in wanted and key in fixed:
            said = f"{key} is said by the file: it can be changed here, but not taken away"
            raise BadTask(f"{name}: {said}", fields={name: said})
    changed = {key: value for key, value in wanted.items() if key not in present or present[key] != value}
    return {**changed, **{key: None for key in present if key not in wanted}}


def _initial(task: Task) -> dict[str, Any]:
    values = {name: getattr(task, name) for name in _AS_THEY_ARE}
    return {
        **values,
        "app": task.app,
        "tags": ", ".join(task.tags),
        "language": task.language,
        "when": "once" if task.at is not None else "cron" if task.schedule else "hand",
        "schedule": task.schedule,
        "at": local_text(task),
        "script": "path" if task.path else "code",
        "code": task.code,
        "path": task.path,
        "parameters": json_text(task.parameters),
        "environment": json_text(task.environment),
        "backoff": f"{task.backoff:g}",
    }


def local_text(task: Task) -> str:
    """The one due time on the clock of the task's zone, as the field takes it."""
    if task.at is None:
        return ""
    there = task.at.astimezone(zones.get(task.timezone))
    return there.strftime("%Y-%m-%dT%H:%M:%S" if there.second else "%Y-%m-%dT%H:%M")
