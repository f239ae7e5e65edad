"""Runs of a task that somebody asks for."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction

from scaffolding import hosting
from scaffolding.errors import AppNotFound
from taskhub.core.audit import Actor
from tasks_app.models import Task

from .creation import NewJob, create
from .engine import task_limit
from .engine.task_jobs import job_name
from .errors import AppDisabled
from .models import Job
from .states import Held


def run_task(
    task: Task,
    *,
    by: Actor,
    owner: AbstractBaseUser | None,
    trigger: str,
    source: str,
    parameters: Mapping[str, Any] | None = None,
    now: datetime,
) -> Job:
    """Queue a run of the task now. It moves no cursor, and runs a disabled task too.

    Beyond the limit of concurrent tasks it is queued and held like any other.

    Args:
        parameters: laid over the task's own, by key.

    Raises:
        AppDisabled: tasks of an app that is switched off do not run, by hand neither.
        JobError or BadInput: what the task says cannot be run.
    """
    new = NewJob(
        name=job_name(task.name, now),
        language=task.language,
        code=task.code,
        path=task.path,
        app=task.app,
        task=task.pk,
        parameters={**task.parameters, **(parameters or {})},
        environment=task.environment,
        pool=task.pool,
        priority=task.priority,
        timeout=task.max_runtime,
        kill_on_timeout=task.kill_on_timeout,
        max_attempts=task.max_attempts,
        backoff=task.backoff,
        jitter=task.jitter,
        idempotent=task.idempotent,
        reuse=task.reuse,
    )
    _check_app_is_on(task.app)
    with transaction.atomic():
        connection.ensure_connection()
        task_limit.lock()
        room = task_limit.room()
        job = create(new, owner=owner, source=source, trigger=trigger, start=True, by=by, now=now)
        if room == 0:
            Job.objects.filter(pk=job.pk).update(held=Held.LIMIT)
            job.held = Held.LIMIT
    return job


def _check_app_is_on(app: str) -> None:
    # An app that is gone is told of by the job's own checks.
    with suppress(AppNotFound):
        if app and not hosting.get(app).enabled:
            raise AppDisabled(
                f"app: expected an app that is enabled, got {app}, which is disabled",
                fields={"app": "is disabled"},
            )
