"""Due times in the admin: what was decided about each, and why."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from taskhub.core.pages.admin import Column, Empty, ListView, PagesAdmin
from taskhub.core.pages.choices import by_field, choice_filter
from tasks_app.models import Occurrence

from . import schedules, task_names


def _decided_within(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    days = {"day": 1, "week": 7, "month": 30}[value]
    return rows.filter(decided_at__gte=timezone.now() - timedelta(days=days))


class OccurrenceAdmin(PagesAdmin):
    """Each due time and what was decided: the place to ask why something did not run."""

    view_right = "task.view"
    list_title = "Due times"
    row_words = ("due time", "due times")
    row_template = "occurrences/_row.html"
    columns = (
        Column("Due"),
        Column("Task"),
        Column("Decision"),
        Column("Why"),
        Column("Decided", "th-cell-secondary", sort="-id"),
        Column("Job", "th-cell-secondary"),
    )
    ordering = ("-id",)
    list_filter = (
        choice_filter(
            "task", "Task", task_names.offered, lambda rows, value, request: rows.filter(task=int(value))
        ),
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
