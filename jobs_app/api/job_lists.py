"""Which jobs and executions a filter means."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from jobs_app import states
from jobs_app.models import Execution, Job
from taskhub.core.errors import BadInput
from tasks_app.models import Task

# Seconds by which the time inside a UUIDv7 may run ahead of the row's: its counter borrows from it.
_SLACK = 2.0


def jobs(rows: "QuerySet[Job]", query: dict[str, Any]) -> "QuerySet[Job]":
    """The jobs that all given filters let through, newest first."""
    for name in ("app", "pool", "language", "reason"):
        if name in query:
            rows = rows.filter(**{name: query[name]})
    if "state" in query:
        rows = rows.filter(state__in=_states(query["state"]))
    if "owner" in query:
        rows = rows.filter(owner=_user(query["owner"]))
    if "task" in query:
        rows = rows.filter(task__in=_tasks(query["task"]))
    if "parent" in query:
        rows = rows.filter(parent__in=list(_by_id(query["parent"])))
    if "search" in query:
        rows = rows.filter(_named(query["search"]))
    if "created_after" in query:
        rows = rows.filter(created_at__gte=query["created_after"])
        # The key grows with the time, and only the key has an index.
        rows = rows.filter(uuid__gte=_first_uuid(query["created_after"], -_SLACK))
    if "created_before" in query:
        rows = rows.filter(created_at__lt=query["created_before"])
        rows = rows.filter(uuid__lt=_first_uuid(query["created_before"], _SLACK))
    return rows.order_by("-uuid")


def executions(rows: "QuerySet[Execution]", query: dict[str, Any]) -> "QuerySet[Execution]":
    """The executions that all given filters let through, newest first."""
    for name in ("app", "status"):
        if name in query:
            rows = rows.filter(**{name: query[name]})
    if "owner" in query:
        rows = rows.filter(owner=_user(query["owner"]))
    if "task" in query:
        rows = rows.filter(task__in=_tasks(query["task"]))
    if "job" in query:
        rows = rows.filter(_job_of_history(query["job"]))
    if "search" in query:
        rows = rows.filter(name__icontains=query["search"])
    if "finished_after" in query:
        rows = rows.filter(finished_at__gte=query["finished_after"])
    if "finished_before" in query:
        rows = rows.filter(finished_at__lt=query["finished_before"])
    return rows.order_by("-id")


def _states(text: str) -> list[str]:
    found: set[str] = set()
    for word in text.split(","):
        meant = states.states_named(word)
        if not meant:
            known = ", ".join([*states.JobState.values, "NotStarted", "Success", "Aborted", "Terminated"])
            raise BadInput(
                f"state: expected one of {known}, got {word.strip()[:40]!r}",
                fields={"state": f"one of {known}"},
            )
        found |= set(meant)
    return sorted(found)


def _named(text: str) -> Q:
    return Q(name__icontains=text) | Q(public_id__icontains=text)


def _user(name: str) -> int:
    """The user's key; of an unknown one a key that nobody has."""
    users = get_user_model().objects
    return users.filter(username=name).values_list("pk", flat=True).first() or -1


def _tasks(text: str) -> list[int]:
    """The keys of the tasks meant: one by its number, or all of that name, as `app/name` or `name`."""
    if text.isascii() and text.isdigit():
        return [int(text)] if len(text) < 19 else []
    app, slash, name = text.rpartition("/")
    tasks = Task.objects.filter(name=name, app=app) if slash else Task.objects.filter(name=name)
    return list(tasks.values_list("pk", flat=True))


def _by_id(text: str) -> "QuerySet[Job, UUID]":
    meant = Q(public_id=text.lower())
    if (uuid := as_uuid(text)) is not None:
        meant |= Q(pk=uuid)
    return Job.objects.filter(meant).values_list("pk", flat=True)


def _job_of_history(text: str) -> Q:
    """By uuid, which has an index; only an id of the caller's own whose job is gone has to be looked for."""
    if known := list(_by_id(text)):
        return Q(job__in=known)
    uuid = as_uuid(text)
    return Q(public_id=text.lower()) if uuid is None else Q(job=uuid)


def as_uuid(text: str) -> UUID | None:
    """The uuid a text spells, if it does."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _first_uuid(moment: datetime, slack: float) -> UUID:
    """The smallest UUIDv7 of a millisecond, `slack` seconds from then."""
    milliseconds = min(max(int((moment.timestamp() + slack) * 1000), 0), 2**48 - 1)
    return UUID(int=milliseconds << 80)
