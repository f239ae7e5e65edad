"""Tasks as the commands name and show them."""

from typing import Any

from django.utils import timezone

from jobs_app.models import Job
from scaffolding import hosting
from taskhub.core.console import refuse
from tasks_app import selectors
from tasks_app.api.task_shapes import TaskShape
from tasks_app.models import Task, TaskOverride

from .shapes import moment

TASK_HEADS = ("ID", "APP", "NAME", "ON", "SCHEDULE", "NEXT (UTC)", "LAST")


def find(text: str) -> Task:
    """The task of this number, this name, or this `App/Name`; one that was deleted is none.

    Raises:
        CommandError: there is none, or several apps have one of that name.
    """
    tasks = Task.objects.filter(deleted=False)
    app, slash, name = text.partition("/")
    found: list[Task] = []
    if slash:
        # A name may hold a slash, too.
        found = list(tasks.filter(app=app, name=name)) or list(tasks.filter(name=text))
    else:
        found = list(tasks.filter(name=text))
        if not found and text.isdecimal() and len(text) < 19:
            found = list(tasks.filter(pk=int(text)))
    if len(found) > 1:
        names = ", ".join(str(task) if task.app else f"{task.pk} (the data folder's own)" for task in found)
        refuse(f"TASK: {text!r} is in more than one app; expected one of {names}")
    if not found:
        refuse(f"TASK: expected the name, App/Name or number of a task, got {text[:200]!r}")
    return found[0]


def check_app(app: str | None) -> None:
    """See that there is such an app, or at least something that people made for it.

    Raises:
        AppNotFound
    """
    known = (Task.objects.filter(app=app, deleted=False), TaskOverride.objects.filter(app=app))
    if app and not any(rows.exists() for rows in known):
        hosting.get(app)


def why_none(task: Task) -> str:
    """Why a task has no due times to come."""
    if task.at is not None:
        return f"Its one time, {moment(task.at)} UTC, is over."
    return "It is never due." if task.schedule else "It has no schedule: it runs by hand only."


def what_stops(task: Task) -> str:
    """What keeps its due times from running it; blank if nothing does."""
    if not task.enabled:
        return "It is disabled, so none of them will happen."
    return "" if selectors.app_is_on(task.app) else "Its app is disabled, so none of them will happen."


def shape(task: Task) -> dict[str, Any]:
    """As the API shows it; whoever runs commands may read the data folder, so with its code."""
    running = {task.pk} if Job.objects.filter(task=task.pk, state="running").exists() else set()
    return dict(TaskShape(task, context={"running": running, "with_code": True}).data)


def shapes(tasks: list[Task]) -> list[dict[str, Any]]:
    running = set(Job.objects.filter(state="running", task__isnull=False).values_list("task", flat=True))
    return [dict(TaskShape(task, context={"running": running, "with_code": True}).data) for task in tasks]


def cells(task: Task) -> tuple[str, ...]:
    when = task.schedule or (f"once, {moment(task.at)}" if task.at else "by hand")
    if task.schedule and task.timezone != "UTC":
        when += f" {task.timezone}"
    due = None if what_stops(task) else task.next_due_at
    late = " (late)" if due is not None and due < timezone.now() else ""
    return (
        str(task.pk), task.app, task.name, "yes" if task.enabled else "no", when, moment(due) + late,
        task.last_status,
    )  # fmt: skip
