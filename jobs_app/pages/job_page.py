"""What the page of one job tells: where it stands and why, what it was told, what came of it."""

import json
import re
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q

from jobs_app.models import Execution, Job, JobSpec
from jobs_app.states import Held, JobState, Reason
from taskhub.core import audit, permissions

MOST_CODE = 64 * 1024
# Marks that turn the direction of what follows: what is read would not be what was given.
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MOST_CHILDREN = 50

REASONS = {
    Reason.ERROR: "the script failed",
    Reason.MEMORY: "it used too much memory",
    Reason.OUTPUT: "its output could not be kept",
    Reason.LOST: "nobody was left to say how it ended",
    Reason.TIMEOUT: "its time limit was over",
    Reason.EXPIRED: "its time was over before it ended",
    Reason.USER: "somebody stopped it",
    Reason.SHUTDOWN: "Taskhub was shut down",
}


class Step(NamedTuple):
    """One state of the line: since when, and for how long (None while it lasts or if it is the end)."""

    state: str
    at: datetime | None
    seconds: float | None
    note: str = ""


def line_of_states(job: Job, now: datetime) -> list[Step]:
    """The states of the present attempt in order, each with the time spent in it."""
    moments: list[tuple[str, datetime]] = [("created", job.created_at)]
    if job.queued_at:
        moments.append(("queued", job.queued_at))
    if job.started_at:
        moments.append(("running", job.started_at))
    if job.finished_at:
        moments.append((job.state, job.finished_at))
    steps: list[Step] = []
    for index, (state, at) in enumerate(moments):
        following = moments[index + 1][1] if index + 1 < len(moments) else (None if job.is_terminal else now)
        seconds = None if following is None else max(0.0, (following - at).total_seconds())
        last = index + 1 == len(moments)
        shown = "stopping" if last and job.is_stopping and state == JobState.RUNNING else state
        note = REASONS.get(Reason(job.reason), "") if last and job.is_terminal and job.reason else ""
        steps.append(Step(shown, at, seconds, note))
    return steps


def why_waiting(job: Job) -> str:
    """Why a job that could run does not run yet; "" for any other."""
    if job.state == JobState.CREATED:
        return "Not started yet. It runs when somebody starts it."
    if job.state != JobState.QUEUED:
        return ""
    if job.runspace is not None:
        return "Handed to a runspace; it begins as soon as the job before it has ended."
    if job.held == Held.RETRY:
        when = f" at {job.available_at:%H:%M:%S} UTC" if job.available_at else ""
        return f"Attempt {job.attempt - 1} failed. Attempt {job.attempt} may start{when}."
    if job.held == Held.LIMIT:
        return "As many task jobs run as the setting “Max concurrent tasks” allows."
    if job.held == Held.OVERLAP:
        return "Waiting for an earlier run of the same task to end."
    ahead = (
        Job.objects.filter(pool=job.pool, state=JobState.QUEUED, runspace__isnull=True, held="")
        .filter(Q(priority__gt=job.priority) | Q(priority=job.priority, uuid__lt=job.uuid))
        .order_by()
        .count()
    )
    return f"Waiting for a free runspace of the pool {job.pool} ({ahead:,} ahead)."


class Told(NamedTuple):
    """What a job was asked to do, for those who may read code; secrets masked."""

    code: str
    cut: bool
    path: str
    parameters: str
    environment: dict[str, Any]


def told(job: Job) -> Told | None:
    spec = JobSpec.objects.filter(pk=job.pk).first()
    if spec is None:
        return None
    parameters = audit.masked(_object(spec.parameters))
    return Told(
        code=spec.code[:MOST_CODE],
        cut=len(spec.code) > MOST_CODE,
        path=spec.path,
        parameters=_written_out(parameters) if parameters else "",
        environment=audit.masked(_object(spec.environment)),
    )


def _written_out(parameters: dict[str, Any]) -> str:
    text = json.dumps(parameters, indent=2, ensure_ascii=False)
    return _TURNING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def may_read_output(user: AbstractBaseUser | AnonymousUser, job: Job) -> bool:
    """By role, or because it is his own job."""
    return permissions.allows(user, "output.view") or (job.owner_id is not None and job.owner_id == user.pk)


def page(job: Job, user: AbstractBaseUser | AnonymousUser, now: datetime) -> dict[str, Any]:
    """Context of the page beside the output."""
    children = list(
        Job.objects.filter(parent=job.pk).order_by("-uuid").only(*LIST_FIELDS)[: MOST_CHILDREN + 1]
    )
    related = {
        row.pk: row for row in Job.objects.filter(pk__in=_related(job)).only("uuid", "public_id", "name")
    }
    return {
        "job": job,
        "steps": line_of_states(job, now),
        "why": why_waiting(job),
        "has_error": bool(job.error_type or job.error_message or job.survivors),
        "told": told(job) if permissions.allows(user, "job.view_code") else None,
        "history": list(Execution.objects.filter(job=job.pk).order_by("-attempt").defer("output_preview")),
        "children": children[:MOST_CHILDREN],
        "more_children": len(children) > MOST_CHILDREN,
        "parent": related.get(job.parent_id) if job.parent_id else None,
        "restarted_from": related.get(job.restarted_from) if job.restarted_from else None,
    }


def _related(job: Job) -> list[Any]:
    return [key for key in (job.parent_id, job.restarted_from) if key]


# What a row of a list shows; the wide columns behind them are never read for a list.
LIST_FIELDS = (
    "uuid",
    "public_id",
    "name",
    "state",
    "reason",
    "attempt",
    "held",
    "language",
    "app",
    "task",
    "pool",
    "owner",
    "source",
    "created_at",
    "queued_at",
    "available_at",
    "started_at",
    "finished_at",
    "cancel_requested_at",
    "cancellable",
    "runspace",
    "percent",
    "status_message",
    "output_bytes",
    "output_lines",
)
