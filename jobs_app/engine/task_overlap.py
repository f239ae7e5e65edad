"""Runs of a task that wait for an earlier run of the same task, held back as `overlap`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from jobs_app import lifecycle
from jobs_app.errors import JobEnded, JobNotFound, NotCancellable
from taskhub.core import audit
from tasks_app.schedule import overlap
from tasks_app.schedule.overlap import Standing

from . import sql

_KEY: sql.Columns = (("v_task", "bigint"),)
# As the index of the open jobs of tasks has it.
_WAITS = "w.held = 'overlap' AND w.task_id IS NOT NULL AND w.finished_at IS NULL"
_OPEN = "o.task_id = w.task_id AND o.task_id IS NOT NULL AND o.finished_at IS NULL"


def standing(tasks: Sequence[int]) -> dict[int, Standing]:
    """What those of the tasks have under way that have a job which has not ended."""
    if not tasks:
        return {}
    source, parameters = sql.rows_as_table(_KEY, [(task,) for task in tasks])
    rows = sql.run(
        f"SELECT v_task, held, COUNT(*) FROM {source} JOIN jobs_app_job ON task_id = v_task "
        "WHERE task_id IS NOT NULL AND finished_at IS NULL AND held IN ('', 'limit', 'retry', 'overlap') "
        "GROUP BY v_task, held",
        parameters,
    )
    found: dict[int, Standing] = {}
    for task, held, jobs in rows.fetchall():
        before = found.get(task, overlap.IDLE)
        found[task] = before._replace(waiting=jobs) if held == "overlap" else before._replace(running=True)
    return found


def anyone_waits() -> bool:
    connection.ensure_connection()
    return sql.run(f"SELECT 1 FROM jobs_app_job w WHERE {_WAITS} LIMIT 1").fetchone() is not None


def let_go() -> int:
    """Let the eldest of each task go on to the limit once nothing else of the task is open.

    Inside a transaction with the lock of the limit.

    Returns:
        How many.
    """
    freed = sql.run(
        f"UPDATE jobs_app_job SET held = 'limit' WHERE uuid IN (SELECT w.uuid FROM jobs_app_job w WHERE {_WAITS} "
        f"AND NOT EXISTS (SELECT 1 FROM jobs_app_job o WHERE {_OPEN} AND (o.held <> 'overlap' OR o.uuid < w.uuid))) "
        "AND held = 'overlap' RETURNING uuid"
    ).fetchall()
    return len(freed)


def stop_previous(*, now: datetime) -> int:
    """Ask the earlier runs to stop where one waits whose task says `cancel_previous`.

    Found anew at each step, not told once: an engine that dies in between leaves nothing undone.

    Returns:
        How many were asked.
    """
    rows = sql.run(
        "SELECT DISTINCT o.uuid FROM jobs_app_job w JOIN tasks_app_task t ON t.id = w.task_id "
        f"JOIN jobs_app_job o ON {_OPEN} WHERE {_WAITS} AND t.overlap = '{overlap.CANCEL_PREVIOUS}' "
        "AND o.uuid < w.uuid AND o.cancel_requested_at IS NULL AND o.cancellable"
    ).fetchall()
    asked = 0
    for (uuid,) in rows:
        try:
            lifecycle.request_cancel(UUID(sql.hex_of(uuid)), by=audit.ENGINE, now=now)
        except (JobEnded, JobNotFound, NotCancellable):
            continue
        asked += 1
    return asked
