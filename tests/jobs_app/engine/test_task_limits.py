"""The limits of tasks with a real engine: time, failures in a row, retries, one-off times."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs_app.models import Execution, Job
from jobs_app.states import JobState
from jobs_app.task_runs import run_task
from taskhub.core.models import AuditEntry
from tasks_app.models import Task
from tasks_app.switching import switch
from tests.support import make_task

from .conftest import TESTER, EngineInTest

FAIL = "raise ValueError('no')"
Run = Callable[..., Job]


@pytest.fixture
def run(pool: Any, home: Any) -> Run:
    """Queue a run of a task now."""

    def queue(task: Task, **parameters: Any) -> Job:
        return run_task(
            task, by=TESTER, owner=None, trigger="manual", source="manual", parameters=parameters,
            now=timezone.now(),
        )  # fmt: skip

    return queue


def custom(**fields: Any) -> Task:
    """A task that no file has to define."""
    return make_task(source=Task.Source.CUSTOM, **fields)


def disabled_entries() -> int:
    return AuditEntry.objects.filter(action="task.disable").count()


def test_a_run_over_its_time_is_terminated_and_counts_as_a_failure(engine: EngineInTest, run: Run) -> None:
    task = custom(code="import time; time.sleep(60)", max_runtime=1, enabled=False)
    job = run(task)
    engine.run(job)
    assert (job.state, job.reason) == (JobState.STOPPED, "timeout"), "also of a task that is disabled"
    assert Execution.objects.get(task=task.pk).status == "terminated"
    task.refresh_from_db()
    assert (task.last_status, task.failure_count) == ("terminated", 1)


def test_a_run_that_waits_while_its_app_is_switched_off_does_not_begin(
    engine: EngineInTest, run: Run, home: Path
) -> None:
    manifest = home / "apps" / "Shop" / "app.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("name: Shop\nversion: '1'\nenabled: true\n")
    task = custom(app="Shop", code="5", failure_count=1, max_failures=2)
    job = run(task)
    manifest.write_text("name: Shop\nversion: '1'\nenabled: false\n")
    engine.run(job)
    assert (job.state, job.reason, job.started_at) == (JobState.STOPPED, "user", None)
    assert job.error_message == "The app Shop was disabled before this run began."
    task.refresh_from_db()
    assert (task.last_status, task.failure_count, task.enabled) == ("stopped", 1, True)


def test_a_run_that_may_not_be_killed_is_marked_overdue_and_succeeds(engine: EngineInTest, run: Run) -> None:
    task = custom(code="import time; time.sleep(1.6); 5", max_runtime=1, kill_on_timeout=False)
    job = run(task)
    engine.until(lambda: Job.objects.filter(pk=job.pk, overdue_at__isnull=False).exists())
    marked = Job.objects.get(pk=job.pk).overdue_at
    engine.run(job)
    assert (job.state, job.overdue_at) == (JobState.COMPLETED, marked), "marked once"
    task.refresh_from_db()
    assert (task.last_status, task.failure_count) == ("success", 0)


def test_twenty_failures_side_by_side_disable_the_task_once(engine: EngineInTest, run: Run) -> None:
    task = custom(code=FAIL, max_failures=3)
    engine.run(*[run(task) for _ in range(20)], timeout=30)
    task.refresh_from_db()
    assert (task.enabled, task.failure_count) == (False, 20)
    assert disabled_entries() == 1
    assert switch(task.pk, enabled=True, by=TESTER, now=timezone.now()).failure_count == 0
    engine.run(run(task))
    task.refresh_from_db()
    assert (task.enabled, task.failure_count) == (True, 1), "counted anew"


def test_a_success_sets_the_count_back_and_a_cancel_leaves_it(engine: EngineInTest, run: Run) -> None:
    code = """
import time
if context.parameters["do"] == "fail":
    raise ValueError
if context.parameters["do"] == "wait":
    time.sleep(60)
"""
    task = custom(code=code, max_failures=3)

    def count(do: str) -> int:
        job = run(task, do=do)
        if do == "wait":
            engine.until_running(job)
            engine.cancel(job)
        engine.run(job)
        task.refresh_from_db()
        return task.failure_count

    assert [count(do) for do in ("fail", "fail", "wait", "go", "fail", "fail")] == [1, 2, 2, 0, 1, 2]
    assert task.enabled and disabled_entries() == 0


def test_each_attempt_of_a_retry_is_in_the_history_and_the_job_counts_once(
    engine: EngineInTest, run: Run
) -> None:
    task = custom(code=FAIL, max_attempts=3, backoff=0.0, max_failures=2)
    engine.run(run(task))
    rows = Execution.objects.filter(task=task.pk).order_by("attempt")
    assert [(row.attempt, row.status) for row in rows] == [
        (1, "failed"), (2, "failed"), (3, "failed"),
    ]  # fmt: skip
    task.refresh_from_db()
    assert (task.failure_count, task.enabled) == (1, True)


@pytest.mark.parametrize("code", ["{'Success': False}", "{'success': False}", "import sys; sys.exit(3)"])
def test_an_answer_of_no_success_is_a_failure(code: str, engine: EngineInTest, run: Run) -> None:
    task = custom(code=code)
    job = run(task)
    engine.run(job)
    assert job.state == JobState.FAILED
    task.refresh_from_db()
    assert task.failure_count == 1


def test_a_missing_script_is_a_failure_that_says_what_is_missing(engine: EngineInTest, run: Run) -> None:
    task = custom(code="", path="gone.py")
    job = run(task)
    engine.run(job)
    row = Execution.objects.get(task=task.pk)
    assert (job.state, row.status) == (JobState.FAILED, "failed")
    assert "gone.py" in row.error_message


def test_a_one_off_task_runs_once_and_is_off_then(engine: EngineInTest, pool: Any) -> None:
    now = timezone.now()
    task = custom(code="7", at=now, next_due_at=now)
    engine.until(lambda: Execution.objects.filter(task=task.pk, status="success").exists())
    engine.until(lambda: not Task.objects.get(pk=task.pk).enabled)
    task.refresh_from_db()
    assert (task.next_due_at, task.last_status, Job.objects.filter(task=task).count()) == (None, "success", 1)
    assert disabled_entries() == 1
