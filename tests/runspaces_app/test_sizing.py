"""How many runspaces a pool has, when each is replaced, and when they collect their garbage."""

from typing import Any, cast

import pytest

from runspaces_app import recycling, sizing
from runspaces_app.member import CLOSING, OPENING, READY, Member
from runspaces_app.recycling import LONGEST_PAUSE_SECONDS, Pauses, PoolSettings

pytestmark = pytest.mark.one_database

POOL = PoolSettings(
    name="default", kind="lean", enabled=True, min_runspaces=2, max_runspaces=4, idle_seconds=300.0, grace_seconds=5.0,
    drain_seconds=30.0, reuse=True, max_jobs=-1, max_age_seconds=-1, max_memory_bytes=-1, output_cap_bytes=-1,
)  # fmt: skip
NOW = 10_000.0


def member(phase: str = READY, *, idle: float = 0.0, held: int = 0) -> Member:
    made = Member(cast(Any, None), POOL, number=1, opened=0.0, phase=phase, free_since=NOW - idle)
    made.held = [object()] * held
    return made


def members(ready: int = 0, *, opening: int = 0, closing: int = 0, busy: int = 0) -> list[Member]:
    return (
        [member() for _ in range(ready)] + [member(held=1) for _ in range(busy)]
        + [member(OPENING) for _ in range(opening)] + [member(CLOSING) for _ in range(closing)]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("present", "wanted", "opened"),
    [
        ({}, False, 2), ({"ready": 1}, False, 1), ({"opening": 1}, False, 1), ({"ready": 2}, False, 0),
        ({"busy": 2}, True, 1), ({"busy": 2, "opening": 1}, True, 0), ({"busy": 3, "opening": 1}, True, 0),
        ({"busy": 4}, True, 0), ({}, True, 2), ({"busy": 5}, True, 0),
        # One that leaves makes room, but not for ever more of them.
        ({"busy": 3, "closing": 1}, True, 1), ({"busy": 3, "closing": 3}, True, 0), ({"closing": 2}, False, 2),
        ({"closing": 5}, False, 1), ({"closing": 6}, False, 0),
    ],
)  # fmt: skip
def test_up_to_the_minimum_at_once_and_beyond_it_one_by_one(
    present: dict[str, int], wanted: bool, opened: int
) -> None:
    assert sizing.to_open(POOL, members(**present), wanted=wanted, paused=False) == opened


def test_nothing_opens_in_a_pool_that_is_off_or_pauses() -> None:
    off = POOL._replace(enabled=False)
    assert sizing.to_open(off, [], wanted=True, paused=False) == 0
    assert sizing.to_open(POOL, [], wanted=True, paused=True) == 0


def test_a_pool_whose_minimum_is_nothing_opens_for_work_alone() -> None:
    none = POOL._replace(min_runspaces=0)
    assert sizing.to_open(none, [], wanted=False, paused=False) == 0
    assert sizing.to_open(none, [], wanted=True, paused=False) == 1


def closed(pool: PoolSettings, present: list[Member], worn: str = "") -> list[str]:
    return [why for _, why in sizing.to_close(pool, present, now=NOW, worn=lambda _: worn)]


def test_idle_ones_above_the_minimum_are_closed() -> None:
    present = [member(idle=400), member(idle=301), member(idle=300), member(idle=299)]
    assert closed(POOL, present) == ["without work for 400 s", "without work for 301 s"]
    assert closed(POOL, [member(idle=9999)] * 2) == []


def test_busy_and_opening_ones_stay_however_long() -> None:
    busy = [member(idle=9999, held=1) for _ in range(4)]
    assert closed(POOL, busy) == []
    assert closed(POOL, [member(OPENING, idle=9999) for _ in range(4)]) == []


def test_idle_ones_stay_for_ever_where_there_is_no_limit() -> None:
    assert closed(POOL._replace(idle_seconds=-1), [member(idle=10**9) for _ in range(4)]) == []


def test_a_lowered_maximum_closes_what_is_too_many_at_once() -> None:
    assert len(closed(POOL._replace(max_runspaces=2), [member() for _ in range(4)])) == 2
    assert len(closed(POOL._replace(max_runspaces=2), [*members(busy=3), member()])) == 1


def test_a_pool_that_is_switched_off_closes_all_and_none_twice() -> None:
    off = POOL._replace(enabled=False)
    assert closed(off, members(ready=1, busy=1, opening=1, closing=1)) == ["the pool is switched off"] * 3


def test_a_worn_one_is_closed_though_the_minimum_is_not_reached() -> None:
    assert closed(POOL, [member()], worn="ran 5 jobs") == ["ran 5 jobs"]


# Recycling


@pytest.mark.parametrize(
    ("limits", "facts", "why"),
    [
        ({}, {}, ""), ({}, {"jobs_run": 10**6, "age": 10**8, "memory": 10**12}, ""),
        ({"reuse": False}, {"jobs_run": 1}, "the pool uses each runspace once"), ({"reuse": False}, {}, ""),
        ({"max_jobs": 5}, {"jobs_run": 4}, ""), ({"max_jobs": 5}, {"jobs_run": 5}, "ran 5 jobs"),
        ({"max_age_seconds": 60.0}, {"age": 59.9}, ""), ({"max_age_seconds": 60.0}, {"age": 60.0}, "60 s old"),
        ({"max_memory_bytes": 100 << 20}, {"memory": 100 << 20}, ""),
        ({"max_memory_bytes": 100 << 20}, {"memory": 101 << 20}, "uses 101 MiB"),
        ({}, {"stamp": "a", "app_stamp": "a"}, ""), ({}, {"stamp": "a", "app_stamp": "b"}, "the app's files changed"),
        ({}, {"stamp": "a", "app_stamp": ""}, "the app's files changed"), ({}, {"stamp": "", "app_stamp": "b"}, ""),
    ],
)  # fmt: skip
def test_when_one_is_replaced(limits: dict[str, Any], facts: dict[str, Any], why: str) -> None:
    known: dict[str, Any] = {"jobs_run": 0, "age": 0.0, "memory": 0, "stamp": "", "app_stamp": ""}
    assert recycling.reason(POOL._replace(**limits), **(known | facts)) == why


def test_collections_are_spread_over_twenty_minutes_of_the_hour() -> None:
    minutes = [recycling.collection_minute(index) for index in range(200)]
    assert minutes == [(index * 3) % 60 for index in range(200)]
    assert len(set(minutes)) == 20
    # Twenty neighbours never share a minute.
    assert all(len(set(minutes[start : start + 20])) == 20 for start in range(180))


# Pauses


def test_each_failure_to_open_makes_the_pause_longer_up_to_its_longest() -> None:
    pauses, now, waits = Pauses(), 0.0, []
    for _ in range(10):
        wait = pauses.failed("default", now=now)
        assert wait is not None
        waits.append(wait)
        assert pauses.paused("default", now=now + wait - 0.01)
        assert not pauses.paused("default", now=now + wait)
        now += wait
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_PAUSE_SECONDS


def test_several_that_go_down_together_count_as_one() -> None:
    pauses = Pauses()
    assert pauses.failed("default", now=0) == 0.5
    assert pauses.failed("default", now=0.1) is None
    assert pauses.failed("default", now=0.5) == 1.0


def test_one_that_comes_up_ends_the_pause_of_its_pool_alone() -> None:
    pauses = Pauses()
    pauses.failed("default", now=0)
    pauses.failed("django", now=0)
    pauses.over("default")
    assert not pauses.paused("default", now=0)
    assert pauses.paused("django", now=0)
    assert pauses.failed("default", now=0) == 0.5
