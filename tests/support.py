"""What tests share: waiting for a condition, and makers of rows with good defaults."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.contrib.auth.models import Group, User

from jobs_app.models import Engine, Execution, Job, JobSpec
from jobs_app.states import TERMINAL, JobState, Status
from runspaces_app.models import Pool, Runspace
from tasks_app.models import Task

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PASSWORD = "correct horse battery staple"

Answer = TypeVar("Answer")


def wait_until(
    condition: Callable[[], Answer], timeout: float = 10.0, message: str = "", interval: float = 0.02
) -> Answer:
    """Ask `condition` until it answers something true, and return that.

    Raises:
        AssertionError: with `message` and the last answer, when `timeout` seconds are over.
    """
    until = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= until:
            raise AssertionError(f"{message or 'condition'}: not within {timeout} s, last answer {answer!r}")
        time.sleep(interval)


def make_user(
    name: str = "", *, role: str | None = None, superuser: bool = False, password: str = PASSWORD
) -> User:
    """A user who may sign in; `role` is one of the four groups of `taskhub.core.roles`."""
    name = name or f"user-{uuid4().hex[:8]}"
    make = User.objects.create_superuser if superuser else User.objects.create_user
    user = make(username=name, email=f"{name}@example.org", password=password)
    if role is not None:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
        # The admin is open to everybody who has a role; what he may do there is the table's matter.
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    return user


def make_job(
    *,
    state: str = JobState.CREATED,
    code: str = "1 + 1",
    path: str = "",
    parameters: str = "{}",
    environment: str = "{}",
    callback: str = "",
    now: datetime = NOON,
    **fields: Any,
) -> Job:
    """A job row with its spec, consistent in itself for the state asked for."""
    uuid = fields.pop("uuid", None) or _uuid(now)
    values: dict[str, Any] = {
        "public_id": str(uuid),
        "name": f"Job {uuid}",
        "language": "python",
        "source": "manual",
        "affinity": f"owner:{fields['owner'].pk}" if fields.get("owner") else "owner:",
        "created_at": now,
        "progress_at": now,
    }
    if state != JobState.CREATED:
        values["queued_at"] = now
    if state == JobState.RUNNING or state in TERMINAL:
        values |= {"started_at": now, "claimed_at": now, "runspace": 1, "engine": 1, "fence": 1}
        values["status_message"] = "Running"
    if state in TERMINAL:
        values["finished_at"] = now + MINUTE
        values["reason"] = {JobState.FAILED: "error", JobState.STOPPED: "user"}.get(JobState(state), "")
    if state == JobState.COMPLETED:
        values |= {"percent": 100, "status_message": "Completed", "result": "2"}
    job = Job.objects.create(uuid=uuid, state=state, **(values | fields))
    JobSpec.objects.create(
        job=job, code=code, path=path, parameters=parameters, environment=environment, callback=callback
    )
    return job


def make_execution(job: Job | None = None, *, now: datetime = NOON, **fields: Any) -> Execution:
    """A history row; of `job` if one is given."""
    uuid = job.uuid if job else _uuid(now)
    values: dict[str, Any] = {
        "job": uuid,
        "public_id": job.public_id if job else str(uuid),
        "name": job.name if job else f"Job {uuid}",
        "task": job.task_id if job else None,
        "app": job.app if job else "",
        "owner": job.owner_id if job else None,
        "attempt": 1,
        "status": Status.SUCCESS,
        "language": "python",
        "started_at": now,
        "finished_at": now + MINUTE,
    }
    return Execution.objects.create(**(values | fields))


def make_task(name: str = "", **fields: Any) -> Task:
    values: dict[str, Any] = {"name": name or f"task-{uuid4().hex[:8]}", "code": "1 + 1"}
    return Task.objects.create(**(values | fields))


def make_pool(name: str = "", **fields: Any) -> Pool:
    return Pool.objects.create(name=name or f"pool-{uuid4().hex[:8]}", **fields)


def make_engine(*, now: datetime = NOON, **fields: Any) -> Engine:
    values: dict[str, Any] = {
        "host": "testhost",
        "host_id": "testhost",
        "home": "home",
        "pid": 1,
        "pid_start": 1,
        "boot_id": "boot",
        "version": "0",
        "started_at": now,
        "beat_at": now,
        "beat_boot": 0.0,
    }
    return Engine.objects.create(**(values | fields))


def make_runspace(*, engine: Engine | None = None, now: datetime = NOON, **fields: Any) -> Runspace:
    values: dict[str, Any] = {
        "pool": "default",
        "engine": engine.pk if engine else 1,
        "number": 1,
        "pid": 1,
        "pid_start": 1,
        "opened_at": now,
        "seen_at": now,
    }
    return Runspace.objects.create(**(values | fields))


def _uuid(now: datetime) -> UUID:
    """A UUIDv7: its first 48 bits are the milliseconds of `now`."""
    milliseconds = int(now.timestamp() * 1000)
    tail = uuid4().int & ((1 << 80) - 1)
    number = (milliseconds << 80) | tail
    number = (number & ~(0xF << 76)) | (0x7 << 76)
    number = (number & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=number)
