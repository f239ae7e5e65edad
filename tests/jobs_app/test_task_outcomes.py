"""What a task learns from the ends of its runs."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from jobs_app import task_outcomes
from jobs_app.lifecycle import request_cancel
from jobs_app.states import Status
from jobs_app.task_outcomes import EndedRun
from taskhub.core import audit
from taskhub.core.models import AuditEntry
from tasks_app.models import Task, TaskOverride
from tests.support import MINUTE, NOON, make_job, make_task

pytestmark = pytest.mark.django_db


def ended(task, status, *, second=0, **fields):
    values = {
        "task": task.pk, "job": uuid4(), "attempt": 1, "state": "failed", "reason": "error",
        "status": status, "started_at": NOON, "finished_at": NOON + timedelta(seconds=second),
        "will_retry": False, "cancelled": False,
    }  # fmt: skip
    return EndedRun(**(values | fields))


def record(*runs):
    with transaction.atomic():
        task_outcomes.record(list(runs), now=NOON)


def test_the_last_run_and_its_status_are_kept(home):
    task = make_task()
    record(ended(task, Status.SUCCESS, started_at=NOON + MINUTE))
    task.refresh_from_db()
    assert (task.last_run_at, task.last_status, task.failure_count) == (NOON + MINUTE, "success", 0)


@pytest.mark.parametrize("status", [Status.FAILED, Status.LOST, Status.TERMINATED])
def test_failures_in_a_row_are_counted_and_a_success_sets_them_back(home, status):
    task = make_task()
    record(ended(task, status))
    record(ended(task, status))
    task.refresh_from_db()
    assert task.failure_count == 2
    record(ended(task, Status.SUCCESS))
    task.refresh_from_db()
    assert task.failure_count == 0


def test_a_run_somebody_stopped_does_not_count(home):
    task = make_task(failure_count=1)
    record(ended(task, Status.STOPPED), ended(task, Status.TERMINATED, cancelled=True))
    task.refresh_from_db()
    assert task.failure_count == 1


def test_an_attempt_that_is_tried_again_does_not_count(home):
    task = make_task(max_failures=1)
    record(ended(task, Status.FAILED, will_retry=True))
    task.refresh_from_db()
    assert (task.enabled, task.failure_count, task.last_status) == (True, 0, "failed")


def test_twenty_failures_at_once_disable_the_task_once(home):
    task = make_task(max_failures=3, next_due_at=NOON)
    record(*(ended(task, Status.FAILED, second=index) for index in range(20)))
    record(ended(task, Status.FAILED))
    task.refresh_from_db()
    assert not task.enabled
    entry = AuditEntry.objects.get(action="task.disable")
    assert (entry.actor, entry.object_id) == ("engine", str(task.pk))
    assert task.next_due_at == NOON, "its due times are still decided: skipped, disabled"


def test_the_order_of_the_ends_counts(home):
    reached, saved = make_task("reached", max_failures=2), make_task("saved", max_failures=2)
    record(
        ended(reached, Status.FAILED, second=1), ended(reached, Status.FAILED, second=2),
        ended(reached, Status.SUCCESS, second=3),
        ended(saved, Status.FAILED, second=3), ended(saved, Status.SUCCESS, second=2),
        ended(saved, Status.FAILED, second=1),
    )  # fmt: skip
    reached.refresh_from_db()
    saved.refresh_from_db()
    assert (reached.enabled, reached.failure_count) == (False, 0)
    assert (saved.enabled, saved.failure_count) == (True, 1)


def test_a_task_out_of_a_file_stays_disabled_when_the_file_is_read_again(home):
    from tasks_app.definitions import Loader
    from tests.support import make_pool

    make_pool("default")
    (home / "config" / "tasks.yaml").write_text("[{name: Sweep, scriptPath: a.py, maxFailures: 1}]")
    Loader().step(now=NOON)
    task = Task.objects.get()
    record(ended(task, Status.FAILED))
    Loader().step(now=NOON)
    task.refresh_from_db()
    assert (task.enabled, task.source) == (False, "overridden")
    assert TaskOverride.objects.get().enabled is False


def test_only_being_disabled_changes_the_task_itself(home):
    task = make_task(max_failures=2)
    made = task.last_modified
    record(ended(task, Status.FAILED))
    task.refresh_from_db()
    assert task.last_modified == made
    record(ended(task, Status.FAILED))
    task.refresh_from_db()
    assert (task.enabled, task.last_modified) == (False, NOON)


def test_a_custom_task_needs_no_override(home):
    task = make_task(max_failures=1, source="custom")
    record(ended(task, Status.FAILED))
    task.refresh_from_db()
    assert not task.enabled and not TaskOverride.objects.exists()


def test_without_a_limit_it_never_gives_up(home):
    task = make_task()
    record(*(ended(task, Status.FAILED) for _ in range(50)))
    task.refresh_from_db()
    assert task.enabled and task.failure_count == 50


def test_a_run_cancelled_before_its_start_is_the_last_one(home):
    task = make_task(failure_count=1, last_status="failed")
    once = make_task(at=NOON, next_due_at=None)
    for each in (task, once):
        job = make_job(state="queued", task_id=each.pk)
        request_cancel(job.pk, by=audit.SYSTEM, now=NOON)
        each.refresh_from_db()
    assert (task.last_status, task.failure_count, task.enabled) == ("stopped", 1, True)
    assert (once.last_status, once.enabled) == ("stopped", False)


def test_a_task_that_is_gone_is_passed_over(home):
    task = make_task()
    run = ended(task, Status.FAILED)
    task.delete()
    record(run)


def test_a_one_off_task_disables_itself_after_its_run(home):
    task = make_task(at=NOON, next_due_at=None)
    record(ended(task, Status.FAILED, will_retry=True))
    task.refresh_from_db()
    assert task.enabled, "another attempt follows"
    record(ended(task, Status.SUCCESS, attempt=2))
    record(ended(task, Status.SUCCESS))
    task.refresh_from_db()
    assert not task.enabled
    assert AuditEntry.objects.get(action="task.disable").message == "its one time is over"


def test_a_run_by_hand_before_its_time_leaves_a_one_off_task_on(home):
    task = make_task(at=NOON + MINUTE, next_due_at=NOON + MINUTE)
    record(ended(task, Status.SUCCESS))
    task.refresh_from_db()
    assert task.enabled


def test_a_one_off_task_of_a_file_stays_off_until_the_file_names_another_time(home):
    from tasks_app.definitions import Loader
    from tests.support import make_pool

    make_pool("default")
    file = home / "config" / "tasks.yaml"
    file.write_text("[{name: Once, scriptPath: a.py, at: '2026-03-10T12:01'}]")
    Loader().step(now=NOON)
    task = Task.objects.get()
    assert task.next_due_at == NOON + MINUTE
    Task.objects.update(next_due_at=None)
    record(ended(task, Status.SUCCESS))
    Loader().step(now=NOON + 2 * MINUTE)
    task.refresh_from_db()
    assert (task.enabled, task.source) == (False, "default")
    file.write_text("[{name: Once, scriptPath: a.py, at: '2026-03-10T12:05'}]")
    Loader().step(now=NOON + 2 * MINUTE)
    task.refresh_from_db()
    assert (task.enabled, task.next_due_at) == (True, NOON + 5 * MINUTE)
