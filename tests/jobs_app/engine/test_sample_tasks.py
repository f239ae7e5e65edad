"""The sample app's tasks on a real engine: each ends as its description says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs_app import task_runs
from jobs_app.models import Execution, Job
from scaffolding import sample
from taskhub.core.home import Home
from tasks_app.definitions import Loader
from tasks_app.models import Task
from tests.support import NOON

from .conftest import TESTER, EngineInTest

Run = Callable[..., Job]


@pytest.fixture
def run(engine: EngineInTest, home: Path) -> Run:
    """Run a task of the sample by its name, to its end unless told otherwise."""
    assert sample.install(Home(home), now=NOON)
    Loader().step(now=timezone.now())

    def by_name(name: str, **parameters: Any) -> Job:
        task = Task.objects.get(app="Sample", name=name)
        job = task_runs.run_task(
            task, by=TESTER, owner=None, trigger="manual", source="manual", parameters=parameters,
            now=timezone.now(),
        )  # fmt: skip
        engine.until(lambda: Execution.objects.filter(job=job.pk).exists(), 30, f"{name} has ended once")
        job.refresh_from_db()
        return job

    return by_name


def test_those_that_work_give_what_they_promise(run: Run) -> None:
    pulse = json.loads(run("Machine pulse").result or "")
    assert pulse
    welcome = run("Welcome")
    assert (welcome.state, welcome.percent) == ("completed", 100)
    assert json.loads(welcome.result or "").startswith("Welcome, ")
    disks = json.loads(run("Disk usage").result or "")
    assert disks and all("%" in one for one in disks)
    assert [json.loads(run("Run counter").result or "")["runs"] for _ in range(2)] == [1, 2]
    assert run("Old files").state == "completed"
    assert run("Count lines", seconds=1).state == "completed"


def test_those_that_fail_say_what_is_wrong(run: Run) -> None:
    orders = run("Import orders")
    assert orders.state == "failed" and "orders.csv" in orders.error_message
    late = run("Time limit")
    assert (late.state, late.reason) == ("stopped", "timeout") and 0 < late.percent < 50
    again = run("Second try")
    assert (again.state, again.held, again.attempt) == ("queued", "retry", 2)
