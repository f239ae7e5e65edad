"""The ends of attempts: a terminal state or another try, with the row of the history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from taskhub.core import failpoints

from ..engine import sql
from ..states import JobState, Status, history_status, trigger_of


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
            _attempt_in_history(end.attempt, started), status, reason, row[9],
            trigger_of(row[10], end.attempt), row[11], row[12], sql.moment(row[13]), started, end.finished_at,
            end.exit_code, end.output_bytes, end.output_lines, end.output_preview, end.error_type,
            end.error_message,
        ))  # fmt: skip
    if history:
        sql.insert("jobs_app_execution", _HISTORY, history)
    failpoints.hit("lifecycle.history")
    return closed


def _attempt_in_history(attempt: int, started: datetime | None) -> int:
    return 0 if started is None and attempt == 1 else attempt


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
