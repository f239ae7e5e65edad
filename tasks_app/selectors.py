"""Tasks by their numbers: which are there, which were deleted, which are none."""

from itertools import islice

from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet, Value

from scaffolding.errors import AppNotFound
from scaffolding.hosting import registry

from .errors import TaskDeleted, TaskNotFound
from .models import Task, TaskOverride


def known(task: int) -> Task:
    """A task that is there, or was deleted by hand and can be restored.

    Raises:
        TaskNotFound: there was none, or it has left its file.
    """
    row = Task.objects.filter(pk=task).first()
    if row is None or (row.deleted and not restorable(row)):
        raise not_found(task)
    return row


def current(task: int, *, lock: bool = False) -> Task:
    """A task that is there.

    Args:
        lock: hold the row until the transaction ends.

    Raises:
        TaskNotFound
        TaskDeleted: it was, by hand.
    """
    rows = Task.objects.select_for_update() if lock else Task.objects.all()
    row = rows.filter(pk=task).first()
    if row is None or (row.deleted and not restorable(row)):
        raise not_found(task)
    if row.deleted:
        raise TaskDeleted(
            f"id: expected a task that is not deleted, got {row}, which is deleted: restore it first"
        )
    return row


def app_is_on(app: str) -> bool:
    """Whether due times of the app's tasks run; the blank one is the data folder, which is never off."""
    try:
        return not app or registry.find(app).enabled
    except AppNotFound:
        return False


def coming(*, most: int) -> list[Task]:
    """The tasks that run next, the earliest first, without their code and maps."""
    due = Task.objects.filter(deleted=False, enabled=True, next_due_at__isnull=False)
    rows = due.order_by("next_due_at", "pk").defer("code", "parameters", "environment")[: 10 * most]
    # Those of apps that are off stand still until they are decided, and are not many.
    return list(islice((task for task in rows if app_is_on(task.app)), most))


def restorable(row: Task) -> bool:
    """Whether it was deleted by hand; a task that left its file comes back with the file."""
    return TaskOverride.objects.filter(app=row.app, name=row.name, deleted=True).exists()


def deleted_by_hand() -> "QuerySet[Task]":
    """The tasks that can be restored."""
    keys = set(TaskOverride.objects.filter(deleted=True).values_list("app", "name"))
    gone = Task.objects.filter(deleted=True).values_list("pk", "app", "name")
    return Task.objects.filter(pk__in=[pk for pk, app, name in gone if (app, name) in keys])


def tagged(tasks: "QuerySet[Task]", tag: str) -> "QuerySet[Task]":
    """Those of the tasks that bear the tag."""
    if connection.vendor == "postgresql":
        return tasks.filter(tags__contains=[tag])
    return tasks.filter(
        Func(
            F("tags"), Value(tag), arg_joiner=") WHERE value = ",
            template="EXISTS (SELECT 1 FROM json_each(%(expressions)s)", output_field=BooleanField(),
        )
    )  # fmt: skip


def not_found(task: object) -> TaskNotFound:
    return TaskNotFound(f"id: expected the number of a task, got {task!r:.80}", fields={"id": "no such task"})
