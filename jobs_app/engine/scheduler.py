"""Due times into jobs: each decided once, with its reason, whoever else is deciding.

A batch is read and planned without a lock; then one transaction moves the cursors that still
stand where they were read, writes an occurrence for each decision, and queues the jobs of those
that run. A cursor somebody else has moved falls out, and with it everything planned for it.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from jobs_app.states import Held
from scaffolding import hosting
from taskhub.core import failpoints, ids, runtime_settings, wake
from taskhub.core.clock import Clock
from taskhub.core.home import Home
from tasks_app.definitions import Loader
from tasks_app.schedule import cron, misfire, overlap
from tasks_app.schedule.misfire import Due

from . import clock_steps, sql, task_jobs, task_limit, task_overlap
from .task_jobs import TaskJob, job_name

log = logging.getLogger("taskhub.engine")

BATCH = 1000
# A step gives way to the others after this long; what is left comes in the next turn.
STEP_SECONDS = 0.1
RELOAD_SECONDS = 2.0

DISABLED, APP_DISABLED, INVALID = "disabled", "app_disabled", "invalid"


class DueTask(NamedTuple):
    """The part of a Task row that decides about its due time."""

    id: int
    app: str
    name: str
    enabled: bool
    deleted: bool
    schedule: str
    at: Any
    timezone: str
    misfire: str
    overlap: str
    priority: int
    next_due_at: datetime
    schedule_version: int


class Plan(NamedTuple):
    """What shall become of a task's due times, before it is known whether it still runs."""

    task: DueTask
    due: list[Due]
    next_due_at: datetime | None


def decide(*, clock: Clock) -> bool:
    """Decide all due times that have come, and free jobs that waited for room.

    Returns:
        True if anything was found; call again, there may be more.
    """
    until = clock.monotonic() + STEP_SECONDS
    found = clock_steps.settle(now=clock.now())
    while True:
        read, moved = _batch(clock.now())
        found = found or moved > 0
        if read < BATCH or moved == 0 or clock.monotonic() >= until:
            break
    return release(clock=clock) or found


def release(*, clock: Clock) -> bool:
    """Free task jobs that wait for an earlier run or for room, as far as they may; True if any was freed."""
    if not task_limit.anyone_waits():
        return False
    behind = task_overlap.waiting()
    if behind:
        task_overlap.stop_previous(behind, now=clock.now())
    with transaction.atomic():
        task_limit.lock()
        if behind:
            task_overlap.let_go(behind)
        freed = task_limit.let_go()
        if freed:
            transaction.on_commit(wake.wake_engines)
    return freed > 0


def next_due(now: datetime) -> datetime | None:
    """The earliest due time not yet decided, which may lie before `now`; None if nothing is due, ever."""
    connection.ensure_connection()
    (found,) = sql.run("SELECT MIN(next_due_at) FROM tasks_app_task WHERE next_due_at IS NOT NULL").fetchone()
    earliest: datetime | None = _utc(found)
    return earliest


_loaders: dict[Path, tuple[Loader, float]] = {}


def reload(*, clock: Clock) -> bool:
    """Bring Task rows in step with their files, at most every 2 s; True if it should go on at once."""
    root = Home.current().root
    loader, at = _loaders.get(root, (None, 0.0))
    now = clock.monotonic()
    if loader is not None and not loader.more and at <= now < at + RELOAD_SECONDS:
        return False
    loader = loader or Loader()
    _loaders[root] = (loader, now)
    return loader.step(now=clock.now()) or loader.more


def _batch(now: datetime) -> tuple[int, int]:
    """Decide up to BATCH tasks; returns how many were due and how many of them were ours to decide."""
    due = _due(now)
    if not due:
        return 0, 0
    enabled_apps = hosting.enabled_names() | {""}
    plans = {task.id: _plan(task, enabled_apps, now) for task in due}
    failpoints.hit("scheduler.planned")
    with transaction.atomic():
        task_limit.lock()
        moved = _move_cursors(list(plans.values()))
        ours = [plan for plan in plans.values() if plan.task.id in moved]
        if ours:
            _write(ours, now)
        failpoints.hit("scheduler.commit.before")
    failpoints.hit("scheduler.commit.after")
    return len(due), len(ours)


_TASK = ", ".join(DueTask._fields)


def _due(now: datetime) -> list[DueTask]:
    connection.ensure_connection()
    rows = sql.run(
        f"SELECT {_TASK} FROM tasks_app_task WHERE next_due_at IS NOT NULL AND next_due_at <= ? "
        "ORDER BY next_due_at, id LIMIT ?",
        [now, BATCH],
    ).fetchall()
    tasks = [DueTask(*row) for row in rows]
    return [task._replace(next_due_at=_utc(task.next_due_at)) for task in tasks]


def _plan(task: DueTask, enabled_apps: frozenset[str], now: datetime) -> Plan:
    """What the task itself says; a task that cannot be understood is put aside and stops no other."""
    cursor = task.next_due_at
    if task.deleted or not task.enabled:
        # One row for the whole time it is off; switching it on sets the cursor anew.
        return Plan(task, [Due(cursor, reason=DISABLED)], None)
    if task.app not in enabled_apps:
        return Plan(task, [Due(cursor, reason=APP_DISABLED)], None)
    try:
        schedule = None if task.at is not None else cron.parse(task.schedule, task.timezone)
        passed = misfire.passed(schedule, cursor, now)
        return Plan(task, misfire.decide(passed, task.misfire, now), passed.next_due_at)
    except Exception:
        log.exception("task=%s app=%r name=%r: its due time cannot be decided", task.id, task.app, task.name)
        return Plan(task, [Due(cursor, reason=INVALID)], None)


_CURSOR: sql.Columns = (
    ("v_id", "bigint"), ("v_old", "timestamptz"), ("v_version", "int"), ("v_next", "timestamptz"),
)  # fmt: skip


def _move_cursors(plans: Sequence[Plan]) -> set[int]:
    """Move those cursors that stand where they were read; returns the ids of their tasks."""
    _lock_tasks([plan.task.id for plan in plans])
    source, parameters = sql.rows_as_table(
        _CURSOR, [(p.task.id, p.task.next_due_at, p.task.schedule_version, p.next_due_at) for p in plans]
    )
    rows = sql.run(
        f"UPDATE tasks_app_task SET next_due_at = v_next FROM {source} "
        "WHERE id = v_id AND next_due_at = v_old AND schedule_version = v_version RETURNING id",
        parameters,
    )
    return {row[0] for row in rows.fetchall()}


def _lock_tasks(tasks: Sequence[int]) -> None:
    """In the order in which everybody locks several tasks, so that two never wait for each other."""
    if not sql.is_sqlite():
        sql.run("SELECT id FROM tasks_app_task WHERE id = ANY(?) ORDER BY id FOR UPDATE", [list(tasks)])


_OCCURRENCE: sql.Columns = (
    ("v_task", "bigint"), ("v_due", "timestamptz"), ("v_until", "timestamptz"), ("v_count", "int"),
    ("v_decision", "text"), ("v_reason", "text"), ("v_job", "uuid"),
)  # fmt: skip


def _write(plans: Sequence[Plan], now: datetime) -> None:
    standing = task_overlap.standing([plan.task.id for plan in plans if _asks(plan)])
    runs: dict[UUID, tuple[DueTask, Due]] = {}
    rows = []
    for plan in plans:
        due = (
            overlap.decide(plan.due, plan.task.overlap, standing=standing.get(plan.task.id, overlap.IDLE))
            if _asks(plan)
            else plan.due
        )
        for one in due:
            job = None if one.reason else ids.uuid7(now)
            if job is not None:
                runs[job] = (plan.task, one)
            decision = "skipped" if one.reason else "fired"
            rows.append((plan.task.id, one.due_at, one.until, one.times, decision, one.reason, job))
    fired = _insert_occurrences(rows, now)
    _queue([(job, *run) for job, run in runs.items() if job in fired], now)


def _asks(plan: Plan) -> bool:
    return overlap.asks(plan.task.overlap) and any(not one.reason for one in plan.due)


def _insert_occurrences(rows: Sequence[Sequence[Any]], now: datetime) -> set[UUID]:
    """Write the decisions; returns the jobs of those that had none yet.

    A due time may have been decided before if the clock has gone back: then it keeps its row.
    """
    source, parameters = sql.rows_as_table(_OCCURRENCE, rows)
    written = sql.run(
        "INSERT INTO tasks_app_occurrence "
        "(task_id, due_at, until, count, decision, reason, void, job, decided_at) "
        f"SELECT v_task, v_due, v_until, v_count, v_decision, v_reason, FALSE, v_job, ? FROM {source} "
        "WHERE TRUE ON CONFLICT DO NOTHING RETURNING job",
        [now, *parameters],
    )
    return {UUID(sql.hex_of(row[0])) for row in written.fetchall() if row[0] is not None}


def _queue(runs: Sequence[tuple[UUID, DueTask, Due]], now: datetime) -> None:
    """Queue the jobs; beyond the limit they are held, and those that waited before go first."""
    if not runs:
        return
    task_limit.let_go()
    room = task_limit.room()
    jobs = []
    for job, task, due in sorted(runs, key=lambda run: (-run[1].priority, run[0].int)):
        held = Held.OVERLAP.value if due.waits else "" if room is None or room > 0 else Held.LIMIT.value
        if room is not None and not held:
            room -= 1
        jobs.append(TaskJob(job, task.id, job_name(task.name, due.due_at), due.due_at, held))
    task_jobs.insert(jobs, default_timeout=int(runtime_settings.get("default_timeout")), now=now)
    transaction.on_commit(wake.wake_engines)


def _utc(value: Any) -> Any:
    """A datetime column as the driver gives it: text or without zone from SQLite."""
    moment = sql.moment(value)
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
