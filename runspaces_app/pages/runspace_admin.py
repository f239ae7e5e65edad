"""Runspaces in the admin: which are open, what they hold, how heavy and old they are; closing one."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from runspaces_app import closing
from runspaces_app.models import Pool, Runspace, RunspaceSample
from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.pages.admin import Column, Empty, Figure, ListView, PagesAdmin
from taskhub.core.pages.choices import by_field, choice_filter
from taskhub.core.pages.posts import carry_out
from taskhub.core.pages.questions import Question

from . import warnings
from .memory_chart import memory_chart

_AGES = {"hour": ("Older than 1 h", 1), "six": ("Older than 6 h", 6), "day": ("Older than 24 h", 24)}


def _older(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(opened_at__lte=timezone.now() - timedelta(hours=_AGES[value][1]))


def _pools(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, name) for name in Pool.objects.values_list("name", flat=True)]


class RunspaceAdmin(PagesAdmin):
    view_right = "runspace.view"
    list_title = "Runspaces"
    change_list_template = "runspaces/list.html"
    row_template = "runspaces/_row.html"
    columns = (
        Column("Runspace"),
        Column("State"),
        Column("Holds", "th-cell-secondary"),
        Column("Age"),
        Column("Memory", "th-num"),
        Column("Threads", "th-num th-cell-secondary"),
        Column("Jobs run", "th-num th-cell-secondary"),
        Column("", "th-cell-actions"),
    )
    list_filter = (
        by_field("state", "State", Runspace.State.choices),
        by_field("availability", "Availability", Runspace.Availability.choices),
        choice_filter("pool", "Pool", _pools, lambda rows, value, request: rows.filter(pool=value)),
        choice_filter(
            "age", "Age", lambda request: [(key, words) for key, (words, _) in _AGES.items()], _older
        ),
    )

    def figures(self, request: HttpRequest) -> list[Figure]:
        opened = Runspace.objects.filter(state=Runspace.State.OPENED)
        busy = opened.filter(availability=Runspace.Availability.BUSY).count()
        broken = warnings.broken(timezone.now())
        memory = opened.aggregate(total=Sum("memory_bytes"))["total"] or 0
        return [
            Figure("Open", f"{opened.count():,}", "?state=opened"),
            Figure("Busy", f"{busy:,}", "?state=opened&availability=busy"),
            Figure("Broken, 24 h", f"{len(broken):,}", "?state=broken", "red" if broken else ""),
            Figure("Memory", f"{memory / 1024 / 1024:,.0f} MB"),
        ]

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("Open", "state=opened"),
            ListView("Busy", "state=opened&availability=busy"),
            ListView("Broken", "state=broken"),
            ListView("Closed", "state=closed"),
            ListView("All", ""),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(
            "No runspace has been opened yet",
            "An engine opens as many as its pools ask for, as soon as it runs.",
        )

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"alerts": warnings.alerts(timezone.now())}

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        now, limits = timezone.now(), warnings.limits()
        for runspace in rows:
            runspace.warnings = warnings.of(runspace, now, limits)
            runspace.shown_state = shown_state(runspace)

    # The page

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [("<int:object_id>/close/", self.close, "close")]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        runspace = self.row(request, object_id)
        now, limits = timezone.now(), warnings.limits()
        samples = list(
            RunspaceSample.objects.filter(runspace=runspace.pk, at__gte=now - timedelta(hours=2)).order_by(
                "at"
            )
        )
        return self.page(
            request,
            "runspaces/runspace.html",
            f"Runspace {runspace.pk}",
            runspace=runspace,
            state=shown_state(runspace),
            warnings=warnings.of(runspace, now, limits),
            chart=memory_chart(samples, limit=limits.memory),
            now=now,
        )

    def close(self, request: HttpRequest, object_id: int) -> HttpResponse:
        runspace = self.row(request, str(object_id))
        permissions.require(request.user, "runspace.close")
        page = self.url("change", runspace.pk)
        if request.method != "POST":
            question = close_question(runspace, self.url("close", runspace.pk), page)
            return self.page(
                request, "pages/confirm.html", f"Close runspace {runspace.pk}", question=question
            )

        def act() -> str:
            closing.request_close(
                runspace.pk,
                confirmation=request.POST.get("confirmation", ""),
                by=Actor.of(request),
                now=timezone.now(),
            )
            return f"Runspace {runspace.pk} is told to close; its engine ends it within seconds."

        return carry_out(request, "runspace.close", act, back=page)


def shown_state(runspace: Runspace) -> str:
    """The row's state, or `closing` once somebody has asked for it."""
    asked = runspace.state == Runspace.State.OPENED and runspace.close_requested_at is not None
    return "closing" if asked else str(runspace.state)


def close_question(runspace: Runspace, action: str, back: str) -> Question:
    holds = str(runspace.job) if runspace.job else "nothing"
    return Question(
        title=f"Force close runspace {runspace.pk}?",
        text="This cannot be undone. It may",
        verb="Force close",
        keep="Cancel",
        action=action,
        back=back,
        typed=str(runspace.pk),
        danger=True,
        facts=[("Pool", runspace.pool), ("Serves", runspace.affinity or "nobody yet"), ("Runs", holds)],
        consequences=[
            "end the job it runs, as lost or stopped",
            "lose what that job has not saved",
            "leave files, locks or connections of that job behind",
        ],
    )
