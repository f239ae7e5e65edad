"""Runspaces in the admin: which are open, what they run, how heavy and old they are; closing one."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from runspaces_app import closing
from runspaces_app.models import Pool, Runspace
from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.pages.admin import Column, Empty, Figure, ListView, PagesAdmin
from taskhub.core.pages.choices import ChoiceFilter, asked_filter, by_field, choice_filter
from taskhub.core.pages.posts import carry_out
from taskhub.core.pages.questions import Question

from . import lifecycle, memory, serving, warnings

MOST_ROWS = 200
ANY = "any"
_AGES = {"hour": ("Older than 1 h", 1), "six": ("Older than 6 h", 6), "day": ("Older than 24 h", 24)}


class Held(NamedTuple):
    """A job as the pages of runspaces tell of it; `state` is "" when only its history is left."""

    name: str
    state: str


class Work(NamedTuple):
    """What a runspace ran.

    Attributes:
        link: the history of it.
        counts: how many ended how: (status, number, link).
        newest: only so many rows of the history were looked at, so there may be more; None for all.
    """

    link: str
    counts: list[tuple[str, int, str]]
    newest: int | None


class StateFilter(ChoiceFilter):
    """The list is of those that are open unless another state is asked for."""

    title = "State"
    parameter_name = "state"
    unset = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        states = [("closed", "Closed"), ("broken", "Broken"), (ANY, "All")]
        return [("opened", "Open"), *states] if request.GET.get("state") == "opened" else states

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or "opened"
        return queryset if value == ANY else queryset.filter(state=value)


def _older(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(opened_at__lte=timezone.now() - timedelta(hours=_AGES[value][1]))


def _ended_within_a_day(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(closed_at__gte=timezone.now() - warnings.BROKEN_FOR)


def _worth_a_look(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(warnings.worth_a_look(timezone.now(), warnings.limits()))


def _pools(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, name) for name in Pool.objects.values_list("name", flat=True)]


class RunspaceAdmin(PagesAdmin):
    view_right = "runspace.view"
    list_title = "Runspaces"
    change_list_template = "runspaces/list.html"
    row_template = "runspaces/_row.html"
    columns = (
        Column("Runspace", sort="-id"),
        Column("State"),
        Column("Runs"),
        Column("Age", sort="opened_at"),
        Column("Jobs done", "th-num", sort="-jobs_run"),
        Column("Memory, 2 h", sort="-memory_bytes"),
        Column("", "th-cell-actions"),
    )
    list_filter = (
        StateFilter,
        by_field("availability", "Availability", Runspace.Availability.choices),
        choice_filter("pool", "Pool", _pools, lambda rows, value, request: rows.filter(pool=value)),
        choice_filter(
            "age", "Age", lambda request: [(key, words) for key, (words, _) in _AGES.items()], _older
        ),
        choice_filter("ended", "Ended", lambda request: [("day", "Last 24 hours")], _ended_within_a_day),
        choice_filter("alert", "Worth a look", lambda request: [(ANY, "Any reason")], _worth_a_look),
        asked_filter("engine", "Engine", lambda rows, value, request: rows.filter(engine=int(value))),
    )

    # What only the jobs know

    def held(self, jobs: Iterable[UUID]) -> dict[UUID, Held]:
        """These jobs in words."""
        return {}

    def work(self, runspace: Runspace) -> Work | None:
        """What one ran; None if nothing is known of it."""
        return None

    def history_link(self, runspace: Runspace) -> str:
        """Where the runs of one are listed; "" if nowhere."""
        return ""

    # The list

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Only few are open; the closed ones, which no index sorts by memory, stay the newest first.
        opened = request.GET.get("state") in (None, "", "opened")
        return ("-memory_bytes", "-id") if opened else ("-id",)

    def figures(self, request: HttpRequest) -> list[Figure]:
        opened = Runspace.objects.filter(state=Runspace.State.OPENED).aggregate(
            all=Count("pk"),
            busy=Count("pk", filter=Q(availability=Runspace.Availability.BUSY)),
            memory=Sum("memory_bytes", default=0),
        )
        broken = sum(alert.warning.about == "state" for alert in _alerts(request))
        return [
            Figure("All", f"{Runspace.objects.count():,}", f"?state={ANY}"),
            Figure("Open", f"{opened['all']:,}", "?", told_as="open"),
            Figure("Busy", f"{opened['busy']:,}", "?availability=busy", told_as="busy"),
            Figure("Broken, 24 h", f"{broken:,}", "?state=broken&ended=day", "red" if broken else ""),
            Figure("Memory", f"{opened['memory'] / memory.MB:,.0f} MB", "?", told_as="memory"),
        ]

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("Open", ""),
            ListView("Busy", "availability=busy"),
            ListView("Broken", "state=broken"),
            ListView("Closed", "state=closed"),
            ListView("All", f"state={ANY}"),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(
            "No runspace is open",
            "An engine opens as many as its pools ask for, as soon as it runs.",
            reverse("admin:jobs_app_engine_changelist"),
            "See the engines",
        )

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"alerts": _alerts(request), "limit_mb": warnings.limits().memory // memory.MB}

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        now, limits = timezone.now(), warnings.limits()
        held = self.held({row.job for row in rows if row.job})
        serves = serving.words(rows)
        drawn = memory.lines(rows, now=now)
        for runspace in rows:
            runspace.warnings = warnings.of(runspace, now, limits)
            runspace.shown_state = shown_state(runspace)
            runspace.held = held.get(runspace.job)
            runspace.serves = serves.get(runspace.pk, "")
            runspace.drawn = drawn.get(runspace.pk, "")
            runspace.history_link = self.history_link(runspace)

    def rows(self, request: HttpRequest) -> HttpResponse:
        """The rows of some runspaces as they are now, for a list that is open."""
        permissions.require(request.user, self.view_right)
        keys = [
            int(key) for key in request.GET.get("ids", "").split(",") if key.isdecimal() and len(key) < 16
        ]
        found = list(Runspace.objects.filter(pk__in=keys[:MOST_ROWS]))
        self.prepare_rows(found, request)
        return TemplateResponse(
            request,
            "pages/rows.html",
            {
                "rows": found,
                "row_template": self.row_template,
                "limit_mb": warnings.limits().memory // memory.MB,
                "server_time": timezone.now(),
            },
        )

    # The page

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [("rows/", self.rows, "rows"), ("<int:object_id>/close/", self.close, "close")]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        runspace = self.row(request, object_id)
        now, limits = timezone.now(), warnings.limits()
        names = permissions.allows(request.user, "audit.view")
        tried = lifecycle.tries(runspace) if names or runspace.close_requested_at else []
        steps = lifecycle.steps(runspace, tried, names=names)
        ended = lifecycle.ended_with(tried)
        return self.page(
            request,
            "runspaces/runspace.html",
            f"Runspace {runspace.pk}",
            runspace=runspace,
            state=shown_state(runspace),
            serves=serving.words([runspace]).get(runspace.pk, ""),
            warnings=warnings.of(runspace, now, limits),
            chart=memory.chart(runspace, period=request.GET.get("period", ""), limit=limits.memory, now=now),
            periods=memory.PERIODS,
            steps=steps,
            ended=ended,
            held=self.held({job for job in (runspace.job, ended, *(step.job for step in steps)) if job}),
            work=self.work(runspace) if runspace.jobs_run else None,
            history_link=self.history_link(runspace),
            now=now,
        )

    def close(self, request: HttpRequest, object_id: int) -> HttpResponse:
        runspace = self.row(request, str(object_id))
        permissions.require(request.user, "runspace.close")
        page = self.url("change", runspace.pk)
        held = self.held({runspace.job}).get(runspace.job) if runspace.job else None
        if request.method != "POST":
            question = close_question(runspace, held, self.url("close", runspace.pk), page)
            return self.page(
                request, "pages/confirm.html", f"Close runspace {runspace.pk}", question=question
            )

        def act() -> str:
            closed = closing.request_close(
                runspace.pk,
                confirmation=request.POST.get("confirmation", ""),
                by=Actor.of(request),
                now=timezone.now(),
            )
            what = name_of(closed, held)
            ends = f"the job {what}, which it runs, ends with it" if what else "it runs no job"
            return f"Runspace {runspace.pk} is told to close; {ends}."

        return carry_out(request, "runspace.close", act, back=page)


def _alerts(request: HttpRequest) -> list[warnings.Alert]:
    """What is wrong with any of them; looked for once a request."""
    known: list[warnings.Alert] | None = request.__dict__.get("_taskhub_runspace_alerts")
    if known is None:
        known = request.__dict__["_taskhub_runspace_alerts"] = warnings.alerts(timezone.now())
    return known


def shown_state(runspace: Runspace) -> str:
    """The row's state, or `closing` once somebody has asked for it."""
    asked = runspace.state == Runspace.State.OPENED and runspace.close_requested_at is not None
    return "closing" if asked else str(runspace.state)


def name_of(runspace: Runspace, held: Held | None) -> str:
    """The job it runs, by name if that is known; "" for none."""
    return "" if runspace.job is None else held.name if held else str(runspace.job)


def close_question(runspace: Runspace, held: Held | None, action: str, back: str) -> Question:
    age = timezone.now() - runspace.opened_at
    hours, minutes = age.seconds // 3600, age.seconds % 3600 // 60
    runs = name_of(runspace, held)
    of_job = [
        f"end the job {runs}, which it runs, as lost or stopped",
        "lose what that job has not saved",
        "leave files, locks or connections of that job behind",
    ]
    return Question(
        title=f"Force close runspace {runspace.pk}?",
        text="This cannot be undone. It may",
        verb="Force close",
        keep="Cancel",
        action=action,
        back=back,
        typed=str(runspace.pk),
        danger=True,
        facts=[
            ("Pool", runspace.pool),
            ("Serves", serving.words([runspace]).get(runspace.pk, "nobody yet")),
            ("Age", f"{age.days} d {hours} h" if age.days else f"{hours} h {minutes} min"),
            ("Runs", runs or "nothing"),
        ],
        consequences=of_job if runs else ["end a job that begins in it meanwhile"],
    )
