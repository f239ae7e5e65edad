"""The tasks that a list can be narrowed to."""

from django.http import HttpRequest

from taskhub.core.pages.choices import is_key
from tasks_app.models import Task

# So many stand in a select; the links of a task's page find the others.
MOST = 200


def offered(request: HttpRequest, *, deleted: bool = False) -> list[tuple[str, str]]:
    """(id, app/name) of the first tasks by name, and of the one the address asks for.

    Args:
        deleted: those that are deleted, too; their history stays.
    """
    rows = Task.objects.order_by("app", "name").values_list("pk", "app", "name")
    known = rows if deleted else rows.filter(deleted=False)
    found = list(known[:MOST])
    asked = request.GET.get("task", "")
    if is_key(asked) and len(found) == MOST:
        found = sorted({*found, *rows.filter(pk=int(asked))}, key=lambda row: row[1:])
    return [(str(key), f"{app}/{name}" if app else name) for key, app, name in found]
