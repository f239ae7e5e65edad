"""Tasks in the admin: what runs when, how it went, the switch. What needs jobs is added by jobs_app."""

import json
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from taskhub.core import audit, permissions
from taskhub.core.audit import Actor
from taskhub.core.pages.admin import Column, Empty, Figure, ListView, PagesAdmin
from taskhub.core.pages.choices import by_field, choice_filter
from taskhub.core.pages.posts import carry_out, post_only
from tasks_app import switching
from tasks_app.models import Occurrence, Task

from . import schedules

OCCURRENCES = 20
_FAILED = ("failed", "lost", "terminated")
_STATUSES = [
    ("success", "Success"),
    ("failed", "Failed"),
    ("lost", "Lost"),
    ("terminated", "Terminated"),
    ("stopped", "Stopped"),
]


def _apps(request: HttpRequest) -> list[tuple[str, str]]:
    names = Task.objects.filter(deleted=False).order_by("app").values_list("app", flat=True).distinct()
    return [(name or "-", name or "Data folder") for name in names]


AppFilter = choice_filter(
    "app", "App", _apps, lambda rows, value, request: rows.filter(app="" if value == "-" else value)
)
EnabledFilter = choice_filter(
    "enabled",
    "Switch",
    lambda request: [("yes", "Enabled"), ("no", "Disabled")],
    lambda rows, value, request: rows.filter(enabled=value == "yes"),
)
LastFilter = by_field("last", "Last result", _STATUSES, field="last_status")


class TaskAdmin(PagesAdmin):
    view_right = "task.view"
    row_template = "tasks/_row.html"
    columns = (
        Column("Task"),
        Column("Schedule"),
        Column("Enabled"),
        Column("Last run"),
        Column("Next run"),
        Column("", "th-cell-actions"),
    )
    search_fields = ("name", "app", "description")
    search_hint = "Search by name, app or description"
    list_filter = (AppFilter, EnabledFilter, LastFilter)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        return Task.objects.filter(deleted=False).defer("code", "parameters", "environment")

    def figures(self, request: HttpRequest) -> list[Figure]:
        tasks = Task.objects.filter(deleted=False)
        failing = tasks.filter(last_status__in=_FAILED).count()
        return [
            Figure("Tasks", f"{tasks.count():,}", ""),
            Figure("Enabled", f"{tasks.filter(enabled=True).count():,}", "enabled=yes"),
            Figure("Last run failed", f"{failing:,}", "last=failed", "red" if failing else ""),
        ]

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("All", ""),
            ListView("Enabled", "enabled=yes"),
            ListView("Disabled", "enabled=no"),
            ListView("Failing", "last=failed"),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(
            "No tasks yet",
            "Tasks stand in config/tasks.yaml of the data folder or of an app; "
            "changes there take effect within ten seconds.",
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Tasks", **(extra_context or {})})

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        for task in rows:
            task.schedule_words = schedules.words(task)

    # The page

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [("<int:object_id>/switch/", self.switch, "switch")]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        task = self.row(request, object_id, Task.objects.filter(deleted=False))
        return self.page(request, "tasks/task.html", task.name, task=task, **self.panels(request, task))

    def panels(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        """What the page shows beside the row."""
        now = timezone.now()
        readable = permissions.allows(request.user, "task.view_code")
        return {
            "schedule_words": schedules.words(task),
            "next_runs": schedules.next_runs(task, now),
            "occurrences": list(Occurrence.objects.filter(task=task, void=False)[:OCCURRENCES]),
            "readable": readable,
            "parameters": _laid_out(task.parameters) if readable else "",
            "environment": audit.masked(task.environment) if readable else {},
        }

    @post_only
    def switch(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self.row(request, str(object_id))
        wanted = request.POST.get("enabled", "no" if task.enabled else "yes") == "yes"

        def act() -> str:
            switching.switch(task.pk, enabled=wanted, by=Actor.of(request), now=timezone.now())
            return f"{task} is {'enabled' if wanted else 'disabled'}."

        return carry_out(request, "task.switch", act, back=self.url("change", task.pk))


def _laid_out(parameters: dict[str, Any]) -> str:
    return json.dumps(audit.masked(parameters), indent=2, ensure_ascii=False) if parameters else ""


def _decided_within(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    days = {"day": 1, "week": 7, "month": 30}[value]
    return rows.filter(decided_at__gte=timezone.now() - timedelta(days=days))


def _names(request: HttpRequest) -> list[tuple[str, str]]:
    rows = Task.objects.filter(deleted=False).order_by("app", "name").values_list("pk", "app", "name")[:200]
    return [(str(key), f"{app}/{name}" if app else name) for key, app, name in rows]


class OccurrenceAdmin(PagesAdmin):
    """Each due time and what was decided: the place to ask why something did not run."""

    view_right = "task.view"
    row_template = "occurrences/_row.html"
    columns = (
        Column("Due"),
        Column("Task"),
        Column("Decision"),
        Column("Why"),
        Column("Decided", "th-cell-secondary"),
        Column("Job", "th-cell-secondary"),
    )
    ordering = ("-pk",)
    list_filter = (
        choice_filter("task", "Task", _names, lambda rows, value, request: rows.filter(task=int(value))),
        by_field("decision", "Decision", Occurrence.Decision.choices),
        choice_filter(
            "decided",
            "Decided",
            lambda request: [("day", "Last 24 hours"), ("week", "Last 7 days"), ("month", "Last 30 days")],
            _decided_within,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Occurrence]:
        return (
            Occurrence.objects.filter(void=False)
            .select_related("task")
            .defer("task__code", "task__parameters", "task__environment")
        )

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("All", ""),
            ListView("Skipped", "decision=skipped"),
            ListView("Fired", "decision=fired"),
        ]

    def figures(self, request: HttpRequest) -> list[Figure]:
        return []

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Due times", **(extra_context or {})})

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        for occurrence in rows:
            occurrence.why = schedules.reason_words(occurrence.reason)

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(
            "No due time has come yet",
            "Each due time of an enabled task leaves a row here, with what was decided about it.",
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        occurrence = self.row(request, object_id)
        return self.page(
            request,
            "occurrences/page.html",
            f"{occurrence.task} at {occurrence.due_at:%Y-%m-%d %H:%M} UTC",
            occurrence=occurrence,
            why=schedules.reason_words(occurrence.reason),
        )
