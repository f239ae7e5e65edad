"""Obeys the harness with Django set up: queues jobs, creates one by one, inserts beside the engine."""

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import OperationalError, connection, transaction  # noqa: E402

from jobs_app import creation  # noqa: E402
from jobs_app.creation import NewJob  # noqa: E402
from jobs_app.models import Job, JobSpec  # noqa: E402
from jobs_app.states import JobState  # noqa: E402
from taskhub.core import ids  # noqa: E402
from taskhub.core.audit import Actor  # noqa: E402
from taskhub.core.wake import wake_engines  # noqa: E402
from tests.bench import fixture_rows, helper  # noqa: E402

STAMP = """
import os, time
now = time.monotonic_ns()
fd = os.open(context.parameters["path"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
os.write(fd, b"%d %d\\n" % (context.parameters["n"], now))
os.close(fd)
"""
# The last expression is the result: a value, as the peers' tasks return one.
KINDS = {"noop": ("python", "1"), "stamp": ("python", STAMP), "shell": ("shell", "true")}
ADMIN = User.objects.get(username="admin")
ACTOR = Actor(ADMIN.username, ADMIN.pk)
BATCH = 10_000

reader = sqlite3.connect(
    f"file:{settings.DATABASES['default']['NAME']}?mode=ro", uri=True, isolation_level=None
)
cleared = [0]


def _create(kind: str, *, start: bool = True, **parameters: Any) -> None:
    language, code = KINDS[kind]
    creation.create(
        NewJob(language=language, code=code, name=kind, parameters=parameters), owner=ADMIN, source="api",
        trigger="api", start=start, by=ACTOR, now=datetime.now(UTC), check_code=False,
    )  # fmt: skip


def queue(kind: str, count: int) -> dict[str, Any]:
    """Write the jobs queued; of each batch all become visible by one commit."""
    for first in range(0, count, BATCH):
        jobs, specs = _rows(kind, min(BATCH, count - first))
        with transaction.atomic():
            Job.objects.bulk_create(jobs, batch_size=500)
            JobSpec.objects.bulk_create(specs, batch_size=500)
    released = time.monotonic()
    wake_engines()
    return {"released": released}


def _rows(kind: str, count: int) -> tuple[list[Job], list[JobSpec]]:
    language, code = KINDS[kind]
    jobs = []
    for _ in range(count):
        now = datetime.now(UTC)
        uuid = ids.uuid7(now)
        jobs.append(
            Job(
                uuid=uuid, public_id=str(uuid), name=kind, state=JobState.QUEUED, language=language,
                owner=ADMIN, source="api", trigger="api", affinity=f"owner:{ADMIN.pk}", created_at=now,
                queued_at=now, progress_at=now,
            )
        )  # fmt: skip
    return jobs, [JobSpec(job=job, code=code) for job in jobs]


def produce(kind: str, count: int, pace: float, path: str = "") -> dict[str, Any]:
    call: Callable[[int], None]
    if kind == "stamp":

        def call(n: int) -> None:
            _create(kind, n=n, path=path)
    else:

        def call(n: int) -> None:
            _create(kind)

    return helper.produce(call, count, pace)


def _ended() -> int:
    # History rows are only added, so the highest id counts them without reading them all.
    row = reader.execute("SELECT coalesce(max(id), 0) FROM jobs_app_execution").fetchone()
    return int(row[0])


def finished() -> int:
    return _ended() - cleared[0]


def clear() -> dict[str, Any]:
    cleared[0] = _ended()
    return {}


def insert_beside(limit: float, pace: float, until: int) -> dict[str, Any]:
    """Create jobs that wait for a start, one each `pace` seconds, while the engine works.

    Ends after `limit` seconds, or when `until` jobs have ended and the engine has nothing left to do.

    Returns:
        `took`: seconds of each; `locked`: errors of the database; `ended`: jobs the engine ended meanwhile.
    """
    took: list[float] = []
    locked: list[str] = []
    begin, before = time.monotonic(), finished()
    while time.monotonic() - begin < limit and finished() < until:
        asked = time.monotonic()
        try:
            _create("noop", start=False)
        except OperationalError as exc:
            locked.append(str(exc))
        took.append(time.monotonic() - asked)
        time.sleep(pace)
    return {"took": took, "locked": locked, "ended": finished() - before, "seconds": time.monotonic() - begin}


def fixture(jobs: int, executions: int, tasks: int) -> dict[str, Any]:
    begin = time.monotonic()
    fixture_rows.make(jobs=jobs, executions=executions, tasks=tasks, owner=ADMIN.pk, now=datetime.now(UTC))
    return {"seconds": time.monotonic() - begin, "vendor": connection.vendor}


if __name__ == "__main__":
    helper.serve(
        {
            "queue": queue,
            "produce": produce,
            "clear": clear,
            "wait": lambda count, limit: helper.wait_until_finished(finished, count, limit),
            "insert_beside": insert_beside,
            "fixture": fixture,
        }
    )
