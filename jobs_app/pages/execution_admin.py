"""The history in the admin: read only, and quick with a million rows."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from jobs_app.models import Execution, Job
from taskhub.core import permissions
from taskhub.core.pages.admin import Column, Empty, Figure, ListView, PagesAdmin

from . import filters, history


class ExecutionAdmin(PagesAdmin):
    view_right = "execution.view"
    list_title = "History"
    row_words = ("run", "runs")
    row_template = "executions/_row.html"
    columns = (
        Column("Run"),
        Column("Status"),
        Column("Trigger", "th-cell-secondary"),
        Column("Owner", "th-cell-secondary"),
        Column("Ended", sort="-id"),
        Column("Took", "th-num"),
        Column("Output", "th-num th-cell-secondary"),
    )
    search_fields = ("name", "public_id")
    search_hint = "Search by name or id"
    # No language and no pool: no index serves them, and a million rows would be read for a rare one.
    list_filter = (
        filters.AppFilter,
        filters.TaskFilter,
        filters.StatusFilter,
        filters.HistoryOwnerFilter,
        filters.EndedFilter,
        filters.BetweenFilter,
        filters.RunspaceFilter,
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (history.search_executions(queryset, search_term) if search_term else queryset), False

    def get_queryset(self, request: HttpRequest) -> Any:
        return Execution.objects.all()

    def figures(self, request: HttpRequest) -> list[Figure]:
        return history.execution_figures(timezone.now())

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("All", ""),
            ListView("Failed", "status=failed"),
            ListView("Lost", "status=lost"),
            ListView("Terminated", "status=terminated"),
            ListView("Last 24 h", "ended=day"),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty("No history yet", "Each attempt of each job leaves a row here when it ends.")

    def note(self, request: HttpRequest) -> str:
        asked = any(request.GET.get(name) for name in ("q", "app", "owner"))
        if not asked or not history.has_older():
            return ""
        return f"Looked for among the newest {history.NEWEST:,} runs. A job's whole id finds older ones."

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        history.add_names(rows)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        cl = super().get_changelist_instance(request)
        cl.result_list = cl.result_list.defer("output_preview", "error_message")
        return cl

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self.row(request, object_id)
        history.add_names([run])
        others = (
            Execution.objects.filter(job=run.job)
            .exclude(pk=run.pk)
            .order_by("attempt")
            .defer("output_preview")
        )
        return self.page(
            request,
            "executions/page.html",
            f"{run.name} #{run.attempt}",
            run=run,
            others=list(others),
            job_exists=Job.objects.filter(pk=run.job).exists(),
            preview=run.output_preview if permissions.allows(request.user, "output.view") else "",
        )
