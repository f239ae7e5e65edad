"""A real engine inside the test: real runspaces, real writer, the test's own database."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from jobs_app import lifecycle
from jobs_app.creation import NewJob, create
from jobs_app.engine.loop import Engine
from jobs_app.models import Job
from jobs_app.states import TERMINAL
from runspaces_app.models import Pool
from taskhub.core.audit import Actor
from taskhub.core.clock import SYSTEM
from taskhub.core.home import Home
from tests.support import wait_until

TESTER = Actor("tester")


class EngineInTest:
    """Turns the engine's loop while the test waits for something."""

    def __init__(self) -> None:
        self.engine = Engine(clock=SYSTEM, home=Home.current(), version="test")
        self.engine._keeper.start()

    def until(self, condition: Callable[[], Any], timeout: float = 15.0, message: str = "") -> Any:
        """Turn until `condition` answers something true; see `wait_until`."""

        def turn_and_ask() -> Any:
            self.engine.turn(min(0.02, self.engine._timeout()))
            return condition()

        return wait_until(turn_and_ask, timeout, message, interval=0)

    def run(self, *jobs: Job, timeout: float = 15.0) -> None:
        """Turn until these jobs have ended, and read their rows again."""
        keys = [job.pk for job in jobs]
        self.until(
            lambda: not Job.objects.filter(pk__in=keys).exclude(state__in=TERMINAL).exists(), timeout,
            "the jobs have ended",
        )  # fmt: skip
        for job in jobs:
            job.refresh_from_db()

    def until_running(self, job: Job) -> None:
        self.until(lambda: Job.objects.filter(pk=job.pk, state="running").exists(), message="the job runs")

    def cancel(self, job: Job, **more: Any) -> Job:
        return lifecycle.request_cancel(job.pk, by=TESTER, now=timezone.now(), **more)

    def members(self) -> list[Any]:
        return list(self.engine._keeper)

    def stop(self) -> None:
        self.engine.request_stop()
        self.engine.request_stop()
        self.until(lambda: not self.engine.turn(0.01), 20, "the engine has stopped")
        self.engine._shut()


@pytest.fixture
def pool(transactional_db: None) -> Pool:
    """The pool `default` with a short grace, so that tests of force need not wait long."""
    return Pool.objects.update_or_create(
        name="default",
        defaults={"min_runspaces": 1, "max_runspaces": 2, "grace_seconds": 0.5, "drain_seconds": 1.0},
    )[0]


@pytest.fixture
def engine(pool: Pool, home: Path) -> Iterator[EngineInTest]:
    running = EngineInTest()
    yield running
    with contextlib.suppress(AssertionError):
        running.stop()


@pytest.fixture
def submit(pool: Pool) -> Callable[..., Job]:
    """Create a job, started unless told otherwise."""

    def make(code: str = "None", *, start: bool = True, language: str = "python", **fields: Any) -> Job:
        new = NewJob(language=language, code=code, **fields)
        return create(
            new, owner=None, source="api", trigger="api", start=start, by=TESTER, now=timezone.now()
        )

    return make


def job_of(uuid: UUID) -> Job:
    return Job.objects.get(pk=uuid)
