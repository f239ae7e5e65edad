"""The audit log in the admin: read only."""

import json
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from taskhub.core.models import AuditEntry

from . import audit_objects
from .admin import Column, Empty, ListView, PagesAdmin
from .choices import by_field, choice_filter

# No index finds a text inside an action: the search looks at the newest so many entries.
NEWEST = 100_000
_TYPES = ("job", "task", "runspace", "pool", "setting", "user", "token", "app")
_PERIODS = {"day": ("Last 24 hours", 1), "week": ("Last 7 days", 7), "month": ("Last 30 days", 30)}


def _within(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(at__gte=timezone.now() - timedelta(days=_PERIODS[value][1]))


def _last() -> int:
    return AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


class AuditAdmin(PagesAdmin):
    view_right = "audit.view"
    list_title = "Audit log"
    row_template = "audit/_row.html"
    columns = (
        Column("When", sort="-id"),
        Column("Who"),
        Column("What"),
        Column("Object"),
        Column("Result"),
        Column("From", "th-cell-secondary"),
    )
    search_fields = ("actor", "action", "object_id")
    search_hint = "Search by who, what or object id"
    list_filter = (
        by_field("object", "Object", [(name, name.capitalize()) for name in _TYPES], field="object_type"),
        by_field("result", "Result", [("ok", "OK"), ("refused", "Refused"), ("failed", "Failed")]),
        choice_filter(
            "within", "When", lambda request: [(key, words) for key, (words, _) in _PERIODS.items()], _within
        ),
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        # A number is the whole id of a task or runspace; of a job's id the beginning is enough.
        of_object = Q(object_id=text) if text.isdecimal() else Q(object_id__startswith=text)
        found = Q(actor__icontains=text) | Q(action__icontains=text) | of_object
        return queryset.filter(pk__gt=_last() - NEWEST).filter(found), False

    def note(self, request: HttpRequest) -> str:
        if not request.GET.get("q") or _last() <= NEWEST:
            return ""
        return f"Looked for among the newest {NEWEST:,} entries."

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("All", ""),
            ListView("Refused", "result=refused"),
            ListView("Last 24 h", "within=day"),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(
            "Nothing written down yet", "Each change, run, stop and refused sign-in leaves an entry here."
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        cl = super().get_changelist_instance(request)
        cl.result_list = cl.result_list.defer("before", "after")
        return cl

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        audit_objects.add_names(rows)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        entry = self.row(request, object_id)
        audit_objects.add_names([entry])
        return self.page(
            request,
            "audit/page.html",
            f"{entry.action} by {entry.actor}",
            entry=entry,
            before=_laid_out(entry.before),
            after=_laid_out(entry.after),
        )


def _laid_out(value: Any) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
