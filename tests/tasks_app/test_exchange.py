"""Overrides and custom tasks out to JSON and in again."""

import json
from datetime import timedelta

import pytest

from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from taskhub.core.models import AuditEntry
from tasks_app import editing, exchange
from tasks_app.definitions import Loader
from tasks_app.models import Task, TaskOverride
from tests.support import MINUTE, NOON, make_pool

pytestmark = pytest.mark.django_db

ANN = Actor("ann")
FILE = (
    "[{name: Sweep, scriptPath: a.py, schedule: '0 * * * *', environment: {A: '1'}}, {name: Old, code: '1'}]"
)


@pytest.fixture(autouse=True)
def file(home, db):
    make_pool("default")
    path = home / "config" / "tasks.yaml"
    path.write_text(FILE)
    Loader().step(now=NOON)
    return path


def sweep():
    return Task.objects.get(name="Sweep")


def bring(*tasks, **document):
    return exchange.import_({"version": "1.0", "tasks": list(tasks)} | document, by=ANN, now=NOON)


@pytest.fixture
def changed():
    editing.edit(
        sweep().pk, {"enabled": False, "environment": {"B": "2"}, "max_failures": 3}, by=ANN, now=NOON
    )
    editing.delete(Task.objects.get(name="Old").pk, by=ANN, now=NOON)
    mine = {"name": "Mine", "code": "2", "at": "2026-04-01T08:00", "timezone": "Europe/Berlin", "tags": ["x"]}
    editing.create(mine, by=ANN, now=NOON)


def test_a_one_off_task_whose_time_is_over_can_be_brought_back(changed):
    document = exchange.export(now=NOON)
    Task.objects.filter(name="Mine").delete()
    later = NOON + timedelta(days=60)
    exchange.import_(document, by=ANN, now=later)
    assert Task.objects.get(name="Mine").next_due_at is None
    assert exchange.import_(document, by=ANN, now=later).unchanged == 3


def test_a_custom_task_said_to_be_deleted_goes_and_never_comes(changed):
    gone = {"name": "Mine", "custom": True, "deleted": True, "code": "2"}
    assert bring(gone) == (0, 1, 0) and not Task.objects.filter(name="Mine").exists()
    assert bring(gone) == (0, 0, 1) and not Task.objects.filter(name="Mine").exists()


def test_the_document_has_the_form_that_others_read(changed):
    document = exchange.export(now=NOON)
    assert document["version"] == "1.0" and document["lastModified"].endswith("Z")
    mine, old, swept = document["tasks"]
    assert swept == {
        "name": "Sweep", "appName": "", "enabled": False, "schedule": None, "environment": {"B": "2"},
        "parameters": None, "limits": {"max_failures": 3}, "deleted": False, "custom": False,
    }  # fmt: skip
    assert (old["name"], old["deleted"]) == ("Old", True)
    assert (mine["custom"], mine["at"], mine["maxRuntime"]) == (True, "2026-04-01T06:00:00Z", None)
    assert exchange.export(app="Shop", now=NOON) == {
        "version": "1.0", "lastModified": "2026-03-10T12:00:00Z", "tasks": [],
    }  # fmt: skip


def test_what_went_out_comes_in_the_same(changed):
    document = json.loads(json.dumps(exchange.export(now=NOON)))
    rows = list(
        Task.objects.order_by("name").values(
            "name", "enabled", "environment", "max_failures", "at", "deleted"
        )
    )
    assert bring(*document["tasks"]) == (0, 0, 3)
    TaskOverride.objects.all().delete()
    Task.objects.filter(source="custom").delete()
    Loader().step(now=NOON)
    assert sweep().enabled
    assert bring(*document["tasks"]) == (1, 2, 0)
    assert rows == list(
        Task.objects.order_by("name").values(
            "name", "enabled", "environment", "max_failures", "at", "deleted"
        )
    )
    assert exchange.export(now=NOON)["tasks"] == document["tasks"]
    assert AuditEntry.objects.filter(action="task.import").count() == 2


def test_an_entry_replaces_what_was_overridden_before(changed):
    bring({"name": "Sweep", "appName": "", "schedule": "5 * * * *"}, {"name": "Old", "deleted": False})
    task = sweep()
    assert (task.enabled, task.schedule, task.environment) == (True, "5 * * * *", {"A": "1"})
    assert task.next_due_at == NOON + 5 * MINUTE
    assert not Task.objects.get(name="Old").deleted


def test_an_override_may_come_before_its_task(file):
    bring({"name": "Later", "appName": "", "enabled": False, "environment": {"A": 1}})
    file.write_text("[{name: Later, code: '1', environment: {B: '2'}}]")
    Loader().step(now=NOON)
    task = Task.objects.get(name="Later")
    assert (task.enabled, task.environment) == (False, {"A": "1", "B": "2"})


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"name": "Sweep", "schedule": "61 * * * *"}, "tasks[1].schedule"),
        ({"name": "Sweep", "limits": {"max_failures": -3}}, "tasks[1].max_failures"),
        ({"name": "Sweep", "code": "1"}, "tasks[1].code"),
        ({"name": 5}, "tasks[1].name"),
        ("Sweep", "tasks[1].name"),
        ({"name": "Sweep", "deleted": "no"}, "tasks[1].deleted"),
        ({"name": "Sweep", "appName": []}, "tasks[1].appName"),
        ({"name": "Sweep", "colour": 1}, "tasks[1].colour"),
        ({"name": "New", "custom": True}, "tasks[1].script"),
        ({"name": "New", "custom": True, "code": "1", "appName": "Nowhere"}, "tasks[1].app"),
    ],
)
def test_one_mistake_and_nothing_comes_in(entry, field):
    with pytest.raises(TaskhubError) as refused:
        bring({"name": "Sweep", "enabled": False}, entry)
    assert list(refused.value.fields) == [field]
    assert str(refused.value).startswith("tasks[1].")
    assert not TaskOverride.objects.exists() and not AuditEntry.objects.exists()
    assert sweep().enabled


@pytest.mark.parametrize(
    "document", [None, [], {}, {"tasks": 5}, {"tasks": [], "version": "9"}, {"tasks": [], "x": 1}]
)
def test_another_document_is_refused(document):
    with pytest.raises(TaskhubError):
        exchange.import_(document, by=ANN, now=NOON)
