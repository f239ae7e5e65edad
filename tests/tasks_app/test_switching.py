"""Switching tasks on and off by hand."""

import pytest

from taskhub.core.audit import Actor
from taskhub.core.models import AuditEntry
from tasks_app.errors import TaskNotFound
from tasks_app.models import Task, TaskOverride
from tasks_app.switching import switch
from tests.support import MINUTE, NOON, make_task

ANNA = Actor("anna", 7, "192.0.2.7")


def test_disabling_a_task_of_a_file_leaves_an_override(db):
    task = make_task(app="Shop", schedule="* * * * *", next_due_at=NOON)
    changed = switch(task.pk, enabled=False, by=ANNA, now=NOON)
    assert not changed.enabled and changed.source == Task.Source.OVERRIDDEN
    assert TaskOverride.objects.get(app="Shop", name=task.name).enabled is False
    assert changed.schedule_version == task.schedule_version + 1


def test_a_custom_task_needs_no_override(db):
    task = make_task(source=Task.Source.CUSTOM)
    assert switch(task.pk, enabled=False, by=ANNA, now=NOON).source == Task.Source.CUSTOM
    assert not TaskOverride.objects.exists()


def test_enabling_acts_from_now_on_and_forgets_failures(db):
    task = make_task(schedule="*/5 * * * *", enabled=False, failure_count=3, next_due_at=None)
    changed = switch(task.pk, enabled=True, by=ANNA, now=NOON + MINUTE)
    assert changed.next_due_at == NOON + 5 * MINUTE
    assert changed.failure_count == 0


def test_what_is_so_already_is_not_written_down(db):
    task = make_task()
    assert switch(task.pk, enabled=True, by=ANNA, now=NOON).enabled
    assert not AuditEntry.objects.exists()


def test_the_switch_is_audited(db):
    task = make_task()
    switch(task.pk, enabled=False, by=ANNA, now=NOON)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.before, entry.after) == (
        "task.disable", "anna", {"enabled": True}, {"enabled": False},
    )  # fmt: skip


@pytest.mark.parametrize("deleted", [True, None])
def test_a_task_that_is_gone_is_not_found(db, deleted):
    task = make_task(deleted=True).pk if deleted else 404
    with pytest.raises(TaskNotFound):
        switch(task, enabled=True, by=ANNA, now=NOON)
