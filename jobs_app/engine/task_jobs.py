"""Many jobs of tasks in one statement. What they do is copied from the Task rows by the database.

The columns of a job that is not made by `creation` are known here and nowhere else; whatever
this module does not name gets the default its model states.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import NOT_PROVIDED, Model

from jobs_app.models import Job, JobSpec

from . import sql

SOURCE, TRIGGER = "engine", "scheduled"


class TaskJob(NamedTuple):
    """A run to be queued.

    Attributes:
        held: "limit" if it waits for room, else blank.
    """

    uuid: UUID
    task: int
    name: str
    due_at: datetime
    held: str


_ROWS: sql.Columns = (
    ("v_uuid", "uuid"), ("v_task", "bigint"), ("v_name", "text"), ("v_due", "timestamptz"),
    ("v_held", "text"), ("v_public", "text"),
)  # fmt: skip

# Column of the new job → what stands in it; `?` marks are bound to the values named in _BOUND.
_JOB = {
    "uuid": "v_uuid",
    "public_id": "v_public",
    "name": "v_name",
    "state": "'queued'",
    "held": "v_held",
    "language": "t.language",
    "app": "t.app",
    "task_id": "t.id",
    "pool": "t.pool",
    "source": f"'{SOURCE}'",
    "trigger": f"'{TRIGGER}'",
    "affinity": "'app:' || t.app",
    "priority": "t.priority",
    "timeout": "COALESCE(t.max_runtime, ?)",
    "kill_on_timeout": "t.kill_on_timeout",
    "max_attempts": "t.max_attempts",
    "backoff": "t.backoff",
    "jitter": "t.jitter",
    "idempotent": "t.idempotent",
    "reuse": "t.reuse",
    "due_at": "v_due",
    "created_at": "?",
    "queued_at": "?",
    "progress_at": "?",
}
_SPEC = {
    "job_id": "v_uuid",
    "code": "t.code",
    "path": "t.path",
    "parameters": "CAST(t.parameters AS TEXT)",
    "environment": "CAST(t.environment AS TEXT)",
}


def job_name(task: str, moment: datetime) -> str:
    """`Task_<name>_<yyyyMMdd_HHmmss>`, the time in UTC."""
    return f"Task_{task}_{moment:%Y%m%d_%H%M%S}"


def insert(jobs: Sequence[TaskJob], *, default_timeout: int, now: datetime) -> None:
    """Queue these runs inside the open transaction."""
    if not jobs:
        return
    rows = [(*job, str(job.uuid)) for job in jobs]
    _insert(Job, rows, [default_timeout, now, now, now])
    _insert(JobSpec, rows, [])


def _insert(model: type[Model], rows: Sequence[Sequence[Any]], bound: list[Any]) -> None:
    source, parameters = sql.rows_as_table(_ROWS, rows)
    head, defaults = _head(model)
    # The defaults stand behind the named columns, and so do their values.
    sql.run(f"{head} FROM {source} JOIN tasks_app_task t ON t.id = v_task", [*bound, *defaults, *parameters])


@functools.cache
def _head(model: type[Model]) -> tuple[str, tuple[Any, ...]]:
    """INSERT … SELECT up to FROM, and the values of the columns that take their default."""
    named = _JOB if model is Job else _SPEC
    defaults: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.column is None or field.column in named or field.null:
            continue
        if field.default is NOT_PROVIDED:
            raise TypeError(f"{model.__name__}.{field.name} has no default and is not filled by task_jobs")
        defaults[field.column] = field.get_default()
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in [*named, *defaults])
    values = ", ".join([*named.values(), *("?" for _ in defaults)])
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({names}) SELECT {values}", tuple(defaults.values())
