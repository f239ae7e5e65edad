"""An engine that is killed at a named point, and what the next one makes of its jobs.

What must come of each job is read from the files that the dead left behind: an end in the spool is
adopted; an attempt that a mark file names had begun and is lost, or tried again where that does no
harm; any other waits again and runs as if nothing had been.
"""

import json
import signal
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from jobs_app.models import Job
from jobs_app.states import TERMINAL, JobState
from runspaces_app.worker.mark import UnreadableMark, decode
from tests.acceptance.harness import Installation, Ledger
from tests.acceptance.rows import Rows, history_fits, nothing_in_hand, started_once
from tests.support import wait_until

pytestmark = pytest.mark.processes

SIGN = "{context.job_id} {context.attempt}"
POINTS = [
    "engine.turn.before=kill@2",
    "lifecycle.claim=kill",
    "engine.commit.before=kill@4",
    "engine.commit.after=kill@3",
    "engine.commit.after=kill@6",
    "engine.sent=kill@2",
    "engine.sent=kill@5",
    "lifecycle.begin=kill",
    "lifecycle.finish=kill@2",
    "lifecycle.history=kill",
    "lifecycle.history=kill;runspace.spool.before_rename=kill",
]


@dataclass
class Left:
    """What a dead engine and its runspaces left: the attempts that had begun, the ends that were saved."""

    begun: set[tuple[UUID, int, int]] = field(default_factory=set)
    saved: dict[tuple[UUID, int, int], str] = field(default_factory=dict)

    @classmethod
    def in_home(cls, installation: Installation) -> "Left":
        left = cls()
        for file in (installation.home / "marks").glob("*.mark"):
            try:
                left.begun |= {(a.job, a.attempt, a.fence) for a in decode(file.read_bytes()).begun}
            except UnreadableMark:
                continue
        for file in (installation.home / "spool").glob("*.json"):
            end = json.loads(file.read_bytes())
            left.saved[UUID(hex=end["job"]), end["attempt"], end["fence"]] = end["kind"]
        return left

    def outcome(self, job: Job) -> tuple[str, str, int]:
        """State, reason and attempt at which the job has to end after the next engine has had its turn."""
        if job.state in TERMINAL:
            return job.state, job.reason, job.attempt
        key = (job.uuid, job.attempt, job.fence)
        if job.runspace is None or (key not in self.saved and key not in self.begun):
            return "completed", "", job.attempt
        if self.saved.get(key) == "completed":
            return "completed", "", job.attempt
        if job.idempotent:
            return "completed", "", job.attempt + 1
        return "failed", "lost", job.attempt


@pytest.fixture
def work(rows: Rows, ledger: Ledger, installation: Installation) -> list[UUID]:
    """Two jobs that take as long as they are let, one of them repeatable, and short ones of two languages."""
    wait = f"import os, time\nwhile not os.path.exists({str(installation.home / 'go')!r}):\n    time.sleep(0.02)\n"
    long = ledger.python(SIGN) + wait + "'long'"
    shell = ledger.shell("$TASKHUB_JOB_ID $TASKHUB_ATTEMPT")
    return [
        *rows.create(long, name="long", priority=2),
        *rows.create(long, name="repeatable", priority=2, idempotent=True, max_attempts=2),
        *rows.create(ledger.python(SIGN) + "print('said')\ncontext.attempt", 6, name="short"),
        *rows.create(shell, 2, name="shell", language="shell", idempotent=True, max_attempts=2),
        *rows.create(ledger.python(SIGN), 4, name="short"),
    ]


def release(installation: Installation) -> None:
    """Let the long jobs end."""
    (installation.home / "go").touch()


def settled_by_next_engine(
    installation: Installation, rows: Rows, ledger: Ledger, **more: str
) -> dict[UUID, Job]:
    """Assert that another engine brings all jobs to the ends they have to have; returns them."""
    installation.nothing_runs()
    left, before = Left.in_home(installation), rows.jobs()
    release(installation)
    engine = installation.start_engine(**more)
    rows.until_settled()
    jobs = rows.until_ended()
    found = {uuid: (job.state, job.reason, job.attempt) for uuid, job in jobs.items()}
    assert found == {uuid: left.outcome(job) for uuid, job in before.items()}
    started_once(ledger, jobs)
    history_fits(rows)
    assert installation.stop(engine) == 0
    nothing_in_hand(rows)
    installation.nothing_runs()
    for folder in ("spool", "marks", "work"):
        assert list((installation.home / folder).iterdir()) == []
    return jobs


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_engine_loses_and_doubles_nothing(
    point: str, installation: Installation, rows: Rows, ledger: Ledger, work: list[UUID]
) -> None:
    engine = installation.start_engine(failpoint=point)
    assert engine.wait(timeout=30) == -signal.SIGKILL
    jobs = settled_by_next_engine(installation, rows, ledger)
    assert len(jobs) == len(work)


def test_what_was_claimed_and_never_handed_over_runs_once_as_its_first_attempt(
    installation: Installation, rows: Rows, ledger: Ledger, work: list[UUID]
) -> None:
    release(installation)
    engine = installation.start_engine(failpoint="lifecycle.claim=pause:1;engine.claimed=kill")
    assert engine.wait(timeout=30) == -signal.SIGKILL
    claimed = rows.jobs(runspace__isnull=False)
    assert claimed and ledger.lines() == []
    jobs = settled_by_next_engine(installation, rows, ledger)
    assert {(job.state, job.attempt) for job in jobs.values()} == {(JobState.COMPLETED, 1)}
    assert all(jobs[uuid].fence == 2 for uuid in claimed)


def test_a_result_that_found_no_engine_is_adopted(
    installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    go = installation.home / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.02)\n"
    (job,) = rows.create(ledger.python(SIGN) + wait + "print('said')\n{'kept': True}")
    engine = installation.start_engine()
    rows.until_running(job)
    installation.remember()
    engine.send_signal(signal.SIGSTOP)
    go.touch()
    folder = installation.home / "work" / str(job)
    wait_until(lambda: not folder.exists(), message="the job has ended in its runspace")
    engine.kill()
    ended = settled_by_next_engine(installation, rows, ledger)[job]
    assert (ended.state, ended.result, ended.output_lines) == (JobState.COMPLETED, '{"kept":true}', 1)


@pytest.mark.parametrize("point", ["rescuer.settle", "rescuer.commit.before", "rescuer.commit.after"])
def test_an_engine_killed_while_it_settles_is_settled_with_the_first(
    point: str, installation: Installation, rows: Rows, ledger: Ledger, work: list[UUID]
) -> None:
    first = installation.start_engine(failpoint="lifecycle.finish=kill@2")
    assert first.wait(timeout=30) == -signal.SIGKILL
    installation.nothing_runs()
    left, before = Left.in_home(installation), rows.jobs()
    second = installation.start_engine(failpoint=f"{point}=kill")
    assert second.wait(timeout=30) == -signal.SIGKILL
    release(installation)
    installation.start_engine()
    rows.until_settled()
    jobs = rows.until_ended()
    for uuid, job in before.items():
        state, reason, attempt = left.outcome(job)
        # The second engine may have begun what waited and lost it in turn; nothing else may differ.
        if job.runspace is not None or job.state in TERMINAL:
            assert jobs[uuid].attempt >= attempt
            if attempt == job.attempt and state in TERMINAL and job.state in TERMINAL:
                assert (jobs[uuid].state, jobs[uuid].reason) == (state, reason)
    started_once(ledger, jobs)
    history_fits(rows)
    nothing_in_hand(rows)
