"""Tasks in the admin: what runs when, how it went, the switch. What needs jobs is added by jobs_app."""

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from taskhub.core import audit, permissions
from taskhub.core.audit import Actor
from taskhub.core.pages.admin import Column, Empty, Figure, ListView, PagesAdmin
from taskhub.core.pages.choices import choice_filter
from taskhub.core.pages.posts import carry_out, post_only
from tasks_app import switching
from tasks_app.models import Occurrence, Task

from . import schedules

OCCURRENCES = 20
_FAILED = ("failed", "lost", "terminated")
_STATUSES = [
    ("bad", "Failed, lost or terminated"),
    ("success", "Success"),
    ("failed", "Failed"),
    ("lost", "Lost"),
    ("terminated", "Terminated"),
    ("stopped", "Stopped"),
]


def _apps(request: HttpRequest) -> list[tuple[str, str]]:
    names = Task.objects.filter(deleted=False).order_by("app").values_list("app", flat=True).distinct()
    return [(name or "-", name or "Data folder") for name in names]


def _last_run(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(last_status__in=_FAILED) if value == "bad" else rows.filter(last_status=value)


AppFilter = choice_filter(
    "app", "App", _apps, lambda rows, value, request: rows.filter(app="" if value == "-" else value)
)
EnabledFilter = choice_filter(
    "enabled",
    "Switch",
    lambda request: [("yes", "Enabled"), ("no", "Disabled")],
    lambda rows, value, request: rows.filter(enabled=value == "yes"),
)
LastFilter = choice_filter("last", "Last result", lambda request: _STATUSES, _last_run)


class TaskAdmin(PagesAdmin):
    view_right = "task.view"
    list_title = "Tasks"
    change_list_template = "tasks/list.html"
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
            Figure("Tasks", f"{tasks.count():,}", "?"),
            Figure("Enabled", f"{tasks.filter(enabled=True).count():,}", "?enabled=yes"),
            Figure("Last run failed", f"{failing:,}", "?last=bad", "red" if failing else ""),
        ]

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("All", ""),
            ListView("Enabled", "enabled=yes"),
            ListView("Disabled", "enabled=no"),
            ListView("Failing", "last=bad"),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(
            "No tasks yet",
            "Tasks stand in config/tasks.yaml of the data folder or of an app; "
            "changes there take effect within ten seconds.",
        )

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
            "task_environment": audit.masked(task.environment) if readable else {},
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
