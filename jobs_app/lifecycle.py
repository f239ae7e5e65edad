"""The only place that writes a job's state.

Every move is one conditional UPDATE that names the state, attempt and fence it expects. If no row
moved, somebody else was first and nothing happened. The first half serves people and programs,
one job at a time; the second half serves the engine, a set of jobs at a time inside its transaction.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from taskhub.core import audit, failpoints, wake
from taskhub.core.audit import Actor

from .engine import sql
from .errors import JobEnded, JobNotFound, NotCancellable
from .models import Execution, Job, JobSpec
from .states import JobState, Reason, Status, history_status

BEFORE_START = "Cancelled before start"


# For people and programs


def start(uuid: UUID, *, by: Actor, now: datetime) -> bool:
    """Move a created job to queued; False, with nothing changed, if it is not created any more."""
    with transaction.atomic():
        moved = Job.objects.filter(pk=uuid, state=JobState.CREATED).update(
            state=JobState.QUEUED, queued_at=now
        )
        if not moved:
            return False
        audit.record(actor=by, action="job.start", object_type="job", object_id=str(uuid), now=now)
        transaction.on_commit(wake.wake_engines)
    return True


def request_cancel(
    uuid: UUID, *, by: Actor, kill_now: bool = False, override: bool = False, now: datetime
) -> Job:
    """Ask a job to stop; one that no runspace holds stops at once, without an answer from an engine.

    Args:
        kill_now: skip the grace.
        override: also a job that says it cannot be cancelled (the caller has checked the right).

    Raises:
        JobNotFound, JobEnded (with the state), NotCancellable.
    """
    with transaction.atomic():
        # On PostgreSQL the row is held until we are done; on SQLite the transaction holds all.
        job = Job.objects.select_for_update().filter(pk=uuid).first()
        if job is None:
            raise JobNotFound(f"id: expected the id of a job, got {uuid}")
        if job.is_terminal:
            raise JobEnded(
                f"state: expected a job that has not ended, got {job.state}", fields={"state": job.state}
            )
        if not job.cancellable and not override:
            raise NotCancellable(f"cancellable: expected a job that can be cancelled, got {job.public_id}")
        if not _stop_unclaimed(job, by=by, now=now):
            fresh = job.cancel_requested_at is None
            Job.objects.filter(pk=uuid, finished_at__isnull=True).update(
                cancel_requested_at=job.cancel_requested_at or now,
                cancel_now=job.cancel_now or kill_now,
                cancelled_by=job.cancelled_by or by.name,
            )
            if fresh or kill_now:
                transaction.on_commit(wake.wake_engines)
        audit.record(
            actor=by, action="job.kill" if kill_now else "job.cancel", object_type="job",
            object_id=str(uuid), before={"state": job.state}, now=now,
        )  # fmt: skip
        job.refresh_from_db()
    return job


def _stop_unclaimed(job: Job, *, by: Actor, now: datetime) -> bool:
    moved = Job.objects.filter(
        pk=job.pk, state__in=(JobState.CREATED, JobState.QUEUED), runspace__isnull=True
    ).update(
        state=JobState.STOPPED,
        reason=Reason.USER,
        held="",
        finished_at=now,
        cancel_requested_at=now,
        cancelled_by=by.name,
        status_message=BEFORE_START,
        progress_at=now,
        error_message=BEFORE_START,
    )
    if moved:
        job.refresh_from_db()
        Execution.objects.bulk_create([_execution_without_start(job, now)])
    return bool(moved)


def _execution_without_start(job: Job, now: datetime) -> Execution:
    return Execution(
        job=job.uuid, public_id=job.public_id, name=job.name, task=job.task_id, app=job.app, pool=job.pool,
        language=job.language, attempt=0 if job.attempt == 1 else job.attempt,
        status=history_status(job.state, job.reason), reason=job.reason, source=job.source, trigger=job.trigger,
        owner=job.owner_id, cancelled_by=job.cancelled_by, due_at=job.due_at, finished_at=now,
        error_message=job.error_message,
    )  # fmt: skip


def restart(
    job: Job, *, by: Actor, owner: AbstractBaseUser | None, source: str, trigger: str, now: datetime
) -> Job:
    """A new, queued job that does what an ended one was asked to do.

    Raises:
        JobStillOpen: it has not ended.
    """
    from .creation import NewJob, create
    from .errors import JobStillOpen

    if not job.is_terminal:
        raise JobStillOpen(
            f"state: expected a job that has ended, got {job.state}", fields={"state": job.state}
        )
    spec = JobSpec.objects.get(pk=job.pk)
    new = NewJob(
        language=job.language, code=spec.code, path=spec.path, app=job.app, name=job.name,
        description=job.description, parameters=json.loads(spec.parameters),
        environment=json.loads(spec.environment), pool=job.pool, priority=job.priority, timeout=job.timeout,
        cancellable=job.cancellable, max_attempts=job.max_attempts, backoff=job.backoff, idempotent=job.idempotent,
        kill_on_timeout=job.kill_on_timeout, reuse=job.reuse, task=job.task_id, restarted_from=job.uuid,
        callback=json.loads(spec.callback) if spec.callback else None,
    )  # fmt: skip
    return create(new, owner=owner, source=source, trigger=trigger, start=True, by=by, now=now)


# For the engine: sets of jobs, inside its transaction


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
    idempotent: bool
    reuse: bool
    expires_at: datetime | None


_CLAIMED = (
    "uuid, runspace, attempt, fence, public_id, language, app, task_id, pool, owner_id, source, trigger, due_at, "
    "timeout, kill_on_timeout, max_attempts, backoff, idempotent, reuse, expires_at"
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
        Claimed._make((sql.hex_of(row[0]), *row[1:12], sql.moment(row[12]), *row[13:19], sql.moment(row[19])))
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


class End(NamedTuple):
    """The end of one attempt as the engine understood it.

    Attributes:
        imposed: the engine ended it (time-out, expiry, shutdown), so a cancel request does not rename it.
        retry_at: when the next attempt may start; None for none.
        percent: None keeps what the row says.
        message: what the progress shall say; "" the default words of the state.
    """

    job: str
    attempt: int
    fence: int
    state: str
    reason: str
    imposed: bool
    retry_at: datetime | None
    started_at: datetime | None
    finished_at: datetime
    percent: float | None
    message: str
    exit_code: int | None
    output_bytes: int
    output_lines: int
    output_dropped: int
    output_preview: str
    survivors: str
    error_type: str
    error_message: str
    error_traceback: str
    result: str | None


class Closed(NamedTuple):
    """An attempt whose end was written: the row's part in it."""

    end: End
    state: str
    reason: str
    status: Status
    will_retry: bool
    cancelled: bool
    task: int | None


_END: sql.Columns = (
    ("v_job", "uuid"), ("v_attempt", "int"), ("v_fence", "bigint"), ("v_state", "text"), ("v_reason", "text"),
    ("v_imposed", "int"), ("v_retry_at", "timestamptz"), ("v_started_at", "timestamptz"),
    ("v_finished_at", "timestamptz"), ("v_percent", "float8"), ("v_message", "text"), ("v_exit_code", "int"),
    ("v_bytes", "bigint"), ("v_lines", "bigint"), ("v_dropped", "bigint"), ("v_survivors", "text"),
    ("v_error_type", "text"), ("v_error_message", "text"), ("v_error_traceback", "text"), ("v_result", "text"),
)  # fmt: skip
_CANCELLED = "(cancel_requested_at IS NOT NULL AND v_imposed = 0)"
_AGAIN = "(v_retry_at IS NOT NULL AND cancel_requested_at IS NULL)"
_FINISH = f"""
    state = CASE WHEN {_AGAIN} THEN 'queued' WHEN {_CANCELLED} THEN 'stopped' ELSE v_state END,
    reason = CASE WHEN {_AGAIN} THEN '' WHEN {_CANCELLED} THEN 'user' ELSE v_reason END,
    held = CASE WHEN {_AGAIN} THEN 'retry' ELSE '' END,
    attempt = attempt + CASE WHEN {_AGAIN} THEN 1 ELSE 0 END,
    available_at = CASE WHEN {_AGAIN} THEN v_retry_at ELSE available_at END,
    runspace = CASE WHEN {_AGAIN} THEN NULL ELSE runspace END,
    started_at = CASE WHEN {_AGAIN} THEN NULL ELSE COALESCE(v_started_at, started_at) END,
    finished_at = CASE WHEN {_AGAIN} THEN NULL ELSE v_finished_at END,
    percent = CASE WHEN {_AGAIN} THEN 0 WHEN NOT {_CANCELLED} AND v_state = 'completed' THEN 100
              ELSE COALESCE(v_percent, percent) END,
    status_message = CASE WHEN {_AGAIN} THEN 'Not started' WHEN v_message <> '' THEN v_message
              WHEN {_CANCELLED} THEN 'Cancelled' WHEN v_state = 'completed' THEN 'Completed'
              WHEN v_state = 'failed' THEN 'Failed' ELSE 'Cancelled' END,
    progress_at = v_finished_at, exit_code = v_exit_code,
    output_bytes = v_bytes, output_lines = v_lines, output_dropped = v_dropped, survivors = v_survivors,
    error_type = v_error_type, error_message = v_error_message, error_traceback = v_error_traceback,
    result = v_result
"""
_HISTORY: sql.Columns = (
    ("job", "uuid"), ("public_id", "text"), ("name", "text"), ("task", "bigint"), ("app", "text"), ("pool", "text"),
    ("runspace", "bigint"), ("language", "text"), ("attempt", "int"), ("status", "text"), ("reason", "text"),
    ("source", "text"), ("trigger", "text"), ("owner", "bigint"), ("cancelled_by", "text"),
    ("due_at", "timestamptz"), ("started_at", "timestamptz"), ("finished_at", "timestamptz"), ("exit_code", "int"),
    ("output_bytes", "bigint"), ("output_lines", "bigint"), ("output_preview", "text"), ("error_type", "text"),
    ("error_message", "text"),
)  # fmt: skip


def finish(ends: Sequence[End]) -> list[Closed]:
    """End attempts: terminal, or queued again for a retry, with one Execution row each.

    An end whose attempt or fence is not the row's any more changes nothing and is not returned.
    """
    rows = [
        (
            e.job, e.attempt, e.fence, e.state, e.reason, int(e.imposed), e.retry_at, e.started_at, e.finished_at,
            e.percent, e.message, e.exit_code, e.output_bytes, e.output_lines, e.output_dropped, e.survivors,
            e.error_type, e.error_message, e.error_traceback, e.result,
        )
        for e in ends
    ]  # fmt: skip
    source, parameters = sql.rows_as_table(_END, rows)
    cursor = sql.run(
        f"UPDATE jobs_app_job SET {_FINISH} FROM {source} WHERE uuid = v_job "
        f"AND {sql.unindexed('state')} IN ('queued', 'running') AND attempt = v_attempt AND fence = v_fence "
        "RETURNING uuid, state, reason, public_id, name, task_id, app, pool, language, source, trigger, owner_id, "
        "cancelled_by, due_at, runspace, cancel_requested_at, started_at",
        parameters,
    )
    moved = {sql.hex_of(row[0]): row for row in cursor.fetchall()}
    failpoints.hit("lifecycle.finish")
    closed: list[Closed] = []
    history: list[tuple[Any, ...]] = []
    for end in ends:
        row = moved.get(end.job)
        if row is None:
            continue
        again = row[1] == JobState.QUEUED
        state, reason = (end.state, end.reason) if again else (row[1], row[2])
        status = history_status(state, reason)
        started = end.started_at or sql.moment(row[16])
        closed.append(
            Closed(end, state, reason, status, again, row[15] is not None and not end.imposed, row[5])
        )
        history.append((
            end.job, row[3], row[4], row[5], row[6], row[7], row[14], row[8],
            _attempt_in_history(end.attempt, started), status, reason, row[9], row[10], row[11], row[12],
            sql.moment(row[13]), started, end.finished_at, end.exit_code, end.output_bytes, end.output_lines,
            end.output_preview, end.error_type, end.error_message,
        ))  # fmt: skip
    if history:
        sql.insert("jobs_app_execution", _HISTORY, history)
    failpoints.hit("lifecycle.history")
    return closed


def _attempt_in_history(attempt: int, started: datetime | None) -> int:
    return 0 if started is None and attempt == 1 else attempt


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


def ending(job: str, attempt: int, fence: int, state: str, reason: str, *, now: datetime, **more: Any) -> End:
    """An End with nothing to say but these."""
    values: dict[str, Any] = {
        "imposed": False, "retry_at": None, "started_at": None, "percent": None, "message": "", "exit_code": None,
        "output_bytes": 0, "output_lines": 0, "output_dropped": 0, "output_preview": "", "survivors": "",
        "error_type": "", "error_message": "", "error_traceback": "", "result": None,
    }  # fmt: skip
    return End(
        job=job, attempt=attempt, fence=fence, state=state, reason=reason, finished_at=now, **(values | more)
    )
