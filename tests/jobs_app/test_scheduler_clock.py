"""Due times when the clock is set back or forward under them."""

from datetime import timedelta

import pytest

from jobs_app.engine import scheduler
from taskhub.core.clock import FakeClock
from taskhub.core.models import AuditEntry
from tasks_app.models import Occurrence
from tests.jobs_app.test_scheduler import clean_house, decide_all, decisions, due_task  # noqa: F401 - a fixture
from tests.support import MINUTE, NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    return FakeClock(NOON)


@pytest.mark.parametrize("back", [timedelta(hours=4), timedelta(days=365)])
def test_a_clock_found_far_behind_begins_anew_and_says_so_once(clock, back):
    task = due_task(overlap="allow")
    for _ in range(3):
        decide_all(clock)
        clock.advance(60)
    clock.step(-back.total_seconds())
    decide_all(clock)
    decide_all(clock)
    assert set(Occurrence.objects.values_list("void", "reason")) == {(True, "clock")}
    assert AuditEntry.objects.filter(action="clock.back").count() == 1
    task.refresh_from_db()
    assert task.next_due_at == clock.now() + MINUTE
    clock.advance(60)
    decide_all(clock)
    assert Occurrence.objects.filter(void=False).get().decision == "fired"
    clock.step(back.total_seconds())
    decide_all(clock)
    due = list(Occurrence.objects.filter(void=False).values_list("due_at", flat=True))
    assert len(due) == len(set(due))
    missed = sum(Occurrence.objects.filter(void=False).values_list("count", flat=True))
    assert missed == back.total_seconds() / 60 + 1


def test_a_clock_less_than_three_hours_behind_is_waited_for(clock):
    task = due_task()
    decide_all(clock)
    clock.step(-3 * 3600 + 60)
    assert not scheduler.decide(clock=clock)
    task.refresh_from_db()
    assert task.next_due_at == NOON + MINUTE
    assert not AuditEntry.objects.filter(action="clock.back").exists()


def test_a_stretch_decided_by_a_clock_a_year_ahead_is_cut_at_now(clock):
    task = due_task()
    clock.step(365 * 86_400)
    decide_all(clock)
    clock.step(-365 * 86_400 + 600)
    decide_all(clock)
    row = Occurrence.objects.get(void=False)
    assert (row.due_at, row.until, row.count) == (NOON, NOON + 10 * MINUTE, 11)
    task.refresh_from_db()
    assert task.next_due_at == NOON + 11 * MINUTE


def test_a_one_off_time_taken_by_a_wrong_clock_comes_again(clock):
    task = due_task(schedule="", at=NOON + timedelta(days=30), due_at=NOON + timedelta(days=30))
    clock.step(31 * 86_400)
    decide_all(clock)
    clock.step(-31 * 86_400)
    decide_all(clock)
    task.refresh_from_db()
    assert task.next_due_at == task.at
