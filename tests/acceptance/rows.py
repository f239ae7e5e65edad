"""The rows of an installation, read and written by the test itself beside the processes it runs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest_django
from django.db import connections
from django.utils import timezone

from jobs_app.models import Engine, Execution, Job, JobSpec
from jobs_app.states import TERMINAL, JobState
from runspaces_app.models import Pool, Runspace
from taskhub.core.ids import uuid7
from taskhub.database_url import database
from tests.acceptance.harness import Installation, Ledger
from tests.support import wait_until

SETTLED_SECONDS = 10.0


class Rows:
    """Reads and makes rows in the database of `installation`; close it at the end.

    Args:
        unblock: pytest-django's blocker, which guards the test's own database and not this one.
    """

    def __init__(self, installation: Installation, unblock: pytest_django.DjangoDbBlocker) -> None:
        self.installation = installation
        self._unblock = unblock
        self._alias = f"rows-{uuid4().hex[:8]}"
        settings = {self._alias: database(installation.database_url, home=installation.home, name="rows")}
        connections.settings[self._alias] = connections.configure_settings(settings | {"default": {}})[
            self._alias
        ]

    def close(self) -> None:
        self.let_go()
        del connections[self._alias]
        del connections.settings[self._alias]

    @contextmanager
    def open(self) -> Iterator[str]:
        """The alias for `using()`, usable inside the block."""
        with self._unblock.unblock():
            yield self._alias

    def let_go(self) -> None:
        """Close the connection; the next look opens another."""
        with self._unblock.unblock():
            connections[self._alias].close()

    # Making

    def pool(self, **fields: Any) -> None:
        """Change the default pool."""
        with self.open() as alias:
            Pool.objects.using(alias).filter(name="default").update(**fields)

    def create(self, code: str, count: int = 1, *, name: str = "job", **fields: Any) -> list[UUID]:
        """Queue `count` jobs that run `code`, as if a person had started them a moment ago."""
        now = timezone.now()
        values: dict[str, Any] = {
            "name": name, "language": "python", "state": JobState.QUEUED, "source": "api", "affinity": "owner:",
            "created_at": now, "queued_at": now, "progress_at": now, "backoff": 0.0,
        }  # fmt: skip
        jobs = []
        for _ in range(count):
            uuid = uuid7()
            jobs.append(Job(uuid=uuid, public_id=str(uuid), **(values | fields)))
        with self.open() as alias:
            Job.objects.using(alias).bulk_create(jobs)
            JobSpec.objects.using(alias).bulk_create([JobSpec(job_id=job.uuid, code=code) for job in jobs])
        return [job.uuid for job in jobs]

    # Looking

    def jobs(self, **wanted: Any) -> dict[UUID, Job]:
        with self.open() as alias:
            return {job.uuid: job for job in Job.objects.using(alias).filter(**wanted)}

    def job(self, uuid: UUID) -> Job:
        return self.jobs(pk=uuid)[uuid]

    def executions(self) -> list[Execution]:
        with self.open() as alias:
            return list(Execution.objects.using(alias).all())

    def engines(self) -> list[Engine]:
        with self.open() as alias:
            return list(Engine.objects.using(alias).order_by("pk"))

    def opened_runspaces(self) -> list[Runspace]:
        with self.open() as alias:
            return list(Runspace.objects.using(alias).filter(state="opened"))

    def count(self, **wanted: Any) -> int:
        with self.open() as alias:
            return Job.objects.using(alias).filter(**wanted).count()

    # Waiting

    def until_running(self, *jobs: UUID) -> None:
        wait_until(
            lambda: self.count(pk__in=jobs, state=JobState.RUNNING) == len(jobs), timeout=20,
            message=f"{len(jobs)} jobs run",
        )  # fmt: skip

    def until_ended(self, timeout: float = 30.0) -> dict[UUID, Job]:
        """All jobs, when every one of them has ended."""

        def ended() -> bool:
            with self.open() as alias:
                return not Job.objects.using(alias).exclude(state__in=TERMINAL).exists()

        wait_until(ended, timeout=timeout, interval=0.05, message="all jobs have ended")
        return self.jobs()

    def until_settled(self, timeout: float = SETTLED_SECONDS) -> None:
        """Return when no engine that died has jobs in hand any more."""

        def settled() -> bool:
            with self.open() as alias:
                living = Engine.objects.using(alias).exclude(state__in=("dead", "stopped"))
                last = max(living.values_list("pk", flat=True), default=0)
                dead = Engine.objects.using(alias).filter(pk__lt=last)
                in_hand = Job.objects.using(alias).filter(
                    engine__in=dead.values("pk"), runspace__isnull=False, finished_at__isnull=True
                )
                return bool(last) and not dead.filter(settled_at=None).exists() and not in_hand.exists()

        wait_until(settled, timeout=timeout, message="the dead engine's jobs are settled")


def double_starts(ledger: Ledger) -> list[str]:
    """Lines `job attempt` that stand in the ledger more than once."""
    return [line for line, times in Counter(ledger.lines()).items() if times > 1]


def started_once(ledger: Ledger, jobs: dict[UUID, Job]) -> None:
    """Assert what must hold of any set of ended jobs whose scripts sign `job attempt` in the ledger."""
    assert not double_starts(ledger)
    signed = Counter(line.split()[0] for line in ledger.lines())
    for job in jobs.values():
        if job.state == JobState.COMPLETED:
            assert f"{job.public_id} {job.attempt}" in ledger.lines(), job.public_id
        assert signed[job.public_id] <= job.attempt, job.public_id


def history_fits(rows: Rows) -> None:
    """Assert one history row an attempt, the last of which says what the job says."""
    found = Counter((row.job, row.attempt) for row in rows.executions())
    assert [key for key, times in found.items() if times > 1] == []
    words = {"completed": "success", "failed": "failed", "stopped": "stopped"}
    last = {(row.job, row.attempt): row for row in rows.executions()}
    for job in rows.jobs().values():
        row = last.get((job.uuid, job.attempt)) or last[job.uuid, 0]
        wanted = "lost" if job.reason == "lost" else words[job.state]
        assert row.status == ("terminated" if job.reason in ("timeout", "expired") else wanted)
        for attempt in range(1, job.attempt):
            assert (job.uuid, attempt) in found


def nothing_in_hand(rows: Rows) -> None:
    """Assert that no job is left between the states and no runspace of the past counts as open."""
    assert rows.count(state=JobState.RUNNING) == 0
    assert rows.count(state=JobState.QUEUED, runspace__isnull=False) == 0
    living = [engine.pk for engine in rows.engines() if engine.state in ("running", "draining")]
    assert [row.pk for row in rows.opened_runspaces() if row.engine not in living] == []
