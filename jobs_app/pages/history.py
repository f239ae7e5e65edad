"""Lists of jobs and of their history: searching, the figures on top, names for plain ids."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Max, Q, QuerySet
from django.urls import reverse

from jobs_app.models import Execution, Job
from taskhub.core.pages.admin import Figure
from tasks_app.models import Task

from . import figures

# A text can be anywhere in a name, and a rare owner or app too has no index to be found by: for these
# the newest so many rows are looked at.
NEWEST = 100_000


def search_jobs(rows: QuerySet[Job], text: str) -> QuerySet[Job]:
    """By uuid, by the beginning of the id, or by a part of the name."""
    text = text.strip()
    if (uuid := _uuid(text)) is not None:
        return rows.filter(Q(pk=uuid) | Q(public_id=text.lower()))
    return rows.filter(Q(public_id__startswith=text.lower()) | Q(name__icontains=text))


def search_executions(rows: QuerySet[Execution], text: str) -> QuerySet[Execution]:
    """By the job's uuid in all of the history, else by id or name among its newest rows."""
    text = text.strip()
    if (uuid := _uuid(text)) is not None:
        return rows.filter(job=uuid)
    return newest(rows).filter(Q(public_id__startswith=text.lower()) | Q(name__icontains=text))


def newest(rows: QuerySet[Execution]) -> QuerySet[Execution]:
    """Those of them among the newest rows of the history, for what no index serves."""
    return rows.filter(pk__gt=_last() - NEWEST)


def has_older() -> bool:
    """Whether the history holds more than such a search looks at."""
    return _last() > NEWEST


def _last() -> int:
    return Execution.objects.aggregate(last=Max("pk"))["last"] or 0


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def job_figures(now: datetime) -> list[Figure]:
    """All, running, queued, and what ended within the hour."""
    open_now = figures.open_jobs()
    past = reverse("admin:jobs_app_execution_changelist")
    hour = figures.ended_since(now - timedelta(hours=1))
    return [
        Figure("Jobs", f"{figures.all_jobs():,}", "?"),
        Figure("Running", f"{open_now['running']:,}", "?state=running"),
        Figure("Queued", f"{open_now['queued']:,}", "?state=queued"),
        Figure("Completed, last hour", f"{hour.ok:,}", f"{past}?status=success&ended=hour"),
        Figure(
            "Failed, last hour", f"{hour.bad:,}", f"{past}?status=bad&ended=hour", "red" if hour.bad else ""
        ),
    ]


def execution_figures(now: datetime) -> list[Figure]:
    """What ended within a day, and how much of it well."""
    day = figures.ended_since(now - timedelta(days=1))
    decided = day.ok + day.bad
    rate = f"{100 * day.ok / decided:.1f} %" if decided else "none yet"
    return [
        Figure("Success, 24 h", f"{day.ok:,}", "?status=success&ended=day"),
        Figure(
            "Failed, lost, terminated, 24 h",
            f"{day.bad:,}",
            "?status=bad&ended=day",
            "red" if day.bad else "",
        ),
        Figure("Stopped, 24 h", f"{day.stopped:,}", "?status=stopped&ended=day"),
        Figure("Success rate", rate, "?ended=day"),
    ]


def add_names(rows: Iterable[Any]) -> None:
    """Give history rows the names behind their plain ids, as `task_name` and `owner_name`; two queries."""
    rows = list(rows)
    tasks = Task.objects.in_bulk({row.task for row in rows if row.task})
    owners = dict(
        User.objects.filter(pk__in={row.owner for row in rows if row.owner}).values_list("pk", "username")
    )
    for row in rows:
        row.task_name = str(tasks[row.task]) if row.task in tasks else ""
        row.owner_name = owners.get(row.owner, "")
