"""When a failed attempt is tried again, and how the wait gets from a task's file to its jobs."""

import pytest

from jobs_app import retry
from jobs_app.engine import task_jobs
from jobs_app.models import Job
from jobs_app.task_runs import run_task
from taskhub.core import ids
from taskhub.core.audit import Actor
from tasks_app.definitions import schema
from tests.support import NOON, make_pool, make_task


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("attempt", "backoff", "expected"),
    [
        (1, 30.0, 30.0),
        (2, 30.0, 60.0),
        (4, 30.0, 240.0),
        (9, 30.0, 3600.0),
        (100, 1.0, 3600.0),
        (3, 0.0, 0.0),
    ],
)
def test_the_wait_doubles_up_to_an_hour(attempt, backoff, expected):
    assert retry.delay(attempt, backoff=backoff, jitter=False, chance=lambda: 1.0) == expected


@pytest.mark.one_database
def test_only_who_asks_for_jitter_gets_it():
    def waits(jitter):
        return [
            retry.delay(1, backoff=100, jitter=jitter, chance=iter([chance]).__next__)
            for chance in (0.0, 0.5, 1.0)
        ]

    assert waits(False) == [100, 100, 100]
    assert waits(True) == [100, 112.5, 125]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("reason", "attempt", "idempotent", "again"),
    [
        ("error", 1, False, True), ("timeout", 1, False, True), ("memory", 2, False, True),
        ("error", 3, False, False), ("user", 1, True, False), ("shutdown", 1, True, False),
        ("expired", 1, True, False), ("lost", 1, False, False), ("lost", 1, True, True),
    ],
)  # fmt: skip
def test_what_is_tried_again(reason, attempt, idempotent, again):
    assert retry.may_retry(reason=reason, attempt=attempt, max_attempts=3, idempotent=idempotent) is again


@pytest.mark.one_database
@pytest.mark.parametrize("text", ["retry: {maxAttempts: 3, backoff: 5, jitter: true}",
                                  "maxAttempts: 3, backoff: 5, jitter: true"])  # fmt: skip
def test_both_spellings_of_a_file_ask_for_jitter(text):
    [definition] = schema.parse(f"[{{name: a, code: '1', {text}}}]", file="tasks.yaml").definitions
    assert (definition.max_attempts, definition.backoff, definition.jitter) == (3, 5.0, True)
    [wrong] = schema.parse("[{name: a, code: '1', jitter: 0.5}]", file="tasks.yaml").problems
    assert "expected true or false, got 0.5" in str(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("jitter", [True, False])
def test_runs_by_hand_and_by_schedule_retry_as_their_task_says(jitter):
    make_pool("default")
    task = make_task("a", max_attempts=3, backoff=5.0, jitter=jitter)
    run_task(task, by=Actor("ann"), owner=None, trigger="manual", source="manual", now=NOON)
    job = task_jobs.TaskJob(ids.uuid7(NOON), task.pk, "Task_a", NOON, "")
    task_jobs.insert([job], default_timeout=600, now=NOON)
    assert list(Job.objects.values_list("max_attempts", "backoff", "jitter")) == [(3, 5.0, jitter)] * 2
