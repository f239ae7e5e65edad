"""Answers to what scripts ask: child jobs and the shared state. Each is a transaction of its own."""

from datetime import datetime
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from jobs_app.creation import NewJob, create
from jobs_app.models import Job, SharedState
from runspaces_app.protocol import Asked
from taskhub.core.audit import ENGINE
from taskhub.core.errors import TaskhubError
from taskhub.core.guards import json as json_guard

VALUE_LIMIT = 1024 * 1024


class _Spawn(msgspec.Struct, forbid_unknown_fields=True):
    code: str = ""
    path: str = ""
    language: str = "python"
    name: str = ""
    parameters: dict[str, Any] = {}
    environment: dict[str, str] = {}
    start: bool = True


def answer(asked: Asked, *, now: datetime) -> dict[str, Any]:
    """The fields of the `reply` frame: `value`, or `error` with a sentence for the script."""
    try:
        job = Job.objects.filter(
            pk=asked.job, attempt=asked.attempt, fence=asked.fence, finished_at__isnull=True
        ).first()
        json_guard.check_text(asked.key, "key", max_length=200)
        if job is None:
            return {"error": "this attempt of the job is over"}
        return {"value": _OPERATIONS[asked.op](job, asked, now)}
    except KeyError:
        return {"error": f"op: expected one of {', '.join(sorted(_OPERATIONS))}, got {asked.op!r}"}
    except (TaskhubError, msgspec.ValidationError) as exc:
        return {"error": str(exc)}


def _spawn(job: Job, asked: Asked, now: datetime) -> str:
    spec = msgspec.convert(asked.spec, _Spawn)
    new = NewJob(
        language=spec.language, code=spec.code, path=spec.path, app=job.app, name=spec.name,
        parameters=spec.parameters, environment=spec.environment, pool=job.pool, priority=job.priority,
        parent=job.uuid,
    )  # fmt: skip
    owner = get_user_model().objects.filter(pk=job.owner_id).first() if job.owner_id else None
    # Compiling is left to the run: the engine waits for nobody's parser.
    child = create(
        new,
        owner=owner,
        source=job.source,
        trigger="api",
        start=spec.start,
        by=ENGINE,
        now=now,
        check_code=False,
    )
    return child.public_id


def _get(job: Job, asked: Asked, now: datetime) -> dict[str, Any] | None:
    row = SharedState.objects.filter(scope=job.affinity, key=asked.key).values("value", "version").first()
    return dict(row) if row else None


def _set(job: Job, asked: Asked, now: datetime) -> bool:
    _check(asked)
    with transaction.atomic():
        row = SharedState.objects.select_for_update().filter(scope=job.affinity, key=asked.key).first()
        if row is None:
            SharedState.objects.create(scope=job.affinity, key=asked.key, value=asked.value, updated_at=now)
        else:
            row.value, row.version, row.updated_at = asked.value, row.version + 1, now
            row.save(update_fields=["value", "version", "updated_at"])
    return True


def _swap(job: Job, asked: Asked, now: datetime) -> bool:
    """Set the value if it is still the version that was read; 0 stands for no value."""
    _check(asked)
    if asked.version == 0:
        try:
            with transaction.atomic():
                SharedState.objects.create(
                    scope=job.affinity, key=asked.key, value=asked.value, updated_at=now
                )
        except IntegrityError:
            return False
        return True
    moved = SharedState.objects.filter(scope=job.affinity, key=asked.key, version=asked.version).update(
        value=asked.value, version=asked.version + 1, updated_at=now
    )
    return bool(moved)


def _delete(job: Job, asked: Asked, now: datetime) -> bool:
    deleted, _ = SharedState.objects.filter(scope=job.affinity, key=asked.key).delete()
    return bool(deleted)


def _keys(job: Job, asked: Asked, now: datetime) -> list[str]:
    return list(SharedState.objects.filter(scope=job.affinity).values_list("key", flat=True)[:1000])


def _check(asked: Asked) -> None:
    if len(asked.value.encode()) > VALUE_LIMIT:
        raise TaskhubError(
            f"state: expected at most {VALUE_LIMIT} bytes of JSON, got {len(asked.value.encode())}"
        )


_OPERATIONS = {
    "spawn": _spawn,
    "state_get": _get,
    "state_set": _set,
    "state_swap": _swap,
    "state_delete": _delete,
    "state_keys": _keys,
}
