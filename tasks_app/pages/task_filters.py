"""What the list of tasks can be narrowed by."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from taskhub.core.pages.choices import by_field, choice_filter
from tasks_app import selectors
from tasks_app.models import Task

FAILED = ("failed", "lost", "terminated")
DELETED = "deleted"
_STATUSES = [
    ("running", "Running now"),
    ("enabled", "Enabled"),
    ("disabled", "Disabled"),
    (DELETED, "Deleted, restorable"),
]
_RESULTS = [
    ("bad", "Failed, lost or terminated"),
    ("success", "Success"),
    ("failed", "Failed"),
    ("lost", "Lost"),
    ("terminated", "Terminated"),
    ("stopped", "Stopped"),
    ("never", "Never run"),
]
_SOURCES = [("default", "File"), ("overridden", "File, overridden"), ("custom", "Custom")]


def shown(request: HttpRequest) -> QuerySet[Task]:
    """The tasks the list is about: those that are there, or on request those that can be restored."""
    if request.GET.get("status") == DELETED:
        return selectors.deleted_by_hand()
    return Task.objects.filter(deleted=False)


def _apps(request: HttpRequest) -> list[tuple[str, str]]:
    names = Task.objects.filter(deleted=False).order_by("app").values_list("app", flat=True).distinct()
    return [(name or "-", name or "Data folder") for name in names]


def _tags(request: HttpRequest) -> list[tuple[str, str]]:
    lists = Task.objects.filter(deleted=False).exclude(tags=[]).order_by().values_list("tags", flat=True)
    return [(tag, tag) for tag in sorted({tag for tags in lists for tag in tags})]


def _of_status(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    if value == "running":
        running = Task.objects.filter(jobs__finished_at__isnull=True, jobs__state="running")
        return rows.filter(pk__in=running.order_by().values("pk"))
    return rows if value == DELETED else rows.filter(enabled=value == "enabled")


def _of_result(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    if value == "bad":
        return rows.filter(last_status__in=FAILED)
    return rows.filter(last_status="" if value == "never" else value)


AppFilter = choice_filter(
    "app", "App", _apps, lambda rows, value, request: rows.filter(app="" if value == "-" else value)
)
StatusFilter = choice_filter("status", "Status", lambda request: _STATUSES, _of_status)
TagFilter = choice_filter("tag", "Tag", _tags, lambda rows, value, request: selectors.tagged(rows, value))
SourceFilter = by_field("source", "Source", _SOURCES)
ResultFilter = choice_filter("last", "Last result", lambda request: _RESULTS, _of_result)

FILTERS = (AppFilter, StatusFilter, TagFilter, SourceFilter, ResultFilter)
