"""How the lists of jobs and of the history can be narrowed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from jobs_app.states import JobState, Status
from runspaces_app import languages
from runspaces_app.models import Pool, Runspace
from taskhub.core.pages.choices import ChoiceFilter, asked_filter, by_field, choice_filter
from tasks_app.models import Task
from tasks_app.pages import task_names

from . import figures, history, runspace_runs

# So many names stand in a select; the search finds the others.
MOST = task_names.MOST

_PERIODS = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}


def first_uuid_of(moment: datetime) -> UUID:
    """The least UUIDv7 of a moment: what was created since has a greater one."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _periods(request: HttpRequest) -> list[tuple[str, str]]:
    return [(key, words) for key, (words, _) in _PERIODS.items()]


def _created_within(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(pk__gte=first_uuid_of(timezone.now() - _PERIODS[value][1]))


def _ended_within(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    since = timezone.now() - _PERIODS[value][1]
    first = figures.first_since(since)
    return rows.none() if first is None else rows.filter(pk__gte=first)


def _statuses(request: HttpRequest) -> list[tuple[str, str]]:
    return [("bad", "Failed, lost or terminated"), *Status.choices]


def _with_status(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(status__in=figures.BAD) if value == "bad" else rows.filter(status=value)


def _tasks(request: HttpRequest) -> list[tuple[str, str]]:
    return task_names.offered(request, deleted=True)


def _owners(request: HttpRequest) -> list[tuple[str, str]]:
    rows = User.objects.order_by("username").values_list("pk", "username")[:MOST]
    return [("mine", "Mine"), ("none", "Nobody (engine)"), *((str(key), name) for key, name in rows)]


def _owned(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    if value == "none":
        return rows.filter(owner__isnull=True)
    return rows.filter(owner=request.user.pk if value == "mine" else int(value))


def _pools(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, name) for name in Pool.objects.values_list("name", flat=True)]


def _languages(request: HttpRequest) -> list[tuple[str, str]]:
    return [(language.name, language.label) for language in languages.all()]


_STAMP = "%Y%m%dT%H%M"


def between(start: datetime, end: datetime) -> str:
    """A stretch of time on whole minutes of UTC as it stands in an address: `20260310T1100-20260310T1200`."""
    return f"{start.astimezone(UTC):{_STAMP}}-{end.astimezone(UTC):{_STAMP}}"


def _stretch(value: str) -> tuple[datetime, datetime] | None:
    """What `between` wrote; None for anything else."""
    begin, dash, end = value[:40].partition("-")
    try:
        start, last = (datetime.strptime(each, _STAMP).replace(tzinfo=UTC) for each in (begin, end))
    except ValueError:
        return None
    return (start, last) if dash and start < last else None


class BetweenFilter(ChoiceFilter):
    """The runs that one bar of a chart counts; it shows only where an address asks for it."""

    title = "Ended between"
    parameter_name = "between"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get("between", "")
        found = _stretch(value)
        return [(value, f"{found[0]:%d %b %H:%M} and {found[1]:%d %b %H:%M} UTC")] if found else []

    def has_output(self) -> bool:
        return bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        found = _stretch(self.value() or "")
        first = figures.first_since(found[0]) if found else None
        if found is None or first is None:
            return queryset.none()
        behind = figures.first_since(found[1])
        later = queryset.filter(pk__gte=first)
        return later if behind is None else later.filter(pk__lt=behind)


def _run_by(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    found = Runspace.objects.filter(pk=int(value)).first()
    return rows.none() if found is None else runspace_runs.only(rows, found, runspace_runs.stretch(found))


def _in_hand(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    return rows.filter(engine=int(value), runspace__isnull=False, finished_at__isnull=True)


def _apps(request: HttpRequest) -> list[tuple[str, str]]:
    names = Task.objects.exclude(app="").order_by("app").values_list("app", flat=True).distinct()[:MOST]
    return [(name, name) for name in names]


# What one runspace ran, and what an engine has handed to its runspaces.
RunspaceFilter = asked_filter("runspace", "Runspace", _run_by)
EngineFilter = asked_filter("engine", "In hand of engine", _in_hand)
StateFilter = by_field("state", "State", JobState.choices)
StatusFilter = choice_filter("status", "Status", _statuses, _with_status)
CreatedFilter = choice_filter("created", "Created", _periods, _created_within)
EndedFilter = choice_filter("ended", "Ended", _periods, _ended_within)
TaskFilter = choice_filter("task", "Task", _tasks, lambda rows, value, request: rows.filter(task=int(value)))
OwnerFilter = choice_filter("owner", "Owner", _owners, _owned)
HistoryOwnerFilter = choice_filter(
    "owner", "Owner", _owners, lambda rows, value, request: _owned(history.newest(rows), value, request)
)
AppFilter = choice_filter(
    "app", "App", _apps, lambda rows, value, request: history.newest(rows).filter(app=value)
)
PoolFilter = choice_filter("pool", "Pool", _pools, lambda rows, value, request: rows.filter(pool=value))
LanguageFilter = choice_filter(
    "language", "Language", _languages, lambda rows, value, request: rows.filter(language=value)
)
