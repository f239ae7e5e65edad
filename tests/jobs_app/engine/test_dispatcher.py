"""How many jobs a runspace may hold, and that holding them keeps nobody waiting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from jobs_app.engine.dispatcher import IN_BRISK_HAND, Dispatcher
from jobs_app.models import Job
from runspaces_app.member import CLOSING, READY
from runspaces_app.recycling import PoolSettings
from runspaces_app.worker import mark
from taskhub.core.clock import FakeClock
from tests.support import NOON

from .conftest import EngineInTest

Submit = Callable[..., Job]

POOL = PoolSettings("default", "lean", True, 2, 10, 300, 5, 30, True, -1, -1, -1, 10 << 20)


@dataclass
class _Claim:
    reuse: bool = True


@dataclass
class _Holding:
    begun_boot: float | None
    claim: _Claim
    cancel_boot: float | None = None


@dataclass(eq=False)
class _Member:
    held: list[_Holding]
    last_seconds: float = 1.0
    pool: PoolSettings = POOL
    phase: str = READY
    worn: str = ""
    jobs_run: int = 1


def _places(*members: _Member, running_for: float = 0.0) -> tuple[list[_Member], list[_Member]]:
    clock = FakeClock(NOON)
    keeper: Any = list(members)
    for member in members:
        for holding in member.held[:1]:
            holding.begun_boot = clock.boottime() - running_for
    free, ahead = Dispatcher(keeper, engine=1, clock=clock).capacity("default")
    return free, ahead  # type: ignore[return-value]


def _busy(jobs: int = 1, **more: Any) -> _Member:
    return _Member([_Holding(None, _Claim()) for _ in range(jobs)], **more)


def test_behind_a_job_of_unknown_length_one_may_wait() -> None:
    member = _busy()
    assert _places(member) == ([], [member])
    assert _places(_busy(2)) == ([], [])


def test_behind_a_brisk_runspaces_job_as_many_wait_as_its_mark_file_remembers() -> None:
    member = _busy(last_seconds=0.001)
    assert mark.ENTRIES == IN_BRISK_HAND
    assert _places(member) == ([], [member] * (IN_BRISK_HAND - 1))


def test_a_free_brisk_runspace_takes_the_first_job_and_those_behind_it() -> None:
    member = _Member([], last_seconds=0.001)
    assert _places(member) == ([member], [member] * (IN_BRISK_HAND - 1))


def test_the_places_behind_the_fewest_jobs_are_taken_first() -> None:
    full, empty = _busy(4, last_seconds=0.001), _busy(2, last_seconds=0.001)
    _, ahead = _places(full, empty)
    assert ahead[-1] is empty and ahead[-2] is empty
    assert ahead.count(full) == 2 and ahead.count(empty) == 4


@pytest.mark.parametrize(
    "member",
    [
        _busy(last_seconds=0.001, worn="ran 3 jobs"),
        _busy(last_seconds=0.001, phase=CLOSING),
        _busy(last_seconds=0.001, pool=POOL._replace(reuse=False)),
        _busy(last_seconds=0.001, pool=POOL._replace(max_jobs=2)),
        _Member([_Holding(None, _Claim(reuse=False))], last_seconds=0.001),
        _Member([_Holding(None, _Claim(), cancel_boot=1.0)], last_seconds=0.001),
    ],
)
def test_who_is_about_to_go_takes_nothing_ahead(member: _Member) -> None:
    assert _places(member) == ([], [])


def test_behind_a_job_that_takes_long_nothing_waits() -> None:
    assert _places(_busy(last_seconds=0.001), running_for=0.06) == ([], [])


def test_a_pools_limit_of_jobs_counts_what_is_handed_ahead() -> None:
    member = _busy(last_seconds=0.001, pool=POOL._replace(max_jobs=4))
    assert _places(member) == ([], [member] * 2)


def test_jobs_behind_a_long_one_are_taken_back_and_run_elsewhere(
    engine: EngineInTest, submit: Submit
) -> None:
    engine.run(*[submit() for _ in range(30)])
    sleeper = submit("import time; time.sleep(30)")
    others = [submit() for _ in range(20)]

    engine.run(*others, timeout=10)

    sleeper.refresh_from_db()
    assert sleeper.state == "running"
    assert {job.state for job in others} == {"completed"}
    assert {job.attempt for job in others} == {1}
