"""The overview: a sentence that says how things are, then the numbers behind it, each leading to its list."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from jobs_app import selectors
from jobs_app.models import Job
from jobs_app.pages import figures, history
from jobs_app.pages.job_page import LIST_FIELDS
from jobs_app.states import JobState
from runspaces_app.models import Runspace
from runspaces_app.pages import warnings
from taskhub.admin_chart import bars
from taskhub.core import permissions
from tasks_app.models import Task
from tasks_app.pages import schedules

DAY = timedelta(days=1)
SHOWN = 8
ALERTS = 6
FAILURES = 6
_JOBS = "admin:jobs_app_job_changelist"
_HISTORY = "admin:jobs_app_execution_changelist"
_TASKS = "admin:tasks_app_task_changelist"
_RUNSPACES = "admin:runspaces_app_runspace_changelist"


class Card(NamedTuple):
    """A number, what it is out of, one line more, and the list it counts.

    `told_as`: the name by which the live channel tells the number.
    """

    label: str
    value: str
    of: str
    sub: str
    link: str
    tone: str = ""
    told_as: str = ""


def overview(request: HttpRequest) -> dict[str, Any]:
    """Context of the page; who may see only his own jobs gets those and nothing else."""
    now = timezone.now()
    open_jobs = list(
        selectors.visible_jobs(request.user)
        .filter(state__in=(JobState.RUNNING, JobState.QUEUED))
        .select_related("task", "owner")
        .only(*LIST_FIELDS, "task__name", "task__app", "owner__username")
        # "running" sorts behind "queued", and each state is one walk along its index.
        .order_by("-state", "-uuid")[:SHOWN]
    )
    context: dict[str, Any] = {
        "open_jobs": open_jobs,
        "may_create": permissions.allows(request.user, "job.create"),
        "new_job_url": reverse("admin:jobs_app_job_add"),
        "all": permissions.allows(request.user, "job.view"),
    }
    if not context["all"]:
        return context
    counts = figures.open_jobs()
    day = figures.ended_since(now - DAY)
    alerts = warnings.alerts(now)
    tasks = _tasks(now)
    failing = tasks["failing"]
    failures = figures.recent_failures(now - DAY, most=FAILURES)
    history.add_names(failures)
    ended = Job.objects.filter(pk__in={run.job for run in failures}, finished_at__isnull=False)
    known = set(ended.values_list("pk", flat=True))
    for run in failures:
        run.can_repeat = run.job in known  # type: ignore[attr-defined] # for the template
    period = figures.PERIODS.get(request.GET.get("period", ""), figures.PERIODS["day"])
    return {
        **context,
        "first_steps": _is_new(),
        "verdict": verdict(
            running=counts["running"],
            bad=day.bad,
            failing=failing,
            broken=sum(a.warning.tone == "red" for a in alerts),
        ),
        "cards": _cards(counts, day, tasks, now),
        "chart": bars(figures.by_size(now, size=period.size, count=period.bars)),
        "period": period,
        "periods": figures.PERIODS.values(),
        "alerts": alerts[:ALERTS],
        "more_alerts": max(0, len(alerts) - ALERTS),
        "next_runs": tasks["next"],
        "failures": failures,
    }


def verdict(*, running: int, bad: int, failing: int, broken: int) -> str:
    """How things are, worst first, in one sentence."""
    troubles = []
    if failing:
        troubles.append(
            "1 task failed in its last run" if failing == 1 else f"{failing} tasks failed in their last run"
        )
    elif bad:
        troubles.append(f"{bad:,} {'run' if bad == 1 else 'runs'} failed in the last 24 hours")
    if broken:
        troubles.append(f"{broken} {'runspace' if broken == 1 else 'runspaces'} broke")
    now = f"{running:,} {'job' if running == 1 else 'jobs'} running" if running else "nothing running"
    if not troubles:
        return f"All quiet: no failures in the last 24 hours, {now}."
    return f"{', '.join(troubles)}; {now}.".capitalize()


def _is_new() -> bool:
    return not Job.objects.exists() and not Task.objects.filter(last_run_at__isnull=False).exists()


def _tasks(now: datetime) -> dict[str, Any]:
    known = Task.objects.filter(deleted=False)
    coming = list(
        known.filter(enabled=True, next_due_at__isnull=False)
        .order_by("next_due_at")
        .only("name", "app", "schedule", "at", "timezone", "next_due_at")[:7]
    )
    for task in coming:
        task.schedule_words = schedules.words(task)  # type: ignore[attr-defined] # for the template
    return {
        "all": known.count(),
        "enabled": known.filter(enabled=True).count(),
        "failing": known.filter(enabled=True, last_status__in=("failed", "lost", "terminated")).count(),
        "next": coming,
    }


def _cards(counts: dict[str, int], day: figures.Ended, tasks: dict[str, Any], now: datetime) -> list[Card]:
    opened = Runspace.objects.filter(state=Runspace.State.OPENED)
    memory = (opened.aggregate(total=Sum("memory_bytes"))["total"] or 0) / 1024 / 1024
    broken = len(warnings.broken(now))
    decided = day.ok + day.bad
    success = f"{100 * day.ok / decided:.1f} % success" if decided else "no runs yet"
    coming = tasks["next"]
    return [
        Card(
            "Running now",
            f"{counts['running']:,}",
            "",
            f"{counts['queued']:,} queued",
            reverse(_JOBS) + "?state=running",
            told_as="running",
        ),
        Card(
            "Failed, 24 h",
            f"{day.bad:,}",
            "",
            success,
            reverse(_HISTORY) + "?status=bad&ended=day",
            "red" if day.bad else "",
        ),
        Card(
            "Tasks enabled",
            f"{tasks['enabled']:,}",
            f"/ {tasks['all']:,}",
            f"next: {coming[0].name}" if coming else "none is due",
            reverse(_TASKS),
        ),
        Card(
            "Runspaces open",
            f"{opened.count():,}",
            "",
            f"{memory:,.0f} MB" + (f" · {broken} broken" if broken else ""),
            reverse(_RUNSPACES),
        ),
    ]
