"""Runs of a task that wait for an earlier run of the same task, held back as `overlap`."""

from collections.abc import Collection, Mapping, Sequence
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
_UUID: sql.Columns = (("v_uuid", "uuid"),)
_JOB, _TASK = "jobs_app_job", "JOIN tasks_app_task t ON t.id = w.task_id"
# As the index of the open jobs of tasks has it.
_WAITS = "w.held = 'overlap' AND w.task_id IS NOT NULL AND w.finished_at IS NULL"


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


def waiting() -> dict[int, str]:
    """The tasks that have a run waiting for another, and what each says of overlaps."""
    connection.ensure_connection()
    rows = sql.run(f"SELECT DISTINCT w.task_id, t.overlap FROM {_JOB} w {_TASK} WHERE {_WAITS}")
    return dict(rows.fetchall())


def let_go(tasks: Collection[int]) -> int:
    """Let the eldest of each task go on to the limit once nothing else of the task is open.

    Inside a transaction with the lock of the limit.

    Returns:
        How many.
    """
    found = standing(list(tasks))
    idle = [(task,) for task, stands in found.items() if stands.waiting and not stands.running]
    if not idle:
        return 0
    source, parameters = sql.rows_as_table(_KEY, idle)
    rows = sql.run(
        f"SELECT w.task_id, w.uuid FROM {source} JOIN {_JOB} w ON w.task_id = v_task WHERE {_WAITS}",
        parameters,
    ).fetchall()
    eldest: dict[int, UUID] = {}
    for task, uuid in rows:
        job = UUID(sql.hex_of(uuid))
        eldest[task] = min(job, eldest.get(task, job))
    source, parameters = sql.rows_as_table(_UUID, [(job,) for job in eldest.values()])
    return len(
        sql.run(
            f"UPDATE {_JOB} SET held = 'limit' FROM {source} WHERE uuid = v_uuid "
            f"AND {sql.unindexed('held')} = 'overlap' AND {sql.unindexed('state')} = 'queued' RETURNING uuid",
            parameters,
        ).fetchall()
    )


def stop_previous(tasks: Mapping[int, str], *, now: datetime) -> int:
    """Ask the earlier runs to stop where one waits whose task says `cancel_previous`.

    Found anew at each step, not told once: an engine that dies in between leaves nothing undone.

    Returns:
        How many were asked.
    """
    taking_over = [(task,) for task, policy in tasks.items() if policy == overlap.CANCEL_PREVIOUS]
    if not taking_over:
        return 0
    source, parameters = sql.rows_as_table(_KEY, taking_over)
    rows = sql.run(
        f"SELECT o.uuid FROM {source} JOIN {_JOB} o ON o.task_id = v_task "
        "WHERE o.task_id IS NOT NULL AND o.finished_at IS NULL AND o.cancel_requested_at IS NULL AND o.cancellable "
        f"AND EXISTS (SELECT 1 FROM {_JOB} w WHERE w.task_id = v_task AND {_WAITS} AND w.uuid > o.uuid)",
        parameters,
    ).fetchall()
    asked = 0
    for (uuid,) in rows:
        try:
            lifecycle.request_cancel(UUID(sql.hex_of(uuid)), by=audit.ENGINE, now=now)
        except (JobEnded, JobNotFound, NotCancellable):
            continue
        asked += 1
    return asked
