"""The overview's numbers and short lists, as the live channel tells them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.urls import reverse
from rest_framework.fields import DateTimeField

from jobs_app.api import execution_views, job_shapes
from jobs_app.models import Engine, Execution, Job
from jobs_app.pages import figures
from jobs_app.states import JobState, Status
from runspaces_app.models import Runspace
from runspaces_app.pages import warnings
from tasks_app import selectors
from tasks_app.models import Task

DAY = timedelta(days=1)
# An engine beats every 5 s.
SILENT_AFTER = timedelta(seconds=15)
MOST_JOBS = 10
MOST_RUNS = 7
MOST_FAILURES = 5
MOST_ALERTS = 10
_OPEN = (JobState.CREATED, JobState.QUEUED, JobState.RUNNING)
_BAD_ENDS = ("failed", "lost", "terminated")
_instant = DateTimeField().to_representation


class Ended:
    """Counts what ended within a day: all of it now and then, in between only what came since.

    Executions get their ids in the order they end, so what is new lies behind the newest one counted.
    """

    COUNT_ANEW = timedelta(seconds=60)

    def __init__(self) -> None:
        self._counted_at: datetime | None = None
        self._newest = 0
        self._counts: dict[str, int] = {}

    def count(self, now: datetime) -> dict[str, int]:
        anew = self._counted_at is None or not timedelta() <= now - self._counted_at < self.COUNT_ANEW
        if anew:
            self._counted_at = now
            self._counts = {}
            self._newest = self._before(now - DAY)
        rows = Execution.objects.filter(pk__gt=self._newest).order_by().values_list("status")
        newest = self._newest
        for status, count, last in rows.annotate(count=Count("pk"), last=Max("pk")):
            self._counts[status] = self._counts.get(status, 0) + count
            newest = max(newest, last)
        self._newest = newest
        return {
            "ok": sum(self._counts.get(status, 0) for status in figures.OK),
            "bad": sum(self._counts.get(status, 0) for status in figures.BAD),
            "stopped": self._counts.get(Status.STOPPED, 0),
        }

    @staticmethod
    def _before(moment: datetime) -> int:
        rows = Execution.objects.filter(finished_at__gte=moment).order_by("finished_at", "pk")
        first = rows.values_list("pk", flat=True).first()
        if first is not None:
            return first - 1
        return Execution.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


class Overview:
    """Reads the whole; remembers only what makes counting cheap."""

    def __init__(self) -> None:
        self._ended = Ended()

    def read(self, now: datetime) -> dict[str, Any]:
        jobs = Job.objects.all()
        # One state at a time: each is a walk along the index (state, uuid).
        open_jobs = {state.value: jobs.filter(state=state).count() for state in _OPEN}
        row = {
            "open": open_jobs,
            "ended": self._ended.count(now),
            "tasks": _tasks(),
            "runspaces": _runspaces(now),
            "running": _lines(jobs.filter(state=JobState.RUNNING)) if open_jobs["running"] else [],
            "queued": _lines(jobs.filter(state=JobState.QUEUED)) if open_jobs["queued"] else [],
            "next": _next_runs(),
            "failures": _failures(now),
            "alerts": [_alert(alert) for alert in warnings.alerts(now)[:MOST_ALERTS]],
            "engine": {"beats": False, "last_beat_at": _last_beat()},
        }
        return at(row, now)


def at(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The same with what the clock alone changes: whether an engine still beats."""
    last = row["engine"]["last_beat_at"]
    beats = last is not None and now - datetime.fromisoformat(last) <= SILENT_AFTER
    return row if beats == row["engine"]["beats"] else row | {"engine": row["engine"] | {"beats": beats}}


def _lines(jobs: "QuerySet[Job]") -> list[dict[str, Any]]:
    return [
        dict(job_shapes.JobLine(job).data) for job in job_shapes.lines(jobs.order_by("-uuid"))[:MOST_JOBS]
    ]


def _tasks() -> dict[str, int]:
    counts = Task.objects.filter(deleted=False).aggregate(
        all=Count("pk"),
        on=Count("pk", filter=Q(enabled=True)),
        failing=Count("pk", filter=Q(enabled=True, last_status__in=_BAD_ENDS)),
    )
    return {"total": counts["all"], "enabled": counts["on"], "failing": counts["failing"]}


def _runspaces(now: datetime) -> dict[str, int]:
    opened = Runspace.objects.filter(state=Runspace.State.OPENED).aggregate(
        open=Count("pk"),
        busy=Count("pk", filter=Q(availability=Runspace.Availability.BUSY)),
        memory=Sum("memory_bytes", default=0),
    )
    broken = Runspace.objects.filter(state=Runspace.State.BROKEN, closed_at__gte=now - DAY)
    return {**opened, "broken": broken.count()}


def _next_runs() -> list[dict[str, Any]]:
    return [
        {
            "task": task.pk,
            "name": task.name,
            "app": task.app,
            "due_at": _instant(task.next_due_at) if task.next_due_at else None,
        }
        for task in selectors.coming(most=MOST_RUNS)
    ]


def _failures(now: datetime) -> list[dict[str, Any]]:
    found: list[Execution] = []
    for status in figures.BAD:
        # One status at a time: each is a walk along the index (status, id).
        newest = Execution.objects.filter(status=status).order_by("-pk")
        rows = execution_views.lines(newest)[:MOST_FAILURES]
        found.extend(row for row in rows if row.finished_at >= now - DAY)
    found.sort(key=lambda row: row.pk, reverse=True)
    return [dict(execution_views.ExecutionLine(row).data) for row in found[:MOST_FAILURES]]


def _alert(alert: warnings.Alert) -> dict[str, str]:
    return {
        "level": alert.warning.tone,
        "words": f"Runspace {alert.runspace.pk}: {alert.warning.words}",
        "address": reverse("admin:runspaces_app_runspace_change", args=[alert.runspace.pk]),
    }


def _last_beat() -> str | None:
    alive = Engine.objects.filter(state__in=(Engine.State.RUNNING, Engine.State.DRAINING))
    last = alive.order_by("-beat_at").values_list("beat_at", flat=True).first()
    return None if last is None else _instant(last)
