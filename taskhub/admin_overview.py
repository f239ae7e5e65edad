"""The overview: a sentence that says how things are, then the numbers behind it, each leading to its list.

Each panel is read by itself: one that cannot be read says so, and the others stay.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from jobs_app import selectors
from jobs_app.models import Execution, Job
from jobs_app.pages import figures, history
from jobs_app.pages.job_page import LIST_FIELDS
from jobs_app.states import JobState
from runspaces_app.models import Runspace
from runspaces_app.pages import warnings
from taskhub.admin_chart import bars
from taskhub.core import permissions
from tasks_app import selectors as task_selectors
from tasks_app.models import Task
from tasks_app.pages import schedules

DAY = timedelta(days=1)
MB = 1024 * 1024
SHOWN = 8
ALERTS = 6
FAILURES = 6
_JOBS = "admin:jobs_app_job_changelist"
_HISTORY = "admin:jobs_app_execution_changelist"
_TASKS = "admin:tasks_app_task_changelist"
_RUNSPACES = "admin:runspaces_app_runspace_changelist"
log = logging.getLogger("taskhub.web")
T = TypeVar("T")


class Link(NamedTuple):
    """Words with a number in them, and the list of what it counts; "" for words without one."""

    words: str
    address: str


class Card(NamedTuple):
    """A number, what it is out of, and what belongs to it, each with the list of what it counts.

    Attributes:
        value: "" if it could not be read.
        told_as: the number's name in the live channel.
    """

    label: str
    value: str
    link: str
    of: Link | None = None
    subs: Sequence[Link] = ()
    tone: str = ""
    told_as: str = ""


class Phrase(NamedTuple):
    """A part of the verdict, the list of what its number counts, and the sign behind it."""

    words: str
    link: str
    after: str


class Tasks(NamedTuple):
    """How many there are, are enabled, and are enabled although their last run failed."""

    all: int
    enabled: int
    failing: int


class Opened(NamedTuple):
    """How many runspaces are open, how many bytes they hold, and how many broke within a day."""

    all: int
    memory: int
    broken: int


def overview(request: HttpRequest) -> dict[str, Any]:
    """Context of the page; who may see only his own jobs gets those and nothing else.

    A panel that could not be read is None.
    """
    now = timezone.now()
    context: dict[str, Any] = {
        "open_jobs": _read("open jobs", lambda: _open_jobs(request.user)),
        "may_create": permissions.allows(request.user, "job.create"),
        "new_job_url": reverse("admin:jobs_app_job_add"),
        "all": permissions.allows(request.user, "job.view"),
    }
    if not context["all"]:
        return context
    counts = _read("jobs", figures.open_jobs)
    day = _read("history", lambda: figures.ended_since(now - DAY))
    tasks = _read("tasks", _tasks)
    coming = _read("next runs", _coming)
    opened = _read("runspaces", lambda: _opened(now))
    alerts = _read("alerts", lambda: warnings.alerts(now))
    period = figures.PERIODS.get(request.GET.get("period", ""), figures.PERIODS["day"])
    return {
        **context,
        "first_steps": _read("first steps", _is_new),
        "verdict": _verdict(counts, day, tasks, opened),
        "cards": [_running(counts), _failed(day), _enabled(tasks, coming), _open_runspaces(opened)],
        "cards_unread": None in (counts, day, tasks, opened),
        "chart": _read("chart", lambda: bars(figures.by_size(now, size=period.size, count=period.bars))),
        "period": period,
        "periods": figures.PERIODS.values(),
        "alerts": None if alerts is None else alerts[:ALERTS],
        "more_alerts": max(0, len(alerts or ()) - ALERTS),
        "next_runs": coming,
        "failures": _read("failures", lambda: _failures(now)),
    }


def _read(panel: str, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception:
        log.exception("panel=%s: could not be read", panel)
        return None


# The sentence


def _verdict(
    counts: dict[str, int] | None, day: figures.Ended | None, tasks: Tasks | None, opened: Opened | None
) -> list[Phrase]:
    if counts is None or day is None or tasks is None or opened is None:
        return [Phrase("Not everything could be read", "", ".")]
    return verdict(running=counts["running"], bad=day.bad, failing=tasks.failing, broken=opened.broken)


def verdict(*, running: int, bad: int, failing: int, broken: int) -> list[Phrase]:
    """How things are, worst first, in one sentence."""
    troubles = []
    if failing:
        words = (
            "1 task failed in its last run" if failing == 1 else f"{failing:,} tasks failed in their last run"
        )
        troubles.append((words, reverse(_TASKS) + "?status=enabled&last=bad"))
    elif bad:
        words = f"{_count(bad, 'run')} failed in the last 24 hours"
        troubles.append((words, reverse(_HISTORY) + "?status=bad&ended=day"))
    if broken:
        troubles.append(
            (f"{_count(broken, 'runspace')} broke", reverse(_RUNSPACES) + "?state=broken&ended=day")
        )
    now = f"{_count(running, 'job')} running" if running else "nothing running"
    last = Phrase(now, reverse(_JOBS) + "?state=running" if running else "", ".")
    if not troubles:
        return [Phrase("All quiet: no failures in the last 24 hours", "", ", "), last]
    *others, worst = [Phrase(words, link, ", ") for words, link in troubles]
    return [*others, worst._replace(after="; "), last]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


# What the panels show


def _open_jobs(user: User | AnonymousUser) -> list[Job]:
    return list(
        selectors.visible_jobs(user)
        .filter(state__in=(JobState.RUNNING, JobState.QUEUED))
        .select_related("task", "owner")
        .only(*LIST_FIELDS, "task__name", "task__app", "owner__username")
        # "running" sorts behind "queued", and each state is one walk along its index.
        .order_by("-state", "-uuid")[:SHOWN]
    )


def _is_new() -> bool:
    return not Job.objects.exists() and not Task.objects.filter(last_run_at__isnull=False).exists()


def _tasks() -> Tasks:
    bad = Q(enabled=True, last_status__in=figures.BAD)
    found = Task.objects.filter(deleted=False).aggregate(
        all=Count("pk"), on=Count("pk", filter=Q(enabled=True)), bad=Count("pk", filter=bad)
    )
    return Tasks(all=found["all"], enabled=found["on"], failing=found["bad"])


def _coming() -> list[Task]:
    coming = task_selectors.coming(most=7)
    for task in coming:
        task.schedule_words = schedules.words(task)  # type: ignore[attr-defined] # for the template
    return coming


def _opened(now: datetime) -> Opened:
    found = Runspace.objects.filter(state=Runspace.State.OPENED).aggregate(
        all=Count("pk"), memory=Sum("memory_bytes", default=0)
    )
    return Opened(broken=len(warnings.broken(now)), **found)


def _failures(now: datetime) -> list[Execution]:
    found = figures.recent_failures(now - DAY, most=FAILURES)
    history.add_names(found)
    ended = Job.objects.filter(pk__in={run.job for run in found}, finished_at__isnull=False)
    known = set(ended.values_list("pk", flat=True))
    for run in found:
        run.can_repeat = run.job in known  # type: ignore[attr-defined] # for the template
    return found


# The cards


def _running(counts: dict[str, int] | None) -> Card:
    link = reverse(_JOBS)
    if counts is None:
        return Card("Running now", "", link + "?state=running")
    return Card(
        "Running now",
        f"{counts['running']:,}",
        link + "?state=running",
        subs=[Link(f"{counts['queued']:,} queued", link + "?state=queued")],
        told_as="running",
    )


def _failed(day: figures.Ended | None) -> Card:
    link = reverse(_HISTORY)
    if day is None:
        return Card("Failed, 24 h", "", link + "?status=bad&ended=day")
    decided = day.ok + day.bad
    words = f"{100 * day.ok / decided:.1f} % success" if decided else "no runs yet"
    return Card(
        "Failed, 24 h",
        f"{day.bad:,}",
        link + "?status=bad&ended=day",
        subs=[Link(words, link + "?status=success&ended=day" if decided else "")],
        tone="red" if day.bad else "",
    )


def _enabled(tasks: Tasks | None, coming: list[Task] | None) -> Card:
    link = reverse(_TASKS)
    if tasks is None:
        return Card("Tasks enabled", "", link + "?status=enabled")
    first = Link("none is due", "")
    if coming:
        first = Link(f"next: {coming[0].name}", reverse("admin:tasks_app_task_change", args=[coming[0].pk]))
    return Card(
        "Tasks enabled",
        f"{tasks.enabled:,}",
        link + "?status=enabled",
        of=Link(f"{tasks.all:,}", link),
        subs=[first],
    )


def _open_runspaces(opened: Opened | None) -> Card:
    link = reverse(_RUNSPACES)
    if opened is None:
        return Card("Runspaces open", "", link)
    subs = [Link(f"{opened.memory / MB:,.0f} MB", link)]
    if opened.broken:
        subs.append(Link(f"{opened.broken:,} broken", link + "?state=broken&ended=day"))
    return Card("Runspaces open", f"{opened.all:,}", link, subs=subs)
