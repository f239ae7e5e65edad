"""Moves that people and programs ask for, one job at a time: start, cancel, restart."""

import json
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from taskhub.core import audit, wake
from taskhub.core.audit import Actor

from .. import task_outcomes
from ..errors import JobEnded, JobNotFound, NotCancellable
from ..models import Execution, Job, JobSpec
from ..states import JobState, Reason, history_status, trigger_of
from ..task_outcomes import EndedRun

BEFORE_START = "Cancelled before start"


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
        # Those of an attempt before, which the job was to make good.
        error_type="",
        error_traceback="",
        exit_code=None,
    )
    if moved:
        job.refresh_from_db()
        Execution.objects.bulk_create([_execution_without_start(job, now)])
        if job.task_id is not None:
            task_outcomes.record([_run_not_begun(job, now)], now=now)
    return bool(moved)


def _run_not_begun(job: Job, now: datetime) -> EndedRun:
    """What its task has to learn: nothing else follows of this run."""
    assert job.task_id is not None  # noqa: S101 - the caller has looked
    return EndedRun(
        task=job.task_id, job=job.uuid, attempt=job.attempt, state=job.state, reason=job.reason,
        status=history_status(job.state, job.reason), started_at=None, finished_at=now, will_retry=False,
        cancelled=True,
    )  # fmt: skip


def _execution_without_start(job: Job, now: datetime) -> Execution:
    return Execution(
        job=job.uuid, public_id=job.public_id, name=job.name, task=job.task_id, app=job.app, pool=job.pool,
        language=job.language, attempt=0 if job.attempt == 1 else job.attempt,
        status=history_status(job.state, job.reason), reason=job.reason, source=job.source,
        trigger=trigger_of(job.trigger, job.attempt), owner=job.owner_id, cancelled_by=job.cancelled_by,
        due_at=job.due_at, finished_at=now, error_message=job.error_message,
    )  # fmt: skip


def restart(
    job: Job, *, by: Actor, owner: AbstractBaseUser | None, source: str, trigger: str, now: datetime
) -> Job:
    """A new, queued job that does what an ended one was asked to do.

    Raises:
        JobStillOpen: it has not ended.
    """
    from ..creation import NewJob, create
    from ..errors import JobStillOpen

    if not job.is_terminal:
        raise JobStillOpen(
            f"state: expected a job that has ended, got {job.state}", fields={"state": job.state}
        )
    spec = JobSpec.objects.get(pk=job.pk)
    new = NewJob(
        language=job.language, code=spec.code, path=spec.path, app=job.app, name=job.name,
        description=job.description, parameters=json.loads(spec.parameters),
        environment=json.loads(spec.environment), pool=job.pool, priority=job.priority, timeout=job.timeout,
        cancellable=job.cancellable, max_attempts=job.max_attempts, backoff=job.backoff, jitter=job.jitter,
        idempotent=job.idempotent, kill_on_timeout=job.kill_on_timeout, reuse=job.reuse, task=job.task_id,
        restarted_from=job.uuid, callback=json.loads(spec.callback) if spec.callback else None,
    )  # fmt: skip
    return create(new, owner=owner, source=source, trigger=trigger, start=True, by=by, now=now)
