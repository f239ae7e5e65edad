"""Beside other writers the engine gathers what comes, so that they get between its commits."""

import threading
from collections.abc import Callable

from django.db import connection, connections, transaction

from jobs_app.engine.loop import PACE_SECONDS
from jobs_app.models import Job

from .conftest import EngineInTest

Submit = Callable[..., Job]


def _write_on(writing: threading.Event, enough: threading.Event) -> None:
    """Take the right to write again and again, so that hardly a commit of the engine finds it free."""
    while not enough.is_set():
        with transaction.atomic():
            Job.objects.filter(name="nobody").update(name="nobody")
            writing.set()
    connections.close_all()


def test_a_commit_that_met_others_is_followed_by_a_pause(engine: EngineInTest, submit: Submit) -> None:
    loop = engine.engine
    engine.run(submit())
    # On PostgreSQL writers do not stand in one line, so there is nobody to give way to.
    in_line = getattr(connection.connection, "line", None) is not None
    writing, enough = threading.Event(), threading.Event()
    writer = threading.Thread(target=_write_on, args=(writing, enough))
    writer.start()
    try:
        assert writing.wait(5)
        if in_line:
            engine.until(lambda: loop._crowded or not submit())
        else:
            engine.run(submit())
            assert not loop._crowded
    finally:
        enough.set()
        writer.join(5)

    engine.run(submit())
    engine.run(submit())
    assert not loop._crowded


def test_the_pause_counts_from_the_last_commit(engine: EngineInTest) -> None:
    loop = engine.engine
    begun = loop._committed_at = loop._clock.monotonic()
    loop._crowded = True
    loop._give_way()
    assert loop._clock.monotonic() - begun >= PACE_SECONDS
