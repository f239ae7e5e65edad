"""The clock, and the one that tests move."""

import time
from datetime import UTC, timedelta

import pytest

from taskhub.core.clock import SYSTEM, FakeClock
from tests.support import NOON

pytestmark = pytest.mark.one_database


def test_now_is_aware_and_in_utc():
    assert SYSTEM.now().tzinfo is UTC


def test_the_boot_clock_runs_at_least_as_far_as_the_monotonic_one():
    monotonic = SYSTEM.monotonic()
    assert 0 < monotonic <= SYSTEM.boottime()
    assert monotonic <= time.monotonic()


def test_the_boot_id_stays_the_same():
    assert SYSTEM.boot_id() == SYSTEM.boot_id()
    assert len(SYSTEM.boot_id()) == 36


def test_advance_moves_all_clocks():
    clock = FakeClock(NOON)
    before = clock.monotonic(), clock.boottime()
    clock.advance(90)
    assert clock.now() == NOON + timedelta(seconds=90)
    assert (clock.monotonic(), clock.boottime()) == (before[0] + 90, before[1] + 90)


def test_step_moves_the_wall_clock_alone():
    clock = FakeClock(NOON)
    before = clock.monotonic()
    clock.step(-3600)
    assert clock.now() == NOON - timedelta(hours=1)
    assert clock.monotonic() == before


def test_time_does_not_pass_backwards():
    with pytest.raises(ValueError, match="at least 0, got -1"):
        FakeClock(NOON).advance(-1)


def test_a_reboot_is_told_by_the_boot_id():
    clock = FakeClock(NOON)
    before = clock.boot_id()
    clock.reboot("another")
    assert clock.boot_id() != before
    assert clock.boottime() == 0
