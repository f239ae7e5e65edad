"""Tasks in the admin: what runs when, how it went, the switch. What needs jobs is added by jobs_app."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from scaffolding import hosting
from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.models import AuditEntry
from taskhub.core.pages.admin import Column, Empty, Figure, ListView
from taskhub.core.pages.posts import carry_out, post_only
from tasks_app import selectors, switching
from tasks_app.models import Occurrence, Task

from . import file_problems, masking, schedules, task_filters, task_layers
from .task_filters import FAILED
from .task_writing import WritableTaskAdmin

OCCURRENCES = 60
CHANGES = 20
MOST_ROWS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TaskAdmin(WritableTaskAdmin):
    view_right = "task.view"
    add_right = "task.edit"
    list_title = "Tasks"
    change_list_template = "tasks/list.html"
    row_template = "tasks/_row.html"
    columns = (
        Column("Task", sort="name"),
        Column("App", "th-cell-secondary", sort="app"),
        Column("Schedule"),
        Column("Enabled", sort="-enabled"),
        Column("Last run", sort="-last_run_at"),
        Column("Next run", sort="next_due_at"),
        Column("", "th-cell-actions"),
    )
    search_fields = ("name", "app", "description")
    search_hint = "Search by name, app or description"
    list_filter = task_filters.FILTERS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        return task_filters.shown(request).defer("code", "parameters", "environment")

    def figures(self, request: HttpRequest) -> list[Figure]:
        tasks = Task.objects.filter(deleted=False)
        failing = tasks.filter(last_status__in=FAILED).count()
        return [
            Figure("Tasks", f"{tasks.count():,}", "?"),
            Figure("Enabled", f"{tasks.filter(enabled=True).count():,}", "?status=enabled"),
            Figure("Last run failed", f"{failing:,}", "?last=bad", "red" if failing else ""),
        ]

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("All", ""),
            ListView("Enabled", "status=enabled"),
            ListView("Failing", "last=bad"),
            ListView("Running", "status=running"),
            ListView("Custom", "source=custom"),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        text = (
            "Tasks stand in config/tasks.yaml of the data folder or of an app; "
            "changes there take effect within ten seconds."
        )
        if self.has_add_permission(request):
            return Empty("No tasks yet", text, self.url("add"), "New task")
        return Empty("No tasks yet", text)

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        known = permissions.allows(request.user, "task.view_code")
        return {
            "problems": file_problems.found() if known else [],
            "deleted_shown": request.GET.get("status") == task_filters.DELETED,
        }

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        names = hosting.enabled_names()
        for task in rows:
            task.app_is_on = not task.app or task.app in names
            task.schedule_words = schedules.words(task)
            due = task.next_due_at
            task.next_local = schedules.local(due, task.timezone) if due else ""
            task.next_day = schedules.local_day(due, task.timezone) if due else ""

    # The page

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [
            *super().own_urls(),
            ("rows/", self.rows, "rows"),
            ("<int:object_id>/switch/", self.switch, "switch"),
        ]

    def rows(self, request: HttpRequest) -> HttpResponse:
        """The rows of some tasks as they are now, for a list that is open."""
        permissions.require(request.user, self.view_right)
        keys = [
            int(key) for key in request.GET.get("ids", "").split(",") if key.isdecimal() and len(key) < 16
        ]
        wanted = Task.objects.filter(pk__in=keys[:MOST_ROWS], deleted=False)
        found = list(wanted.defer("code", "parameters", "environment"))
        self.prepare_rows(found, request)
        return TemplateResponse(
            request, "pages/rows.html", {"rows": found, "row_template": self.row_template}
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self.task_page(request, self.any_task(request, object_id))

    def any_task(self, request: HttpRequest, object_id: str) -> Task:
        """A task, be it deleted by hand; else 404."""
        rows = Task.objects.filter(deleted=False) | selectors.deleted_by_hand()
        found: Task = self.row(request, object_id, rows)
        return found

    def task_page(self, request: HttpRequest, task: Task, **more: Any) -> HttpResponse:
        """The page of a task."""
        return self.page(
            request, "tasks/task.html", task.name, task=task, **{**self.panels(request, task), **more}
        )

    def panels(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        """What the page shows beside the row."""
        readable = permissions.allows(request.user, "task.view_code")
        app_is_on = selectors.app_is_on(task.app)
        occurrences: list[Any] = list(Occurrence.objects.filter(task=task, void=False)[:OCCURRENCES])
        for occurrence in occurrences:
            occurrence.why = schedules.reason_words(occurrence.reason)
        return {
            "schedule_words": schedules.words(task),
            "next_runs": schedules.next_runs(task, timezone.now()) if app_is_on else [],
            "app_is_on": app_is_on,
            "hides_file": readable and task_layers.hides(task),
            "occurrences": occurrences,
            "readable": readable,
            "layers": task_layers.of(task, readable=readable),
            "parameters": _laid_out(task.parameters) if readable else "",
            "task_environment": masking.shown(task.environment) if readable else {},
            "changes": _changes(request, task),
            "problems": file_problems.found(app=task.app) if readable else [],
            "stamp": stamp(task, running=False),
        }

    @post_only
    def switch(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self.row(request, str(object_id))
        wanted = request.POST.get("enabled", "no" if task.enabled else "yes") == "yes"

        def act() -> str:
            switching.switch(task.pk, enabled=wanted, by=Actor.of(request), now=timezone.now())
            return f"{task} is {'enabled' if wanted else 'disabled'}."

        return carry_out(request, "task.switch", act, back=self.url("change", task.pk))


def stamp(task: Task, *, running: bool) -> str:
    """What pages compare with the live rows to learn that they are out of date; `live_stamp.js` makes the same."""
    moments = (task.last_run_at, task.next_due_at, task.last_modified)
    shown = [str((moment - _EPOCH) // timedelta(milliseconds=1)) if moment else "" for moment in moments]
    return "|".join([str(int(task.enabled)), str(int(running)), task.last_status, *shown])


def _changes(request: HttpRequest, task: Task) -> list[AuditEntry] | None:
    """The newest audit entries about the task; None for who may not see them."""
    if not permissions.allows(request.user, "audit.view"):
        return None
    rows = AuditEntry.objects.filter(object_type="task", object_id=str(task.pk)).order_by("-pk")
    return list(rows[:CHANGES])


def _laid_out(parameters: dict[str, Any]) -> str:
    return json.dumps(masking.shown(parameters), indent=2, ensure_ascii=False) if parameters else ""
