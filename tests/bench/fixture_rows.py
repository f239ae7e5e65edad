"""A history of size: a hundred thousand jobs and a million executions, made inside the database in seconds.

Rows are spread over the last twenty days, over owners, tasks, apps, languages and outcomes, so that
filters and charts have something to find. All jobs have ended but the newest twenty, which were
created and never started; an engine that meets the rows finds nothing to do.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.utils.timezone import now as wall_clock

from jobs_app.models import Execution, Job, JobSpec
from tasks_app.models import Task

DAYS = 20
TASKS = 1_000
UNSTARTED = 20


def make(*, jobs: int, executions: int, owner: int, now: datetime, tasks: int = TASKS) -> None:
    """Insert the rows; the newest `jobs` executions are those of the jobs, older ones outlived theirs."""
    with transaction.atomic():
        first_task = _tasks(tasks, now)
        sql = _Dialect(now=now, count=executions)
        outlived = executions - jobs
        job = _job_columns(sql, owner=owner)
        _insert(Job, jobs, job, shift=outlived)
        _insert(JobSpec, jobs, {"job_id": sql.uuid, "code": "'1 + 1'"}, shift=outlived)
        _insert(
            Execution,
            executions - UNSTARTED,
            _execution_columns(sql, owner=owner, first_task=first_task, tasks=tasks),
        )


def _tasks(count: int, now: datetime) -> int:
    """Three of four have a schedule, none of which falls due while somebody measures; the lowest id."""
    made = Task.objects.bulk_create(
        [
            Task(
                name=f"task-{n}",
                app=f"App{n % 20}",
                description=f"The task with the number {n}",
                source=Task.Source.CUSTOM,
                code="1 + 1",
                schedule="0 3 1 1 *" if n % 4 else "",
                next_due_at=now + timedelta(days=30, minutes=n) if n % 4 else None,
                last_status=_STATUSES[n % len(_STATUSES)],
                last_run_at=now - timedelta(minutes=n),
            )
            for n in range(count)
        ],
        batch_size=500,
    )
    return min(task.pk for task in made)


class _Dialect:
    """SQL for what the two databases spell differently; `i` is the row's number, oldest first."""

    def __init__(self, *, now: datetime, count: int) -> None:
        self._sqlite = connection.vendor == "sqlite"
        self._last = count - 1
        self._step = DAYS * 86_400 / count
        # The newest began two minutes ago, so that none ends later than now.
        self._begin = (now - timedelta(days=DAYS, minutes=2)).timestamp()
        self.unstarted = f"i > {self._last - UNSTARTED}"
        milliseconds = f"CAST({self._begin * 1000:.0f} + i * {self._step * 1000:.6f} AS bigint)"
        if self._sqlite:
            # Version 7: time, then the number itself, so that it is known again and never doubled.
            self.uuid = f"printf('%012x7%03x8%015x', {milliseconds}, i % 4096, i)"
            self.public_id = (
                "printf('%08x-%04x-7%03x-8000-%012x',"
                f" {milliseconds} / 65536, {milliseconds} % 65536, i % 4096, i)"
            )
        else:
            hexed = f"lpad(to_hex({milliseconds}), 12, '0')"
            tail = "'7' || lpad(to_hex(i % 4096), 3, '0') || '8' || lpad(to_hex(i), 15, '0')"
            self.uuid = f"({hexed} || {tail})::uuid"
            self.public_id = f"({self.uuid})::text"

    def at(self, seconds: str) -> str:
        """The instant of the row, and `seconds` later."""
        epoch = f"{self._begin:.3f} + i * {self._step:.9f} + {seconds}"
        if self._sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f', {epoch}, 'unixepoch')"
        return f"to_timestamp({epoch})"


def _pick(choices: list[str], *, by: str) -> str:
    """One of the texts, by the remainder of `by`."""
    cases = " ".join(f"WHEN {n} THEN '{choice}'" for n, choice in enumerate(choices))
    return f"CASE ({by}) % {len(choices)} {cases} END"


_STATES = ["completed"] * 16 + ["failed", "failed", "stopped", "stopped"]
_STATUSES = ["success"] * 16 + ["failed", "lost", "terminated", "stopped"]
_REASONS = [""] * 16 + ["error", "lost", "timeout", "user"]
_LANGUAGES = ["python", "python", "python", "shell"]


def _job_columns(sql: _Dialect, *, owner: int) -> dict[str, str]:
    ended = f"CASE WHEN {sql.unstarted} THEN NULL ELSE %s END"
    return {
        "uuid": sql.uuid,
        "public_id": sql.public_id,
        "name": "'Job ' || i",
        "state": f"CASE WHEN {sql.unstarted} THEN 'created' ELSE {_pick(_STATES, by='i')} END",
        "reason": f"CASE WHEN {sql.unstarted} THEN '' ELSE {_pick(_REASONS, by='i')} END",
        "fence": "1",
        "language": _pick(_LANGUAGES, by="i"),
        "owner_id": f"CASE WHEN i % 3 = 0 THEN {owner} ELSE NULL END",
        "source": _pick(["api", "manual", "engine"], by="i"),
        "affinity": f"'owner:{owner}'",
        "created_at": sql.at("0"),
        "queued_at": ended.replace("%s", sql.at("0")),
        "started_at": ended.replace("%s", sql.at("0.5")),
        "finished_at": ended.replace("%s", sql.at("0.5 + i % 97")),
        "progress_at": sql.at("0.5"),
        "percent": f"CASE WHEN {sql.unstarted} THEN 0 ELSE 100 END",
        "status_message": f"CASE WHEN {sql.unstarted} THEN 'Not started' ELSE 'Completed' END",
        "output_bytes": "i % 5000",
        "output_lines": "i % 90",
        "result": f"CASE WHEN {sql.unstarted} THEN NULL ELSE '2' END",
    }


def _execution_columns(sql: _Dialect, *, owner: int, first_task: int, tasks: int) -> dict[str, str]:
    return {
        "job": sql.uuid,
        "public_id": sql.public_id,
        "name": "'Job ' || i",
        "task": f"CASE WHEN i % 2 = 0 THEN {first_task} + i / 2 % {tasks} ELSE NULL END",
        "pool": "'default'",
        "runspace": "1 + i % 2",
        "language": _pick(_LANGUAGES, by="i"),
        "attempt": "1",
        "status": _pick(_STATUSES, by="i"),
        "reason": _pick(_REASONS, by="i"),
        "source": _pick(["api", "manual", "engine"], by="i"),
        "owner": f"CASE WHEN i % 3 = 0 THEN {owner} ELSE NULL END",
        "started_at": sql.at("0.5"),
        "finished_at": sql.at("0.5 + i % 97"),
        "output_bytes": "i % 5000",
        "output_lines": "i % 90",
        "output_preview": "'line ' || i",
    }


def _insert(model: type[models.Model], count: int, columns: dict[str, str], *, shift: int = 0) -> None:
    """INSERT … SELECT over the numbers `shift` to `shift + count - 1`; other columns get their defaults."""
    names, expressions, bound = [], [], []
    for field in model._meta.concrete_fields:
        column = str(field.column)
        if column not in columns and isinstance(field, models.AutoField):
            continue
        names.append(connection.ops.quote_name(column))
        if column in columns:
            expressions.append(columns[column].replace("%", "%%"))
        else:
            expressions.append("%s")
            bound.append(_default(field))
    numbers = (
        "WITH RECURSIVE numbers(i) AS (SELECT %s UNION ALL SELECT i + 1 FROM numbers WHERE i < %s)"
        if connection.vendor == "sqlite"
        else "WITH numbers(i) AS (SELECT generate_series(%s::bigint, %s::bigint))"
    )
    statement = (
        f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({', '.join(names)}) "  # noqa: S608
        f"{numbers} SELECT {', '.join(expressions)} FROM numbers"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [shift, shift + count - 1, *bound])


def _default(field: "models.Field[Any, Any]") -> Any:
    value = field.get_default() if field.has_default() or not field.null else None
    if value in (None, "") and getattr(field, "auto_now", False) | getattr(field, "auto_now_add", False):
        value = wall_clock()
    return field.get_db_prep_save(value, connection=connection)
