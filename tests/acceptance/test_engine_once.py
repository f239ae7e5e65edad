"""`run_engine --once`, as cron starts it each minute: it does what there is to do, and leaves."""

from pathlib import Path

import pytest

from tests.acceptance.harness import Installation, Ledger
from tests.acceptance.rows import Rows, history_fits, nothing_in_hand, started_once
from tests.support import wait_until

pytestmark = pytest.mark.processes

SIGN = "{context.job_id} {context.attempt}"


def test_two_at_the_same_time_share_the_work(installation: Installation, rows: Rows, ledger: Ledger) -> None:
    rows.create(ledger.python(SIGN), 40)
    engines = [installation.spawn("run_engine", "--once") for _ in range(2)]
    assert [engine.wait(timeout=60) for engine in engines] == [0, 0], installation.printed()
    jobs = rows.jobs()
    assert {job.state for job in jobs.values()} == {"completed"}
    started_once(ledger, jobs)
    history_fits(rows)
    nothing_in_hand(rows)
    installation.nothing_runs()


def test_one_leaves_what_another_runs_alone(installation: Installation, rows: Rows, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    (job,) = rows.create(f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)")
    first = installation.spawn("run_engine", "--once")
    rows.until_running(job)
    second = installation.spawn("run_engine", "--once")
    assert second.wait(timeout=60) == 0
    assert rows.job(job).state == "running" and first.poll() is None
    gate.touch()
    assert first.wait(timeout=60) == 0
    assert rows.job(job).state == "completed"


def test_what_nothing_can_run_now_stays_queued_and_keeps_none_waiting(
    installation: Installation, rows: Rows
) -> None:
    rows.pool(enabled=False)
    (job,) = rows.create("1")
    engine = installation.spawn("run_engine", "--once")
    assert engine.wait(timeout=60) == 0
    assert rows.job(job).state == "queued"
    rows.pool(enabled=True)
    assert installation.spawn("run_engine", "--once").wait(timeout=60) == 0
    assert rows.job(job).state == "completed"


def test_the_next_one_settles_what_a_killed_one_left(installation: Installation, rows: Rows) -> None:
    (job,) = rows.create("import time; time.sleep(60)")
    killed = installation.spawn("run_engine", "--once")
    rows.until_running(job)
    # Neither of its runspaces can end by itself, so that they have to be waited for.
    for process in installation.remember():
        if "runspace " in " ".join(process.cmdline()):
            process.suspend()
    killed.kill()
    killed.wait(timeout=20)
    assert installation.spawn("run_engine", "--once").wait(timeout=60) == 0
    ended = rows.job(job)
    assert (ended.state, ended.reason) == ("failed", "lost")
    nothing_in_hand(rows)
    installation.nothing_runs()


def test_a_retry_that_waits_keeps_none_waiting(installation: Installation, rows: Rows) -> None:
    (job,) = rows.create("1 / 0", max_attempts=2, backoff=3600.0)
    assert installation.spawn("run_engine", "--once").wait(timeout=60) == 0
    waiting = rows.job(job)
    assert (waiting.state, waiting.held, waiting.attempt) == ("queued", "retry", 2)


def test_an_engine_that_cannot_start_says_so(installation: Installation) -> None:
    done = installation.manage(
        "run_engine", "--once", TASKHUB_DATABASE_URL="postgresql://nobody@127.0.0.1:1/no"
    )
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database cannot be used"), done.stderr


def test_told_to_stop_it_ends_what_runs_and_leaves(installation: Installation, rows: Rows) -> None:
    (job,) = rows.create("import time; time.sleep(60)")
    engine = installation.spawn("run_engine", "--once")
    rows.until_running(job)
    assert installation.stop(engine) == 0
    wait_until(lambda: rows.job(job).state == "stopped", message="it was stopped")
