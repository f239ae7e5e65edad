"""What follows the end of an attempt, inside the transaction that wrote it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from jobs_app import task_outcomes
from jobs_app.lifecycle import Closed
from jobs_app.task_outcomes import EndedRun


def tell_tasks(closed: Sequence[Closed], *, now: datetime) -> None:
    """Let the tasks of these runs learn how they ended."""
    runs = [
        EndedRun(
            task=one.task, job=UUID(hex=one.end.job), attempt=one.end.attempt, state=one.state, reason=one.reason,
            status=one.status, started_at=one.end.started_at, finished_at=one.end.finished_at,
            will_retry=one.will_retry, cancelled=one.cancelled,
        )
        for one in closed
        if one.task is not None
    ]  # fmt: skip
    if runs:
        task_outcomes.record(runs, now=now)
