"""Engines that are told to stop, politely and less so."""

import signal
import time
from collections.abc import Callable

import pytest

from jobs_app.states import JobState
from tests.acceptance.harness import Installation, Ledger
from tests.acceptance.rows import Rows, history_fits, nothing_in_hand, started_once
from tests.support import wait_until

pytestmark = pytest.mark.processes

SIGN = "{context.job_id} {context.attempt}"


@pytest.fixture
def wait_for_go(installation: Installation) -> str:
    """Python source that waits for the file `go` in the data folder."""
    go = str(installation.home / "go")
    return f"import os, time\nwhile not os.path.exists({go!r}):\n    time.sleep(0.02)\n"


@pytest.fixture
def go(installation: Installation) -> Callable[[], None]:
    return (installation.home / "go").touch


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_lets_running_jobs_end_and_begins_no_other(
    number: int,
    installation: Installation,
    rows: Rows,
    ledger: Ledger,
    wait_for_go: str,
    go: Callable[[], None],
) -> None:
    rows.pool(drain_seconds=30.0, max_runspaces=2)
    engine = installation.start_engine()
    running = rows.create(ledger.python(SIGN) + wait_for_go + "'ended'", 2, priority=1)
    rows.until_running(*running)
    waiting = rows.create(ledger.python(SIGN), 20)
    engine.send_signal(number)
    wait_until(lambda: rows.engines()[-1].state == "draining", message="the engine drains")
    go()
    assert engine.wait(timeout=20) == 0
    installation.nothing_runs()
    jobs = rows.jobs()
    assert [(jobs[job].state, jobs[job].result) for job in running] == [(JobState.COMPLETED, '"ended"')] * 2
    assert {(jobs[job].state, jobs[job].attempt, jobs[job].runspace) for job in waiting} == {
        (JobState.QUEUED, 1, None)
    }
    assert rows.engines()[-1].state == "stopped"
    nothing_in_hand(rows)

    again = installation.start_engine()
    jobs = rows.until_ended()
    assert {(job.state, job.attempt) for job in jobs.values()} == {(JobState.COMPLETED, 1)}
    started_once(ledger, jobs)
    history_fits(rows)
    assert installation.stop(again) == 0


def test_a_stop_in_the_middle_of_a_long_queue_gives_back_what_was_handed_ahead(
    installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    engine = installation.start_engine()
    rows.create(ledger.python(SIGN), 1500)
    wait_until(lambda: len(ledger.lines()) > 100, interval=0)
    assert installation.stop(engine) == 0
    nothing_in_hand(rows)
    left = rows.count(state=JobState.QUEUED)
    assert len(ledger.lines()) == 1500 - left
    again = installation.start_engine()
    jobs = rows.until_ended()
    assert {(job.state, job.attempt) for job in jobs.values()} == {(JobState.COMPLETED, 1)}
    assert len(ledger.lines()) == 1500
    started_once(ledger, jobs)
    assert installation.stop(again) == 0


def test_jobs_that_outlast_the_drain_time_are_stopped(
    installation: Installation, rows: Rows, ledger: Ledger, wait_for_go: str
) -> None:
    rows.pool(drain_seconds=0.3)
    engine = installation.start_engine()
    (python,) = rows.create(ledger.python(SIGN) + wait_for_go)
    (shell,) = rows.create("sleep 300", language="shell")
    rows.until_running(python, shell)
    assert installation.stop(engine) == 0
    installation.nothing_runs()
    for job in rows.jobs().values():
        assert (job.state, job.reason) == (JobState.STOPPED, "shutdown")
    history_fits(rows)
    nothing_in_hand(rows)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops_everything_at_once(
    number: int, installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    rows.pool(drain_seconds=60.0, grace_seconds=30.0)
    engine = installation.start_engine()
    # Neither of them can be asked to end.
    stubborn = "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass\n"
    (python,) = rows.create(ledger.python(SIGN) + stubborn)
    (shell,) = rows.create("trap '' TERM; while :; do sleep 1; done", language="shell")
    rows.until_running(python, shell)
    installation.remember()
    engine.send_signal(number)
    wait_until(lambda: rows.engines()[-1].state == "draining", message="the engine drains")
    assert engine.poll() is None
    began = time.monotonic()
    engine.send_signal(number)
    assert engine.wait(timeout=20) == 0
    assert time.monotonic() - began < 10
    installation.nothing_runs()
    for job in rows.jobs().values():
        assert (job.state, job.reason) == (JobState.STOPPED, "shutdown")
    nothing_in_hand(rows)
