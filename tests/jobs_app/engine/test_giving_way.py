"""Beside other writers the engine gathers what comes, so that they get between its commits."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, connections, transaction

from jobs_app.engine.loop import PACE_SECONDS
from jobs_app.models import Job
from tests.support import wait_until

from .conftest import EngineInTest

Submit = Callable[..., Job]


def _write_until_met(line: Any, writing: threading.Event) -> None:
    """Hold the right to write until the engine stands behind us."""
    with transaction.atomic():
        Job.objects.filter(name="nobody").update(name="nobody")
        writing.set()
        if line is not None:
            wait_until(lambda: line.waited, 5, "the engine stands behind")
    connections.close_all()


def test_a_commit_that_met_others_is_followed_by_a_pause(engine: EngineInTest, submit: Submit) -> None:
    loop = engine.engine
    engine.run(submit())
    job = submit()
    # On PostgreSQL writers do not stand in one line, so there is nobody to give way to.
    line = getattr(connection.connection, "line", None)
    writing = threading.Event()
    writer = threading.Thread(target=_write_until_met, args=(line, writing))
    writer.start()
    assert writing.wait(5)

    engine.until(lambda: loop._committed_at and Job.objects.get(pk=job.pk).runspace)

    assert loop._crowded == (line is not None)
    writer.join(5)
    engine.run(job)
    engine.run(submit())
    assert not loop._crowded


def test_the_pause_counts_from_the_last_commit(engine: EngineInTest) -> None:
    loop = engine.engine
    begun = loop._committed_at = loop._clock.monotonic()
    loop._crowded = True
    loop._give_way()
    assert loop._clock.monotonic() - begun >= PACE_SECONDS
