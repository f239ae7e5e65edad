"""Runspaces, the output writer and the fork server, killed under an engine that lives on."""

import os
import signal
from collections.abc import Callable
from uuid import UUID

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


@pytest.fixture
def go(installation: Installation) -> Callable[[], None]:
    return (installation.home / "go").touch


@pytest.mark.parametrize(
    ("point", "signed", "state"),
    [
        ("runspace.marked", 0, JobState.FAILED),
        ("runspace.ran", 1, JobState.FAILED),
        ("runspace.end.before", 1, JobState.FAILED),
        ("runspace.end.after", 1, JobState.COMPLETED),
    ],
)
def test_a_runspace_killed_at(
    point: str, signed: int, state: str, installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    rows.pool(min_runspaces=1, max_runspaces=1)
    once = rows.create(ledger.python(SIGN), 4)
    again = rows.create(ledger.python(SIGN), 2, idempotent=True, max_attempts=9)
    # Each runspace dies with its second job.
    engine = installation.start_engine(failpoint=f"{point}=kill@2")
    jobs = rows.until_ended()
    assert all(jobs[job].state == JobState.COMPLETED for job in again)
    others = [jobs[job] for job in once if jobs[job].state != JobState.COMPLETED]
    assert {job.reason for job in others} == ({"lost"} if state == JobState.FAILED else set())
    # While the dead runspace is settled a new one may pass over what was handed to it ahead, so that an
    # idempotent job comes second in its place.
    assert len(others) in ((1, 2) if state == JobState.FAILED else (0,))
    for job in others:
        assert ledger.lines().count(f"{job.public_id} 1") == signed
    assert all(job.attempt == 1 for uuid, job in jobs.items() if uuid in once)
    started_once(ledger, jobs)
    history_fits(rows)
    assert installation.stop(engine) == 0
    nothing_in_hand(rows)
    installation.nothing_runs()


def test_a_runspace_killed_from_outside_takes_its_job_and_no_other(
    installation: Installation, rows: Rows, ledger: Ledger, wait_for_go: str, go: Callable[[], None]
) -> None:
    installation.start_engine()
    lost, kept = rows.create(ledger.python(SIGN) + "print(1)\n" + wait_for_go + "'kept'", 2)
    (shell,) = rows.create(
        "sleep 300 & " + ledger.shell("$TASKHUB_JOB_ID $TASKHUB_ATTEMPT") + "wait", language="shell",
        idempotent=True,
    )  # fmt: skip
    rows.until_running(lost, kept, shell)
    installation.remember()
    for job in (lost, shell):
        _process_of(rows, job).kill()
    wait_until(lambda: rows.job(lost).is_terminal and rows.job(shell).is_terminal)
    go()
    jobs = rows.until_ended()
    assert (jobs[lost].state, jobs[lost].reason, jobs[lost].output_lines) == (JobState.FAILED, "lost", 1)
    assert (jobs[shell].state, jobs[shell].reason) == (JobState.FAILED, "lost")
    assert jobs[kept].state == JobState.COMPLETED
    assert not [each for each in installation.living() if each.name() == "sleep"]
    started_once(ledger, jobs)


def _process_of(rows: Rows, job: UUID) -> psutil.Process:
    """The runspace that runs the job."""
    wanted = rows.job(job).runspace
    pid = wait_until(lambda: next((r.pid for r in rows.opened_runspaces() if r.pk == wanted and r.pid), None))
    assert pid is not None
    return psutil.Process(pid)


def _helper(installation: Installation, mark: str) -> psutil.Process:
    """The living process in whose command line `mark` stands."""

    def look() -> psutil.Process | None:
        for each in installation.remember():
            try:
                if mark in " ".join(each.cmdline()):
                    return each
            except psutil.NoSuchProcess:
                continue
        return None

    found = wait_until(look, message=f"a process with {mark!r}")
    assert found is not None
    return found


WRITER, FORK_SERVER = "writer.py", "taskhub runspaces (lean)"


def _until_succeeded(installation: Installation, writer: psutil.Process) -> None:
    wait_until(lambda: _helper(installation, WRITER).pid != writer.pid, message="another writer")


@pytest.mark.one_database
def test_a_killed_writer_costs_no_job_and_the_next_goes_on_writing(
    installation: Installation, rows: Rows, ledger: Ledger, wait_for_go: str, go: Callable[[], None]
) -> None:
    installation.start_engine()
    code = "print('before', flush=True)\n" + ledger.python(SIGN) + wait_for_go
    jobs = rows.create(code + "for n in range(1000):\n    print('after', n)\n'done'", 2)
    rows.until_running(*jobs)
    writer = _helper(installation, WRITER)
    writer.kill()
    _until_succeeded(installation, writer)
    go()
    ended = rows.until_ended()
    for job in jobs:
        assert (ended[job].state, ended[job].output_lines) == (JobState.COMPLETED, 1001)
    started_once(ledger, ended)


@pytest.mark.one_database
def test_a_writer_killed_again_and_again_stops_nothing(
    installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    engine = installation.start_engine()
    rows.create(ledger.python(SIGN) + "for n in range(200):\n    print(n)", 60, reuse=False)
    seen: set[int] = set()
    while rows.count(finished_at__isnull=True) and len(seen) < 6:
        writer = _helper(installation, WRITER)
        seen.add(writer.pid)
        writer.kill()
        _until_succeeded(installation, writer)
    jobs = rows.until_ended()
    assert {job.state for job in jobs.values()} == {JobState.COMPLETED}
    started_once(ledger, jobs)
    assert installation.stop(engine) == 0
    installation.nothing_runs()


@pytest.mark.one_database
def test_a_killed_fork_server_leaves_running_jobs_alone_and_comes_back(
    installation: Installation, rows: Rows, ledger: Ledger, wait_for_go: str, go: Callable[[], None]
) -> None:
    engine = installation.start_engine()
    long = rows.create(ledger.python(SIGN) + wait_for_go, 2)
    rows.until_running(*long)
    server = _helper(installation, FORK_SERVER)
    server.kill()
    # A third runspace is wanted for these, each of which needs a new one.
    fresh = rows.create(ledger.python(SIGN), 5, reuse=False)
    wait_until(lambda: rows.count(pk__in=fresh, state=JobState.COMPLETED) == 5, timeout=20)
    assert rows.count(pk__in=long, state=JobState.RUNNING) == 2
    go()
    jobs = rows.until_ended()
    assert {job.state for job in jobs.values()} == {JobState.COMPLETED}
    started_once(ledger, jobs)
    assert installation.stop(engine) == 0
    nothing_in_hand(rows)
    installation.nothing_runs()


@pytest.mark.one_database
def test_writer_and_fork_server_killed_at_the_same_moment_while_runspaces_open(
    installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    engine = installation.start_engine()
    rows.create(ledger.python(SIGN) + "print(1)", 40, reuse=False)
    for _ in range(3):
        helpers = [_helper(installation, WRITER), _helper(installation, FORK_SERVER)]
        # Together, as by somebody who ends what he does not know, while the engine cannot look.
        engine.send_signal(signal.SIGSTOP)
        for helper in helpers:
            helper.kill()
        psutil.wait_procs(helpers, timeout=0)
        os.kill(engine.pid, signal.SIGCONT)
        _until_succeeded(installation, helpers[0])
    jobs = rows.until_ended()
    assert engine.poll() is None
    assert {job.state for job in jobs.values()} == {JobState.COMPLETED}
    started_once(ledger, jobs)
    assert installation.stop(engine) == 0
    nothing_in_hand(rows)
    installation.nothing_runs()
