"""Tasks as the commands name and show them."""

from typing import Any

from django.utils import timezone

from jobs_app.models import Job
from taskhub.core.console import refuse
from tasks_app.api.task_shapes import TaskShape
from tasks_app.models import Task

from .shapes import moment

TASK_HEADS = ("ID", "APP", "NAME", "ON", "SCHEDULE", "NEXT (UTC)", "LAST")


def find(text: str) -> Task:
    """The task of this number, this name, or this `App/Name`; one that was deleted is none.

    Raises:
        CommandError: there is none, or several apps have one of that name.
    """
    tasks = Task.objects.filter(deleted=False)
    app, slash, name = text.partition("/")
    if slash:
        found = list(tasks.filter(app=app, name=name))
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
    due = task.next_due_at if task.enabled else None
    late = " (late)" if due is not None and due < timezone.now() else ""
    return (
        str(task.pk), task.app, task.name, "yes" if task.enabled else "no", when, moment(due) + late,
        task.last_status,
    )  # fmt: skip
