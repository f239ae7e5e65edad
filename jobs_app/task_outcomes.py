"""What a task learns from the end of its runs: last run, failures in a row, and when to give up."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from jobs_app.states import Status
from taskhub.core import audit
from tasks_app.models import Task, TaskOverride

from .engine import sql

log = logging.getLogger("taskhub.engine")

FAILURES = frozenset({Status.FAILED, Status.LOST, Status.TERMINATED})


class EndedRun(NamedTuple):
    """An attempt of a task's job that has ended.

    Attributes:
        state, reason: of the job; `status`: of the attempt's history row.
        will_retry: another attempt follows, so nothing is decided about the job yet.
        cancelled: a person stopped it.
    """

    task: int
    job: UUID
    attempt: int
    state: str
    reason: str
    status: str
    started_at: datetime | None
    finished_at: datetime
    will_retry: bool
    cancelled: bool


class Standing(NamedTuple):
    """A task before these ends; `over`: its one due time has been decided, so nothing follows."""

    id: int
    enabled: bool
    failure_count: int
    max_failures: int | None
    last_run_at: datetime | None
    over: bool = False


class Outcome(NamedTuple):
    """A task after these ends."""

    id: int
    failure_count: int
    last_run_at: datetime | None
    last_status: str
    disable: bool
    gave_up: bool


_KEY: sql.Columns = (("v_id", "bigint"),)
_OUTCOME: sql.Columns = (
    ("v_id", "bigint"), ("v_failures", "int"), ("v_at", "timestamptz"), ("v_status", "text"),
    ("v_disable", "bool"),
)  # fmt: skip


def record(ended: list[EndedRun], *, now: datetime) -> None:
    """Write what the tasks of these runs learn, inside the transaction that ended them.

    The failure that reaches `max_failures` in a row disables the task, once, with an audit entry;
    so does the end of the run of a one-off time.
    """
    by_task: dict[int, list[EndedRun]] = {}
    for run in ended:
        by_task.setdefault(run.task, []).append(run)
    every = [outcome_of(task, by_task[task.id]) for task in _locked(by_task)]
    if not every:
        return
    source, parameters = sql.rows_as_table(_OUTCOME, [outcome[:-1] for outcome in every])
    sql.run(
        "UPDATE tasks_app_task SET failure_count = v_failures, last_run_at = v_at, last_status = v_status, "
        "enabled = CASE WHEN v_disable THEN FALSE ELSE enabled END, "
        "last_modified = CASE WHEN v_disable THEN ? ELSE last_modified END "
        f"FROM {source} WHERE id = v_id",
        [now, *parameters],
    )
    for outcome in every:
        if outcome.gave_up:
            _tell_gave_up(outcome, now)
        elif outcome.disable:
            _tell_over(outcome, now)


def outcome_of(task: Standing, runs: Sequence[EndedRun]) -> Outcome:
    """Count the runs in the order they ended.

    A success sets the count back; a run somebody stopped, and an attempt that is tried again,
    leave it as it is.
    """
    failures, reached, ended = task.failure_count, False, False
    last_run_at, last_status = task.last_run_at, ""
    for run in sorted(runs, key=lambda run: run.finished_at):
        began = run.started_at or run.finished_at
        last_run_at = began if last_run_at is None else max(last_run_at, began)
        last_status = str(run.status)
        ended = ended or not run.will_retry
        if run.status == Status.SUCCESS:
            failures = 0
        elif run.status in FAILURES and not run.will_retry and not run.cancelled:
            failures += 1
            reached = reached or (task.max_failures is not None and failures >= task.max_failures)
    gave_up = task.enabled and reached
    over = task.enabled and task.over and ended
    return Outcome(task.id, failures, last_run_at, last_status, gave_up or over, gave_up)


def _locked(tasks: Iterable[int]) -> list[Standing]:
    """The tasks as they stand, held until the transaction ends so that counts add up."""
    source, parameters = sql.rows_as_table(_KEY, [(task,) for task in sorted(tasks)])
    lock = "" if sql.is_sqlite() else "FOR UPDATE OF t"
    rows = sql.run(
        "SELECT t.id, t.enabled, t.failure_count, t.max_failures, t.last_run_at, "
        "t.at IS NOT NULL AND t.next_due_at IS NULL "
        f"FROM tasks_app_task t, {source} WHERE t.id = v_id ORDER BY t.id {lock}",
        parameters,
    ).fetchall()
    return [Standing(row[0], bool(row[1]), row[2], row[3], _utc(row[4]), bool(row[5])) for row in rows]


def _tell_gave_up(outcome: Outcome, now: datetime) -> None:
    """The rare end of the path: what a file says must not switch it on again at the next reload."""
    task = Task.objects.only("app", "name", "source", "max_failures").get(pk=outcome.id)
    if task.source != Task.Source.CUSTOM:
        TaskOverride.objects.update_or_create(app=task.app, name=task.name, defaults={"enabled": False})
        Task.objects.filter(pk=task.pk).update(source=Task.Source.OVERRIDDEN)
    log.warning("task=%s: disabled after %s failures", task.pk, outcome.failure_count)
    audit.record(
        actor=audit.ENGINE, action="task.disable", object_type="task", object_id=str(task.pk), now=now,
        before={"enabled": True}, after={"enabled": False, "failure_count": outcome.failure_count},
        message=f"{outcome.failure_count} failures in a row, max_failures is {task.max_failures}",
    )  # fmt: skip


def _tell_over(outcome: Outcome, now: datetime) -> None:
    """No override: a file that names another time shall switch it on again."""
    audit.record(
        actor=audit.ENGINE, action="task.disable", object_type="task", object_id=str(outcome.id), now=now,
        before={"enabled": True}, after={"enabled": False}, message="its one time is over",
    )  # fmt: skip


def _utc(value: Any) -> Any:
    moment = sql.moment(value)
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
