"""What happened to a runspace from its opening to its end, from what its row and the audit log know."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from runspaces_app.models import Runspace
from taskhub.core.models import AuditEntry

# So many tries to close it are told, the newest.
MOST_TRIES = 5


class Step(NamedTuple):
    """One thing that happened.

    Attributes:
        state: whose word and shape it has.
        at: None for what has no moment of its own.
        notes: sentences.
        job: the job it is about.
        works: it is the one that tells of the jobs it ran.
    """

    state: str
    name: str
    at: datetime | None
    notes: Sequence[str] = ()
    job: UUID | None = None
    works: bool = False


class Try(NamedTuple):
    """Somebody asked to close it; `job` is what it ran then."""

    at: datetime
    actor: str
    done: bool
    message: str
    job: UUID | None


def tries(runspace: Runspace) -> list[Try]:
    """Who asked to close it, the oldest first. One statement."""
    rows = AuditEntry.objects.filter(
        object_type="runspace", object_id=str(runspace.pk), action="runspace.close"
    ).order_by("-pk")[:MOST_TRIES]
    return [
        Try(row.at, row.actor, row.result == "ok", row.message, _job(row.before)) for row in reversed(rows)
    ]


def steps(runspace: Runspace, tried: Sequence[Try], *, names: bool) -> list[Step]:
    """Everything that is known, in its order.

    Args:
        names: say who asked; the audit log is not for everybody.
    """
    opened = f"Pool {runspace.pool}, engine {runspace.engine}"
    found = [Step("opened", "Opened", runspace.opened_at, [opened])]
    if runspace.jobs_run:
        found.append(Step("completed", "Worked", None, works=True))
    found += [_tried(each, names) for each in tried if each.done or names]
    if runspace.close_requested_at is not None and not any(each.done for each in tried):
        found.append(Step("closing", "Asked to close", runspace.close_requested_at))
    if runspace.state == Runspace.State.OPENED:
        if runspace.close_requested_at is None:
            found.append(Step(runspace.availability, "Now", None, [_now(runspace)], runspace.job))
    else:
        word = "Broke" if runspace.state == Runspace.State.BROKEN else "Closed"
        why = runspace.close_reason or "no reason known"
        found.append(Step(runspace.state, word, runspace.closed_at, [sentence(why)]))
    return found


def ended_with(tried: Sequence[Try]) -> UUID | None:
    """The job that a request to close took with it."""
    return next((each.job for each in reversed(tried) if each.done), None)


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _tried(each: Try, names: bool) -> Step:
    notes = [f"By {each.actor}"] if names else []
    if not each.done:
        return Step("refused", "Close refused", each.at, [*notes, sentence(each.message)])
    return Step("closing", "Asked to close", each.at, notes, each.job)


def _now(runspace: Runspace) -> str:
    return "Runs a job" if runspace.job else "Waits for a job"


def _job(before: Any) -> UUID | None:
    """The job that an audit entry names; it was written by us, but long ago perhaps."""
    said = before.get("job") if isinstance(before, Mapping) else None
    try:
        return UUID(str(said)) if said else None
    except ValueError:
        return None
