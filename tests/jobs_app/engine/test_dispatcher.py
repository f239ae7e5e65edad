"""How many jobs a runspace may hold, and that holding them keeps nobody waiting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from jobs_app.engine.dispatcher import IN_BRISK_HAND, IN_HAND, Dispatcher
from jobs_app.engine.watchdog import Watchdog
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
    job: str = ""
    timeout: int = -1
    expires_at: None = None


@dataclass
class _Holding:
    begun_boot: float | None
    claim: _Claim
    cancel_boot: float | None = None
    started_at: str | None = "a moment ago"
    imposed: str = ""
    kill_boot: float | None = None
    take_back_sent: bool = False


@dataclass(eq=False)
class _Member:
    held: list[_Holding]
    last_seconds: float = 1.0
    pool: PoolSettings = POOL
    phase: str = READY
    worn: str = ""
    jobs_run: int = 1


class _Keeper(list[_Member]):
    """As much of the keeper as the watchdog uses, and a count of the frames it sends."""

    sent = 0

    def of_pool(self, name: str) -> list[_Member]:
        return [member for member in self if member.pool.name == name]

    def send(self, member: _Member, frames: bytes) -> None:
        self.sent += 1


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
    assert ahead.count(full) == IN_BRISK_HAND - 4 and ahead.count(empty) == IN_BRISK_HAND - 2


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


@pytest.mark.parametrize(
    ("last_seconds", "other_is_free", "back"), [(0.02, True, 3), (0.02, False, 0), (0.001, True, 0)]
)
def test_behind_jobs_that_are_not_brisk_any_more_only_one_waits_if_another_is_free(
    last_seconds: float, other_is_free: bool, back: int
) -> None:
    clock = FakeClock(NOON)
    member = _busy(IN_HAND + 3, last_seconds=last_seconds)
    member.held[0].begun_boot = clock.boottime()
    keeper = _Keeper([member, _Member([]) if other_is_free else _busy()])
    watchdog = Watchdog(keeper, engine=1, clock=clock, on_begun=lambda *_: None)  # type: ignore[arg-type]

    watchdog.step()

    assert [holding.take_back_sent for holding in member.held] == [False] * (IN_HAND + 3 - back) + [
        True
    ] * back
    assert keeper.sent == back


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
