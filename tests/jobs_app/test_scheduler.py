"""Due times into jobs, step by step, on a clock of the test's own."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from jobs_app import task_runs
from jobs_app.engine import scheduler, task_limit
from jobs_app.models import Job
from jobs_app.states import JobState
from taskhub.core import failpoints, runtime_settings
from taskhub.core.audit import SYSTEM, Actor
from taskhub.core.clock import FakeClock
from tasks_app.models import Occurrence, Task
from tasks_app.switching import switch
from tests.support import MINUTE, NOON, make_job, make_pool, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clean_house(home, db):
    runtime_settings.forget_cached()
    make_pool("default")


@pytest.fixture
def clock():
    return FakeClock(NOON)


def due_task(name="sweep", *, due_at=NOON, schedule="* * * * *", **fields):
    return make_task(name, schedule=schedule, next_due_at=due_at, **fields)


def decisions(task):
    rows = Occurrence.objects.filter(task=task).order_by("due_at")
    return [(row.due_at.strftime("%H:%M"), row.decision, row.reason) for row in rows]


def decide_all(clock):
    while scheduler.decide(clock=clock):
        pass


def test_a_due_task_becomes_a_queued_job_and_one_occurrence(clock):
    task = due_task(
        "sweep", parameters={"a": [1]}, environment={"B": "2"}, max_runtime=7, priority=3, max_attempts=4
    )

    assert scheduler.decide(clock=clock)

    job = Job.objects.select_related("spec").get()
    assert (job.state, job.held, job.name) == (JobState.QUEUED, "", "Task_sweep_20260310_120000")
    assert (job.task_id, job.source, job.trigger, job.owner_id) == (task.pk, "engine", "scheduled", None)
    assert (job.affinity, job.pool, job.language, job.app) == ("app:", "default", "python", "")
    assert (job.timeout, job.priority, job.max_attempts, job.kill_on_timeout) == (7, 3, 4, True)
    assert (job.due_at, job.created_at, job.queued_at) == (NOON, NOON, NOON)
    assert job.public_id == str(job.uuid)
    assert (job.spec.code, job.spec.parameters.replace(" ", ""), job.spec.environment.replace(" ", "")) == (
        "1 + 1", '{"a":[1]}', '{"B":"2"}',
    )  # fmt: skip
    occurrence = Occurrence.objects.get()
    assert (occurrence.decision, occurrence.job, occurrence.due_at) == ("fired", job.uuid, NOON)
    task.refresh_from_db()
    assert task.next_due_at == NOON + MINUTE


def test_a_queued_job_is_one_that_can_be_loaded_and_saved_as_any_other(clock):
    due_task()
    scheduler.decide(clock=clock)
    job = Job.objects.get()
    job.full_clean(exclude=["owner", "parent"])
    assert (job.status_message, job.percent, job.attempt, job.fence) == ("Not started", 0, 1, 0)


def test_nothing_is_found_when_nothing_is_due(clock):
    due_task(due_at=NOON + MINUTE)
    make_task("by hand")
    assert not scheduler.decide(clock=clock)
    assert not Job.objects.exists()


def test_the_default_timeout_of_the_settings_holds_where_the_task_names_none(clock):
    runtime_settings.set_value("default_timeout", 77, actor=SYSTEM, now=NOON)
    due_task()
    scheduler.decide(clock=clock)
    assert Job.objects.get().timeout == 77


def test_next_due_is_the_earliest_cursor(clock):
    assert scheduler.next_due(NOON) is None
    due_task("late", due_at=NOON + 2 * MINUTE)
    due_task("early", due_at=NOON + MINUTE)
    assert scheduler.next_due(NOON) == NOON + MINUTE


def test_a_task_that_still_runs_is_not_started_again(clock):
    task = due_task()
    decide_all(clock)
    clock.advance(60)
    decide_all(clock)
    assert decisions(task) == [("12:00", "fired", ""), ("12:01", "skipped", "overlap")]
    Job.objects.update(state=JobState.COMPLETED, finished_at=NOON)
    clock.advance(60)
    decide_all(clock)
    assert decisions(task)[-1] == ("12:02", "fired", "")


@pytest.mark.parametrize("held", ["", "limit", "retry"])
def test_a_run_that_waits_counts_as_running(clock, held):
    task = due_task()
    make_job(task=task, state=JobState.QUEUED, held=held, available_at=NOON + 99 * MINUTE)
    decide_all(clock)
    assert decisions(task) == [("12:00", "skipped", "overlap")]


def test_overlap_may_be_allowed(clock):
    task = due_task(overlap="allow")
    make_job(task=task, state=JobState.RUNNING)
    decide_all(clock)
    assert decisions(task) == [("12:00", "fired", "")]


def test_a_minute_late_is_on_time_and_each_due_time_counts(clock):
    task = due_task(due_at=NOON - MINUTE, overlap="allow")
    decide_all(clock)
    assert decisions(task) == [("11:59", "fired", ""), ("12:00", "fired", "")]


@pytest.mark.parametrize(
    ("misfire", "fired"),
    [("skip", []), ("run_once", ["11:55"]), ("run_all", ["11:40", "11:45", "11:50", "11:55"])],
)
def test_missed_due_times_run_as_the_policy_says(clock, misfire, fired):
    task = due_task(due_at=NOON - 20 * MINUTE, schedule="*/5 * * * *", misfire=misfire, overlap="allow")
    clock.step(-120)
    clock.advance(90)  # 11:59:30, so that no due time is on time
    decide_all(clock)
    found = decisions(task)
    assert [due for due, decision, _ in found if decision == "fired"] == fired
    assert {reason for _, decision, reason in found if decision == "skipped"} <= {"misfire"}
    assert len(found) == 4
    task.refresh_from_db()
    assert task.next_due_at == NOON


def test_a_run_that_is_due_now_makes_up_for_missed_ones(clock):
    task = due_task(due_at=NOON - 10 * MINUTE, schedule="*/5 * * * *")
    decide_all(clock)
    assert decisions(task) == [
        ("11:50", "skipped", "misfire"), ("11:55", "skipped", "misfire"), ("12:00", "fired", ""),
    ]  # fmt: skip


def test_three_hours_of_downtime_leave_twenty_rows_and_one_for_the_rest(clock):
    task = due_task(due_at=NOON - timedelta(hours=3))
    decide_all(clock)
    rows = list(Occurrence.objects.filter(task=task).order_by("due_at"))
    older, newest = rows[0], rows[1:]
    assert (older.due_at, older.until, older.count) == (NOON - timedelta(hours=3), NOON - 20 * MINUTE, 161)
    assert (older.decision, older.reason) == ("skipped", "misfire")
    assert [row.due_at for row in newest] == [NOON - index * MINUTE for index in range(19, -1, -1)]
    assert [row.decision for row in newest].count("fired") == 1
    assert Job.objects.count() == 1


def test_a_year_ahead_is_decided_at_once(clock):
    task = due_task()
    clock.step(365 * 86_400)
    decide_all(clock)
    rows = Occurrence.objects.filter(task=task)
    assert sum(row.count for row in rows) == 365 * 1440 + 1
    assert len(rows) == 21


def test_a_step_back_fires_nothing_twice(clock):
    task = due_task()
    decide_all(clock)
    Job.objects.update(state=JobState.COMPLETED, finished_at=NOON)
    clock.step(-300)
    # Edited meanwhile, so that the cursor is set anew from the earlier time.
    Task.objects.filter(pk=task.pk).update(next_due_at=NOON - MINUTE)
    for _ in range(6):
        clock.advance(60)
        decide_all(clock)
    assert len([one for one in decisions(task) if one[0] == "12:00"]) == 1
    assert Job.objects.filter(due_at=NOON).count() == 1


def test_a_disabled_task_has_one_row_for_the_time_it_is_off(clock):
    task = due_task(enabled=False)
    decide_all(clock)
    clock.advance(3600)
    decide_all(clock)
    assert decisions(task) == [("12:00", "skipped", "disabled")]
    assert not Job.objects.exists()


def test_tasks_of_an_app_that_is_off_do_not_run(clock, home):
    task = due_task(app="Shop")
    decide_all(clock)
    assert decisions(task) == [("12:00", "skipped", "app_disabled")]
    assert not Job.objects.exists()


def test_tasks_of_an_app_that_is_on_run_in_its_name(clock, home):
    folder = home / "apps" / "Shop"
    folder.mkdir()
    (folder / "app.yaml").write_text("name: Shop\nversion: 1\nenabled: true\n")
    due_task(app="Shop")
    decide_all(clock)
    job = Job.objects.get()
    assert (job.app, job.affinity) == ("Shop", "app:Shop")


def test_a_one_off_time_is_consumed(clock):
    task = due_task(schedule="", at=NOON)
    decide_all(clock)
    task.refresh_from_db()
    assert (decisions(task), task.next_due_at) == ([("12:00", "fired", "")], None)


def test_a_task_that_cannot_be_understood_stops_no_other(clock, caplog):
    bad = due_task("bad", schedule="not cron")
    good = due_task("good")
    with caplog.at_level(logging.CRITICAL):
        decide_all(clock)
    assert decisions(bad) == [("12:00", "skipped", "invalid")]
    assert decisions(good) == [("12:00", "fired", "")]


def test_an_edit_between_plan_and_write_wins(clock, monkeypatch):
    task = due_task()

    def edited(name):
        if name == "scheduler.planned":
            Task.objects.filter(pk=task.pk).update(schedule_version=2, next_due_at=NOON + 5 * MINUTE)

    monkeypatch.setattr(failpoints, "hit", edited)
    decide_all(clock)
    task.refresh_from_db()
    assert task.next_due_at == NOON + 5 * MINUTE
    assert not Job.objects.exists() and not Occurrence.objects.exists()


def test_more_than_a_batch_is_decided_in_one_step(clock, monkeypatch):
    monkeypatch.setattr(scheduler, "BATCH", 3)
    for index in range(8):
        due_task(f"task-{index}")
    assert scheduler.decide(clock=clock)
    assert Job.objects.count() == 8


def test_beyond_the_limit_jobs_are_held_and_not_skipped(clock):
    runtime_settings.set_value("max_concurrent_tasks", 2, actor=SYSTEM, now=NOON)
    for index in range(4):
        due_task(f"task-{index}", priority=index)
    decide_all(clock)
    held = dict(Job.objects.values_list("priority", "held"))
    assert held == {3: "", 2: "", 1: "limit", 0: "limit"}
    assert [job.waiting_for for job in Job.objects.filter(held="limit")] == ["limit", "limit"]
    assert not Occurrence.objects.filter(decision="skipped").exists()


def test_an_end_makes_room_for_the_next_in_the_queue(clock):
    runtime_settings.set_value("max_concurrent_tasks", 2, actor=SYSTEM, now=NOON)
    for index in range(4):
        due_task(f"task-{index}", priority=index)
    decide_all(clock)
    assert not scheduler.release(clock=clock)
    Job.objects.filter(priority=3).update(state=JobState.COMPLETED, finished_at=NOON)
    assert scheduler.release(clock=clock)
    assert dict(Job.objects.values_list("priority", "held")) == {3: "", 2: "", 1: "", 0: "limit"}


def test_those_that_waited_go_before_those_that_come(clock):
    runtime_settings.set_value("max_concurrent_tasks", 1, actor=SYSTEM, now=NOON)
    first = due_task("first")
    second = due_task("second")
    decide_all(clock)
    Job.objects.filter(held="").update(state=JobState.COMPLETED, finished_at=NOON)
    third = due_task("third", due_at=NOON)
    scheduler.decide(clock=clock)
    held = dict(Job.objects.filter(finished_at=None).values_list("task__name", "held"))
    assert held == {"second": "", "third": "limit"}
    assert first.pk and second.pk and third.pk


def test_jobs_without_a_task_do_not_count_against_the_limit(clock):
    runtime_settings.set_value("max_concurrent_tasks", 1, actor=SYSTEM, now=NOON)
    make_job(state=JobState.RUNNING)
    due_task()
    decide_all(clock)
    assert Job.objects.get(task__isnull=False).held == ""


def test_a_run_by_hand_moves_no_cursor_and_runs_a_disabled_task(clock, admin):
    task = due_task(enabled=False, parameters={"a": 1, "b": 1}, due_at=NOON + MINUTE)
    job = task_runs.run_task(
        task,
        by=Actor("ann", 1),
        owner=admin,
        trigger="manual",
        source="manual",
        parameters={"b": 2},
        now=NOON,
    )
    assert (job.state, job.name, job.trigger, job.owner_id) == (
        "queued",
        "Task_sweep_20260310_120000",
        "manual",
        admin.pk,
    )
    assert job.spec.parameters.replace(" ", "") == '{"a":1,"b":2}'
    task.refresh_from_db()
    assert task.next_due_at == NOON + MINUTE
    assert not Occurrence.objects.exists()


def test_a_run_by_hand_waits_for_the_limit_too(clock, admin):
    runtime_settings.set_value("max_concurrent_tasks", 1, actor=SYSTEM, now=NOON)
    task = make_task("sweep")
    runs = [
        task_runs.run_task(task, by=SYSTEM, owner=None, trigger="manual", source="manual", now=NOON)
        for _ in range(2)
    ]
    assert [run.held for run in runs] == ["", "limit"]
    assert Job.objects.get(pk=runs[1].pk).held == "limit"


@pytest.mark.one_database  # the plan of a small table says nothing on PostgreSQL
def test_the_planner_reads_open_jobs_of_tasks_from_their_index(clock):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT COUNT(*) FROM jobs_app_job "
            "WHERE held = '' AND task_id IS NOT NULL AND finished_at IS NULL"
        )
        assert "job_task_open" in str(cursor.fetchall())
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT 1 FROM jobs_app_job WHERE held IN ('limit', 'overlap') "
            "AND task_id IS NOT NULL AND finished_at IS NULL LIMIT 1"
        )
        assert "job_task_open" in str(cursor.fetchall())
    assert task_limit.MOST > 0


def test_times_are_utc_whatever_the_driver_gives(clock):
    due_task(due_at=datetime(2026, 3, 10, 11, 59, 59, 123456, tzinfo=UTC))
    assert scheduler.next_due(NOON) == datetime(2026, 3, 10, 11, 59, 59, 123456, tzinfo=UTC)
    decide_all(clock)
    assert Job.objects.get().due_at == datetime(2026, 3, 10, 11, 59, 59, 123456, tzinfo=UTC)


def test_files_are_looked_at_every_two_seconds(clock, home):
    file = home / "config" / "tasks.yaml"
    file.write_text("[{name: Sweep, scriptPath: a.py}]")
    assert scheduler.reload(clock=clock)
    file.write_text("[{name: Sweep, scriptPath: b.py}]")
    clock.advance(1)
    assert not scheduler.reload(clock=clock)
    assert Task.objects.get().path == "a.py"
    clock.advance(1)
    assert scheduler.reload(clock=clock)
    assert Task.objects.get().path == "b.py"


def test_the_row_of_a_disabled_period_tells_how_many_due_times_it_had(clock):
    task = due_task(enabled=False)
    decide_all(clock)
    clock.advance(600)
    switch(task.pk, enabled=True, by=SYSTEM, now=clock.now())
    row = Occurrence.objects.get()
    assert (row.due_at, row.until, row.count, row.reason) == (NOON, NOON + 10 * MINUTE, 11, "disabled")
    decide_all(clock)
    assert not Job.objects.exists(), "enabling never fires at once"
    clock.advance(60)
    decide_all(clock)
    switch(task.pk, enabled=False, by=SYSTEM, now=clock.now())
    clock.advance(60)
    decide_all(clock)
    switch(task.pk, enabled=True, by=SYSTEM, now=clock.now())
    rows = Occurrence.objects.order_by("due_at").values_list("reason", "count", "until")
    assert list(rows) == [
        ("disabled", 11, NOON + 10 * MINUTE), ("", 1, None), ("disabled", 1, NOON + 12 * MINUTE),
    ]  # fmt: skip


def test_a_period_of_a_disabled_app_is_one_row_too(clock, home):
    from tests.tasks_app.test_loading import HOURLY, write
    from tests.tasks_app.test_loading import switch as switch_app

    make_pool("django")
    write(home, HOURLY, app="Shop")
    scheduler.reload(clock=clock)
    switch_app(home, "Shop", on=False)
    for _ in range(5):
        clock.advance(3600)
        scheduler.reload(clock=clock)
        decide_all(clock)
    switch_app(home, "Shop", on=True)
    clock.advance(60)
    scheduler.reload(clock=clock)
    row = Occurrence.objects.get()
    assert (row.reason, row.count, row.until) == ("app_disabled", 5, NOON + timedelta(hours=5))
    assert Task.objects.get().next_due_at == NOON + timedelta(hours=6)
