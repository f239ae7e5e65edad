"""Moves the engine makes with sets of jobs inside its transaction, up to their ends."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from taskhub.core import failpoints

from ..engine import sql
from ..states import JobState, Reason
from .ends import ending, finish


class Handover(NamedTuple):
    """A job that shall go to a runspace."""

    job: str
    runspace: int


class Claimed(NamedTuple):
    """A job that now belongs to a runspace; `job` is 32 hex digits."""

    job: str
    runspace: int
    attempt: int
    fence: int
    public_id: str
    language: str
    app: str
    task: int | None
    pool: str
    owner: int | None
    source: str
    trigger: str
    due_at: datetime | None
    timeout: int
    kill_on_timeout: bool
    max_attempts: int
    backoff: float
    jitter: bool
    idempotent: bool
    reuse: bool
    expires_at: datetime | None


_CLAIMED = (
    "uuid, runspace, attempt, fence, public_id, language, app, task_id, pool, owner_id, source, trigger, due_at, "
    "timeout, kill_on_timeout, max_attempts, backoff, jitter, idempotent, reuse, expires_at"
)
_HANDOVER: sql.Columns = (("v_job", "uuid"), ("v_runspace", "bigint"))


def claim(handovers: Sequence[Handover], *, engine: int, now: datetime) -> list[Claimed]:
    """Give waiting jobs to runspaces: fence + 1, state still queued. Returns those that were free."""
    source, parameters = sql.rows_as_table(_HANDOVER, handovers)
    cursor = sql.run(
        f"UPDATE jobs_app_job SET runspace = v_runspace, engine = ?, claimed_at = ?, fence = fence + 1 FROM {source} "
        f"WHERE uuid = v_job AND {sql.unindexed('state')} = 'queued' AND {sql.unindexed('runspace')} IS NULL "
        f"AND {sql.unindexed('held')} = '' "
        f"RETURNING {_CLAIMED}",
        [engine, now, *parameters],
    )
    found = [
        Claimed._make((sql.hex_of(row[0]), *row[1:12], sql.moment(row[12]), *row[13:20], sql.moment(row[20])))
        for row in cursor.fetchall()
    ]
    failpoints.hit("lifecycle.claim")
    return found


class Begun(NamedTuple):
    job: str
    attempt: int
    fence: int
    started_at: datetime


_BEGUN: sql.Columns = (
    ("v_job", "uuid"),
    ("v_attempt", "int"),
    ("v_fence", "bigint"),
    ("v_at", "timestamptz"),
)


def begin(begun: Sequence[Begun]) -> list[str]:
    """Move claimed jobs to running with their true start; returns those that moved."""
    source, parameters = sql.rows_as_table(_BEGUN, begun)
    cursor = sql.run(
        f"UPDATE jobs_app_job SET state = 'running', started_at = v_at, percent = 0, status_message = 'Running', "
        f"progress_at = v_at FROM {source} WHERE uuid = v_job AND {sql.unindexed('state')} = 'queued' "
        f"AND attempt = v_attempt AND fence = v_fence AND {sql.unindexed('runspace')} IS NOT NULL RETURNING uuid",
        parameters,
    )
    moved = [sql.hex_of(row[0]) for row in cursor.fetchall()]
    failpoints.hit("lifecycle.begin")
    return moved


class Advanced(NamedTuple):
    job: str
    fence: int
    percent: float
    message: str
    at: datetime


_ADVANCED: sql.Columns = (
    ("v_job", "uuid"), ("v_fence", "bigint"), ("v_percent", "float8"), ("v_message", "text"), ("v_at", "timestamptz"),
)  # fmt: skip


def advance(progress: Sequence[Advanced]) -> None:
    """Write percent and message of running jobs."""
    source, parameters = sql.rows_as_table(_ADVANCED, progress)
    sql.run(
        f"UPDATE jobs_app_job SET percent = v_percent, status_message = v_message, progress_at = v_at FROM {source} "
        f"WHERE uuid = v_job AND {sql.unindexed('state')} = 'running' AND fence = v_fence",
        parameters,
    )


class Returned(NamedTuple):
    job: str
    attempt: int
    fence: int


_RETURNED: sql.Columns = (("v_job", "uuid"), ("v_attempt", "int"), ("v_fence", "bigint"))


def give_back(returned: Sequence[Returned]) -> list[Returned]:
    """Jobs that were handed out and never began wait again, without having used an attempt.

    Returns:
        Those that were asked to stop meanwhile; the caller ends them.
    """
    source, parameters = sql.rows_as_table(_RETURNED, returned)
    cursor = sql.run(
        f"UPDATE jobs_app_job SET runspace = NULL, claimed_at = NULL FROM {source} WHERE uuid = v_job "
        f"AND {sql.unindexed('state')} = 'queued' AND attempt = v_attempt AND fence = v_fence "
        # The bare column: SQLite 3.40 answers any `IS NOT NULL` behind UPDATE … FROM … RETURNING with 1.
        "RETURNING uuid, attempt, fence, cancel_requested_at",
        parameters,
    )
    failpoints.hit("lifecycle.give_back")
    return [Returned(sql.hex_of(row[0]), row[1], row[2]) for row in cursor.fetchall() if row[3] is not None]


def moved_by_time(*, now: datetime) -> bool:
    """Whether `release_retries` or `expire` would find anything."""
    cursor = sql.run(
        "SELECT EXISTS (SELECT 1 FROM jobs_app_job WHERE held = 'retry' AND available_at <= ?) "
        "OR EXISTS (SELECT 1 FROM jobs_app_job WHERE expires_at <= ? AND finished_at IS NULL)",
        [now, now],
    )
    return bool(cursor.fetchone()[0])


def release_retries(*, now: datetime, most: int = 500) -> int:
    """Let jobs whose back-off is over go on: ad-hoc ones to a claim, runs of tasks to the limit.

    Returns:
        How many.
    """
    cursor = sql.run(
        "UPDATE jobs_app_job SET held = CASE WHEN task_id IS NULL THEN '' ELSE 'limit' END "
        "WHERE uuid IN (SELECT uuid FROM jobs_app_job WHERE held = 'retry' "
        "AND available_at <= ? ORDER BY available_at LIMIT ?) AND held = 'retry'",
        [now, most],
    )
    return int(cursor.rowcount)


def expire(*, now: datetime, most: int = 500) -> int:
    """Stop waiting jobs whose time is over; running ones are the watchdog's. Returns how many ended."""
    cursor = sql.run(
        "SELECT uuid, attempt, fence FROM jobs_app_job WHERE expires_at <= ? AND finished_at IS NULL "
        f"AND state IN ('created', 'queued') AND runspace IS NULL LIMIT ? {sql.locked_rows()}",
        [now, most],
    )
    due = cursor.fetchall()
    if not due:
        return 0
    ends = [
        ending(sql.hex_of(job), attempt, fence, JobState.STOPPED, Reason.EXPIRED, now=now, imposed=True,
               error_message="Its time was over before it started.")
        for job, attempt, fence in due
    ]  # fmt: skip
    sql.run("UPDATE jobs_app_job SET state = 'queued', queued_at = COALESCE(queued_at, ?) "
            "WHERE state = 'created' AND expires_at <= ?", [now, now])  # fmt: skip
    return len(finish(ends))
