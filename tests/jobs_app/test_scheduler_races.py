"""Several engines at one due time, each with a connection of its own."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction

from jobs_app import task_outcomes
from jobs_app.engine import scheduler
from jobs_app.models import Job
from jobs_app.states import JobState
from jobs_app.task_outcomes import EndedRun
from taskhub.core import failpoints, runtime_settings
from taskhub.core.audit import SYSTEM
from taskhub.core.clock import FakeClock
from taskhub.core.models import AuditEntry
from tasks_app.definitions import Loader
from tasks_app.models import Occurrence, Task
from tests.support import MINUTE, NOON, make_pool, make_task

pytestmark = pytest.mark.django_db(transaction=True)

ENGINES = 4


@pytest.fixture(autouse=True)
def clean_house(home, transactional_db):
    runtime_settings.forget_cached()
    make_pool("default")


def together(work):
    """Run `work` in as many threads as there are engines; returns what each gave."""

    def one(index):
        try:
            return work(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(ENGINES, thread_name_prefix="engine") as pool:
        return list(pool.map(one, range(ENGINES)))


@pytest.fixture
def all_have_planned(monkeypatch):
    """Every engine has read the same due times before the first of them writes."""
    barrier = threading.Barrier(ENGINES, timeout=20)
    met = threading.local()

    def hit(name):
        if name == "scheduler.planned" and not getattr(met, "once", False):
            met.once = True
            barrier.wait()

    monkeypatch.setattr(failpoints, "hit", hit)


def test_one_due_time_makes_one_job_however_many_engines_decide_it(all_have_planned):
    tasks = [make_task(schedule="* * * * *", next_due_at=NOON, overlap="allow") for _ in range(50)]
    clock = FakeClock(NOON)
    found = together(lambda _: scheduler.decide(clock=clock))
    assert any(found)
    assert Job.objects.count() == Occurrence.objects.count() == len(tasks)
    assert set(Occurrence.objects.values_list("job", flat=True)) == set(
        Job.objects.values_list("uuid", flat=True)
    )
    assert set(Task.objects.values_list("next_due_at", flat=True)) == {NOON + MINUTE}


def test_minutes_of_several_engines_have_nothing_missing_and_nothing_double():
    for index in range(20):
        make_task(schedule="* * * * *" if index % 2 else "*/2 * * * *", next_due_at=NOON, overlap="allow")
    clocks = [FakeClock(NOON + timedelta(seconds=index)) for index in range(ENGINES)]

    def live(index):
        for _ in range(10):
            scheduler.decide(clock=clocks[index])
            clocks[index].advance(60)

    together(live)
    counts = Counter(Occurrence.objects.values_list("task", flat=True))
    assert sorted(counts.values()) == [5] * 10 + [10] * 10
    fired = Occurrence.objects.filter(decision="fired")
    assert Job.objects.count() == fired.count()
    assert not Occurrence.objects.exclude(reason__in=["", "misfire"]).exists()


def test_the_limit_holds_with_several_engines(all_have_planned):
    runtime_settings.set_value("max_concurrent_tasks", 3, actor=SYSTEM, now=NOON)
    for _ in range(12):
        make_task(schedule="* * * * *", next_due_at=NOON)
    together(lambda _: scheduler.decide(clock=FakeClock(NOON)))
    assert Job.objects.filter(held="").count() == 3
    assert Job.objects.filter(held="limit").count() == 9
    Job.objects.filter(held="").update(state=JobState.COMPLETED, finished_at=NOON)
    together(lambda _: scheduler.release(clock=FakeClock(NOON)))
    assert Job.objects.filter(held="", finished_at=None).count() == 3


def test_engines_that_load_the_same_files_at_once_agree(home):
    lines = [f"  - {{name: T{index}, scriptPath: a.py, schedule: '0 * * * *'}}\n" for index in range(50)]
    (home / "config" / "tasks.yaml").write_text("tasks:\n" + "".join(lines))
    together(lambda _: Loader().step(now=NOON))
    assert Task.objects.count() == 50
    assert set(Task.objects.values_list("schedule_version", "next_due_at")) == {
        (1, NOON + timedelta(hours=1))
    }


def test_failures_that_end_at_once_add_up_and_disable_once():
    task = make_task(max_failures=3)
    barrier = threading.Barrier(ENGINES, timeout=20)

    def fail(index):
        barrier.wait()
        for _ in range(5):
            with transaction.atomic():
                run = EndedRun(
                    task=task.pk, job=uuid4(), attempt=1, state="failed", reason="error", status="failed",
                    started_at=NOON, finished_at=NOON, will_retry=False, cancelled=False,
                )  # fmt: skip
                task_outcomes.record([run], now=NOON)

    together(fail)
    task.refresh_from_db()
    assert (task.failure_count, task.enabled) == (5 * ENGINES, False)
    assert AuditEntry.objects.filter(action="task.disable").count() == 1


def test_an_engine_that_dies_before_its_commit_leaves_all_of_it_to_the_next(monkeypatch):
    class Died(Exception):
        pass

    def hit(name):
        if name == "scheduler.commit.before":
            raise Died

    make_task(schedule="* * * * *", next_due_at=NOON)
    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "hit", hit)
        with pytest.raises(Died):
            scheduler.decide(clock=FakeClock(NOON))
    assert not Job.objects.exists() and not Occurrence.objects.exists()
    assert scheduler.decide(clock=FakeClock(NOON))
    assert Job.objects.count() == Occurrence.objects.count() == 1
