"""Misfire and overlap together, and runs that wait for an earlier run of their task."""

from collections import Counter

import pytest

from jobs_app.engine import scheduler
from jobs_app.models import Execution, Job
from jobs_app.states import JobState
from taskhub.core import runtime_settings
from taskhub.core.audit import SYSTEM
from taskhub.core.clock import FakeClock
from tasks_app.definitions import schema
from tasks_app.models import Occurrence
from tasks_app.schedule import overlap
from tests.support import MINUTE, NOON, make_job, make_pool, make_task

pytestmark = pytest.mark.django_db

# Jobs that start at once, jobs that wait, due times skipped as missed, due times skipped as overlapping.
ONE_MISSED = {"skip": (0, 0, 5, 0), "run_once": (1, 0, 4, 0)}
IDLE = {
    ("run_all", "skip"): (1, 0, 0, 4),
    ("run_all", "queue_one"): (1, 1, 0, 3),
    ("run_all", "queue_all"): (1, 4, 0, 0),
    ("run_all", "cancel_previous"): (1, 0, 0, 4),
    ("run_all", "allow"): (5, 0, 0, 0),
} | {
    (misfire, policy): counts for misfire, counts in ONE_MISSED.items() for policy in overlap.POLICIES
}  # fmt: skip
BUSY = {("skip", policy): (0, 0, 5, 0) for policy in overlap.POLICIES} | {
    ("run_once", "skip"): (0, 0, 4, 1),
    ("run_once", "queue_one"): (0, 1, 4, 0),
    ("run_once", "queue_all"): (0, 1, 4, 0),
    ("run_once", "cancel_previous"): (0, 1, 4, 0),
    ("run_once", "allow"): (1, 0, 4, 0),
    ("run_all", "skip"): (0, 0, 0, 5),
    ("run_all", "queue_one"): (0, 1, 0, 4),
    ("run_all", "queue_all"): (0, 5, 0, 0),
    ("run_all", "cancel_previous"): (0, 1, 0, 4),
    ("run_all", "allow"): (5, 0, 0, 0),
}


@pytest.fixture(autouse=True)
def clean_house(home, db):
    runtime_settings.forget_cached()
    make_pool("default")


@pytest.fixture
def clock():
    return FakeClock(NOON)


def decide_all(clock):
    while scheduler.decide(clock=clock):
        pass


def waiting():
    return list(Job.objects.filter(held="overlap", finished_at=None).order_by("uuid"))


def end(job):
    Job.objects.filter(pk=job.pk).update(state=JobState.COMPLETED, finished_at=NOON, held="")


def test_each_combination_is_in_the_tables():
    assert len(IDLE) == len(BUSY) == 15


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize(("misfire", "policy"), sorted(IDLE))
def test_five_missed_due_times_have_exactly_these_decisions(clock, misfire, policy, busy):
    task = make_task(schedule="*/10 * * * *", next_due_at=NOON - 40 * MINUTE, misfire=misfire, overlap=policy)
    if busy:
        make_job(task=task, state=JobState.RUNNING, now=NOON - 60 * MINUTE)
    clock.advance(300)
    decide_all(clock)
    made = Counter(Job.objects.filter(source="engine").values_list("held", flat=True))
    reasons = Counter(Occurrence.objects.filter(decision="skipped").values_list("reason", flat=True))
    found = (made[""], made["overlap"], reasons["misfire"], reasons["overlap"])
    assert found == (BUSY if busy else IDLE)[misfire, policy]
    assert Occurrence.objects.filter(task=task).count() == 5
    task.refresh_from_db()
    assert task.next_due_at == NOON + 10 * MINUTE


def test_a_run_that_waits_begins_when_the_one_before_it_has_ended(clock):
    task = make_task(schedule="* * * * *", next_due_at=NOON, overlap="queue_all")
    for _ in range(3):
        decide_all(clock)
        clock.advance(60)
    first = Job.objects.get(held="")
    second, third = waiting()
    assert second.waiting_for == "overlap"
    decide_all(clock)
    Job.objects.filter(due_at__gt=third.due_at).delete()
    end(first)
    scheduler.release(clock=clock)
    second.refresh_from_db()
    assert (second.held, waiting()) == ("", [third])
    scheduler.release(clock=clock)
    assert waiting() == [third], "the second has not ended yet"
    end(second)
    scheduler.release(clock=clock)
    third.refresh_from_db()
    assert third.held == "" and task.pk == third.task_id


def test_a_hundred_wait_and_no_more(clock):
    make_task(schedule="* * * * *", next_due_at=NOON, overlap="queue_all")
    for _ in range(overlap.MOST_WAITING + 3):
        decide_all(clock)
        clock.advance(60)
    assert len(waiting()) == overlap.MOST_WAITING
    assert Occurrence.objects.filter(reason="overlap").count() == 2


def test_one_that_waits_goes_to_the_end_of_the_limit_like_any_other(clock):
    runtime_settings.set_value("max_concurrent_tasks", 1, actor=SYSTEM, now=NOON)
    task = make_task(schedule="* * * * *", next_due_at=NOON, overlap="queue_one")
    decide_all(clock)
    clock.advance(60)
    decide_all(clock)
    make_job(task=make_task(), state=JobState.RUNNING)
    end(Job.objects.get(task=task, held=""))
    scheduler.release(clock=clock)
    assert Job.objects.get(task=task, finished_at=None).held == "limit"


def test_cancel_previous_asks_the_running_one_to_stop_and_starts_after_it(clock):
    task = make_task(schedule="* * * * *", next_due_at=NOON, overlap="cancel_previous")
    before = make_job(task=task, state=JobState.RUNNING, now=NOON - MINUTE)
    decide_all(clock)
    before.refresh_from_db()
    assert (before.state, before.cancel_requested_at, before.cancelled_by) == ("running", NOON, "engine")
    (new,) = waiting()
    end(before)
    scheduler.release(clock=clock)
    new.refresh_from_db()
    assert (new.held, new.cancel_requested_at) == ("", None)


def test_cancel_previous_stops_what_has_not_begun_at_once(clock):
    make_task(schedule="* * * * *", next_due_at=NOON, overlap="cancel_previous")
    decide_all(clock)
    first = Job.objects.get()
    clock.advance(60)
    decide_all(clock)
    first.refresh_from_db()
    assert (first.state, first.reason) == ("stopped", "user")
    assert Execution.objects.get().cancelled_by == "engine"
    assert Job.objects.get(finished_at=None).held == ""


def test_files_know_all_policies():
    for policy in overlap.POLICIES:
        text = f"[{{name: A, code: '1', schedule: {{cron: '@daily', overlap: {policy}}}}}]"
        assert schema.parse(text, file="tasks.yaml").definitions[0].overlap == policy
