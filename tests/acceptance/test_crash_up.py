"""A whole installation whose processes are killed, one or all, and its supervisor that goes on."""

import signal

import psutil
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


def test_web_and_engine_killed_in_turn_then_everything_at_once(
    installation: Installation, rows: Rows, ledger: Ledger, wait_for_go: str
) -> None:
    installation.start()
    (kept,) = rows.create(ledger.python(SIGN) + wait_for_go, name="kept")
    rows.until_running(kept)

    # The web process runs nothing: no job notices.
    hub = installation.client()
    old = installation.kill("taskhub web")
    wait_until(lambda: installation.named("taskhub web").pid != old.pid)
    answer = wait_until(lambda: (a := hub.get(f"/api/v1/jobs/{kept}")).status == 200 and a, timeout=30)
    assert answer.json()["state"] == JobState.RUNNING

    # The engine takes what runs with it; its successor says so and goes on with the rest.
    installation.kill("taskhub run_engine")
    rows.create(ledger.python(SIGN), 20)
    rows.until_settled(timeout=20)
    wait_until(lambda: rows.count(finished_at__isnull=False) == 21, timeout=20)
    assert rows.job(kept).reason == "lost"

    # A power cut, as far as processes go.
    (lost,) = rows.create(ledger.python(SIGN) + wait_for_go, priority=2)
    (again,) = rows.create(ledger.python(SIGN) + wait_for_go, priority=2, idempotent=True, max_attempts=2)
    rows.until_running(lost, again)
    waiting = rows.create(ledger.python(SIGN), 200)
    everyone = installation.remember()
    for each in everyone:
        each.send_signal(signal.SIGSTOP)
    for each in everyone:
        each.kill()
    psutil.wait_procs(everyone, timeout=0)
    installation.nothing_runs()
    (installation.home / "go").touch()
    up = installation.start()
    rows.until_settled()
    jobs = rows.until_ended()
    assert (jobs[lost].state, jobs[lost].reason) == (JobState.FAILED, "lost")
    assert (jobs[again].state, jobs[again].attempt) == (JobState.COMPLETED, 2)
    # Those that were short may have been under way at that moment.
    assert {jobs[job].reason for job in waiting} <= {"", "lost"}
    assert all(jobs[job].attempt == 1 for job in waiting)
    started_once(ledger, jobs)
    history_fits(rows)
    assert installation.stop(up) == 0
    nothing_in_hand(rows)
    installation.nothing_runs()
