"""What people change: overrides of tasks out of files, and custom tasks."""

from datetime import timedelta

import pytest

from taskhub.core.audit import Actor
from taskhub.core.models import AuditEntry
from tasks_app import editing, errors
from tasks_app.definitions import Loader
from tasks_app.models import Occurrence, Task, TaskOverride
from tasks_app.switching import switch
from tests.support import MINUTE, NOON, make_job, make_pool

pytestmark = pytest.mark.django_db

ANN = Actor("ann")
FILE = """
tasks:
  - name: Sweep
    script: {path: sweep.py}
    schedule: {cron: "0 * * * *"}
    environment: {A: "1", B: "2"}
    parameters: {depth: 1}
    termination: {maxRuntime: 60}
"""


@pytest.fixture(autouse=True)
def file(home, db):
    make_pool("default")
    make_pool("django")
    path = home / "config" / "tasks.yaml"
    path.write_text(FILE)
    Loader().step(now=NOON)
    return path


def sweep():
    return Task.objects.get(name="Sweep")


def edit(**given):
    return editing.edit(sweep().pk, given, by=ANN, now=NOON)


def custom(now=NOON, **given):
    return editing.create({"name": "Mine", "code": "1"} | given, by=ANN, now=now)


def test_an_override_changes_what_it_names_and_nothing_else():
    task = edit(enabled=False, schedule="30 * * * *", environment={"B": "x", "C": 3}, parameters={"new": [1]},
                max_runtime=5, termination={"kill_on_timeout": False})  # fmt: skip
    assert (task.enabled, task.schedule, task.source) == (False, "30 * * * *", "overridden")
    assert task.environment == {"A": "1", "B": "x", "C": "3"}
    assert task.parameters == {"depth": 1, "new": [1]}
    assert (task.max_runtime, task.kill_on_timeout, task.path) == (5, False, "sweep.py")
    assert task.next_due_at == NOON + 30 * MINUTE
    Loader().step(now=NOON)
    assert sweep().schedule == "30 * * * *", "reading the file again undoes nothing"


def test_both_ways_enabled_counts(file):
    file.write_text(FILE.replace("- name", "- enabled: false\n    name"))
    Loader().step(now=NOON)
    assert edit(enabled=True).enabled
    assert not edit(enabled=False).enabled
    assert not TaskOverride.objects.exists(), "what equals the file is not kept"


def test_a_one_off_time_that_is_over_is_refused_where_it_is_set_and_stays_where_it_was():
    for given in ({"at": "2026-03-10T11:59"}, {"at": "2026-03-10T13:00", "timezone": "Europe/Berlin"}):
        with pytest.raises(errors.BadTask, match="at: expected a time to come, got 2026-03-10 1") as refused:
            custom(**given)
        assert set(refused.value.fields) == {"at"}
    task = custom(at="2026-03-10T12:01")
    later = NOON + 5 * MINUTE
    assert editing.edit(task.pk, {"tags": ["x"]}, by=ANN, now=later).tags == ["x"]
    for given in ({"at": "2026-03-10T12:04"}, {"at": "2026-03-10T12:01:01", "name": "B"}):
        with pytest.raises(errors.BadTask, match="which is over"):
            editing.edit(task.pk, given, by=ANN, now=later)
    assert editing.duplicate(task.pk, by=ANN, now=later).at == NOON + MINUTE


def test_one_field_is_taken_back_and_the_others_stay():
    edit(schedule="30 * * * *", environment={"A": "x", "C": "y"}, max_failures=3, max_runtime=None)

    def back(field):
        task = editing.reset(sweep().pk, field=field, by=ANN, now=NOON)
        return task.schedule, task.environment, task.max_failures, task.max_runtime

    env = {"A": "1", "B": "2", "C": "y"}
    assert back("environment.A") == ("30 * * * *", env, 3, None)
    assert back("max_runtime") == ("30 * * * *", env, 3, 60)
    assert back("max_failures") == ("30 * * * *", env, None, 60)
    assert back("schedule") == ("0 * * * *", env, None, 60)
    assert back("schedule") == back("environment.B") == ("0 * * * *", env, None, 60), (
        "nothing was laid over them"
    )
    assert back("environment") == ("0 * * * *", {"A": "1", "B": "2"}, None, 60)
    assert not TaskOverride.objects.exists()
    entry = AuditEntry.objects.filter(action="task.reset").order_by("pk")[1]
    assert (entry.before, entry.after) == ({"max_runtime": None}, {"max_runtime": 60})
    for field in ("path", "schedule.cron", "colour", "."):
        with pytest.raises(errors.BadTask, match="field: expected a field that can be overridden"):
            back(field)


def test_the_one_time_of_a_file_comes_back(file):
    file.write_text("[{name: Once, code: '1', at: 2026-03-11T09:00:00Z}]")
    Loader().step(now=NOON)
    task = Task.objects.get(name="Once")
    at = task.at
    assert editing.edit(task.pk, {"schedule": "@daily"}, by=ANN, now=NOON).at is None
    again = editing.reset(task.pk, field="schedule", by=ANN, now=NOON)
    assert (again.at, again.next_due_at, again.schedule, again.source) == (at, at, "", "default")


def test_keys_of_a_map_are_taken_back_by_null():
    edit(environment={"A": "x", "C": "y"})
    assert edit(environment={"A": None}).environment == {"A": "1", "B": "2", "C": "y"}
    assert edit(environment=None).environment == {"A": "1", "B": "2"}
    assert not TaskOverride.objects.exists()


def test_each_change_is_audited_with_before_and_after_and_moves_last_modified():
    before = sweep().last_modified
    task = edit(schedule=None, max_failures=3)
    assert (task.schedule, task.next_due_at) == ("", None)
    entry = AuditEntry.objects.get(action="task.edit")
    assert (entry.actor, entry.object_id) == ("ann", str(task.pk))
    assert entry.before == {"schedule": "0 * * * *", "max_failures": None}
    assert entry.after == {"schedule": "", "max_failures": 3}
    assert task.last_modified > before
    edit(max_failures=3)
    assert AuditEntry.objects.filter(action="task.edit").count() == 1, "nothing changed"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"schedule": "61 * * * *"}, "schedule"),
        ({"schedule": "0 0 30 2 *"}, "schedule"),
        ({"environment": {"a b": "x"}}, "environment"),
        ({"environment": "x"}, "environment"),
        ({"parameters": [1]}, "parameters"),
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": None}, "enabled"),
        ({"limits": {"max_attempts": 0}}, "max_attempts"),
        ({"limits": 3}, "limits"),
        ({"termination": {"maxRuntime": 0}}, "termination.maxRuntime"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(given, field):
    with pytest.raises(errors.TaskError) as refused:
        edit(**given)
    assert refused.value.status == 400 and refused.value.code in ("bad_task", "bad_schedule", "never_fires")
    assert list(refused.value.fields) == [field]
    assert not TaskOverride.objects.exists() and not AuditEntry.objects.exists()


def test_what_the_file_says_is_changed_in_the_file():
    with pytest.raises(errors.DefinedByFile) as refused:
        edit(path="other.py")
    assert refused.value.code == "defined_by_file"
    assert "path" in refused.value.fields


def test_reset_takes_everything_back():
    edit(enabled=False, schedule="30 * * * *")
    task = editing.reset(sweep().pk, by=ANN, now=NOON + MINUTE)
    assert (task.enabled, task.schedule, task.source) == (True, "0 * * * *", "default")
    assert task.next_due_at == NOON + timedelta(hours=1)
    assert AuditEntry.objects.filter(action="task.reset").count() == 1


def test_a_deleted_task_comes_back_as_it_was():
    edit(schedule="30 * * * *")
    task = sweep()
    editing.delete(task.pk, by=ANN, now=NOON)
    Loader().step(now=NOON)
    task.refresh_from_db()
    assert (task.deleted, task.next_due_at) == (True, None)
    with pytest.raises(errors.TaskDeleted) as gone:
        edit(enabled=False)
    assert (gone.value.status, gone.value.code) == (409, "task_deleted")
    restored = editing.restore(task.pk, by=ANN, now=NOON + timedelta(hours=2))
    assert (restored.deleted, restored.schedule) == (False, "30 * * * *")
    assert restored.next_due_at == NOON + timedelta(hours=2, minutes=30)
    with pytest.raises(errors.TaskNotDeleted) as there:
        editing.restore(task.pk, by=ANN, now=NOON)
    assert (there.value.status, there.value.code) == (409, "task_not_deleted")


def test_a_broken_file_keeps_what_is_overridden_and_takes_no_change(file):
    edit(schedule="30 * * * *")
    file.write_text("tasks: [")
    Loader().step(now=NOON)
    with pytest.raises(errors.NoDefinition) as refused:
        edit(schedule="5 * * * *")
    assert (refused.value.code, refused.value.status) == ("no_definition", 409)
    assert sweep().schedule == "30 * * * *"
    switch(sweep().pk, enabled=False, by=ANN, now=NOON)
    assert not sweep().enabled, "switching needs no file"


def test_an_override_waits_for_a_task_that_left(file):
    edit(schedule="30 * * * *")
    file.unlink()
    Loader().step(now=NOON)
    assert sweep().deleted
    with pytest.raises(errors.TaskNotFound):
        edit(schedule="5 * * * *")
    file.write_text(FILE)
    Loader().step(now=NOON)
    assert (sweep().deleted, sweep().schedule) == (False, "30 * * * *")


def test_equal_names_in_two_apps_share_nothing(home):
    for app in ("Shop", "Store"):
        folder = home / "apps" / app / "config"
        folder.mkdir(parents=True)
        (folder.parent / "app.yaml").write_text(f"name: {app}\nversion: 1.0.0\nenabled: true\n")
        (folder / "tasks.yaml").write_text(FILE)
    Loader().step(now=NOON)
    shop = Task.objects.get(app="Shop")
    editing.edit(shop.pk, {"enabled": False}, by=ANN, now=NOON)
    assert dict(Task.objects.values_list("app", "enabled")) == {"": True, "Shop": False, "Store": True}
    editing.delete(Task.objects.get(app="Store").pk, by=ANN, now=NOON)
    assert list(Task.objects.filter(deleted=False).values_list("app", flat=True)) == ["", "Shop"]


def test_a_custom_task_is_made_flagged_and_due_from_now_on():
    task = custom(schedule="* * * * *", tags=["a"], retry={"max_attempts": 3})
    assert (task.source, task.next_due_at, task.max_attempts) == ("custom", NOON + MINUTE, 3)
    assert AuditEntry.objects.get(action="task.create").object_id == str(task.pk)
    Loader().step(now=NOON)
    task.refresh_from_db()
    assert not task.deleted


def test_a_custom_task_may_change_in_all_it_is():
    task = custom(schedule="* * * * *")
    changed = editing.edit(
        task.pk, {"name": "Yours", "path": "a.sh", "at": "2026-03-11T09:00", "timezone": "Europe/Berlin"},
        by=ANN, now=NOON,
    )  # fmt: skip
    assert (changed.name, changed.code, changed.path, changed.language) == ("Yours", "", "a.sh", "shell")
    assert (changed.schedule, changed.next_due_at) == ("", NOON + timedelta(hours=20))
    assert editing.edit(task.pk, {"at": None}, by=ANN, now=NOON).next_due_at is None
    assert changed.schedule_version == task.schedule_version + 1


def test_enabling_a_custom_task_fires_nothing_and_forgets_failures():
    task = custom(schedule="0 * * * *", enabled=False)
    Task.objects.filter(pk=task.pk).update(failure_count=4)
    later = NOON + timedelta(hours=3, minutes=5)
    task = editing.edit(task.pk, {"enabled": True}, by=ANN, now=later)
    assert (task.failure_count, task.next_due_at) == (0, NOON + timedelta(hours=4))


def test_a_name_is_taken_once():
    custom()
    for name in ("Mine", "Sweep"):
        with pytest.raises(errors.TaskExists) as refused:
            custom(name=name)
        assert (refused.value.code, list(refused.value.fields)) == ("task_exists", ["name"])
    other = custom(name="Other")
    with pytest.raises(errors.TaskExists):
        editing.edit(other.pk, {"name": "Mine"}, by=ANN, now=NOON)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": ""}, "script"), ({"path": "../x"}, "path"), ({"name": ""}, "name"),
        ({"pool": "none"}, "pool"), ({"language": "cobol"}, "language"), ({"overlap": "maybe"}, "overlap"),
        ({"schedule": "* * * * *", "at": "2026-03-11"}, "at"), ({"timezone": "Mars"}, "timezone"),
    ],
)  # fmt: skip
def test_a_custom_task_is_held_to_the_rules_of_a_file(given, field):
    with pytest.raises(errors.BadTask) as refused:
        custom(**given)
    assert (refused.value.code, list(refused.value.fields)) == ("bad_task", [field])


def test_a_removed_custom_task_takes_its_due_times_along():
    task = custom()
    Occurrence.objects.create(task=task, due_at=NOON, decision="fired", decided_at=NOON)
    job = make_job(task=task, state="running")
    with pytest.raises(errors.TaskHasOpenJobs) as refused:
        editing.delete(task.pk, by=ANN, now=NOON)
    assert refused.value.code == "task_has_open_jobs"
    job.delete()
    editing.delete(task.pk, by=ANN, now=NOON)
    assert not Task.objects.filter(pk=task.pk).exists()


@pytest.mark.parametrize("gives_up", ["removed", "renamed"])
def test_a_task_of_a_file_comes_once_a_custom_one_gives_up_its_name(file, gives_up):
    mine = custom(name="Taken")
    file.write_text(FILE + "  - {name: Taken, code: '2'}\n")
    Loader().step(now=NOON)
    assert Task.objects.get(name="Taken").source == "custom"
    if gives_up == "removed":
        editing.delete(mine.pk, by=ANN, now=NOON)
    else:
        editing.edit(mine.pk, {"name": "Mine again"}, by=ANN, now=NOON)
    assert Task.objects.get(name="Taken").source == "default"


def test_switched_off_and_on_again_a_task_is_what_its_file_says():
    assert switch(sweep().pk, enabled=False, by=ANN, now=NOON).source == "overridden"
    assert switch(sweep().pk, enabled=True, by=ANN, now=NOON).source == "default"
    assert not TaskOverride.objects.exists()
    edit(schedule="30 * * * *")
    switch(sweep().pk, enabled=False, by=ANN, now=NOON)
    assert switch(sweep().pk, enabled=True, by=ANN, now=NOON).source == "overridden"
    assert TaskOverride.objects.get().enabled is None


def test_a_duplicate_does_the_same_and_runs_nothing_twice():
    copy = editing.duplicate(sweep().pk, by=ANN, now=NOON)
    assert (copy.name, copy.source, copy.enabled, copy.path) == ("Sweep copy", "custom", False, "sweep.py")
    other = editing.duplicate(sweep().pk, schedule="5 * * * *", by=ANN, now=NOON)
    assert (other.name, other.enabled, other.next_due_at) == ("Sweep copy 2", True, NOON + 5 * MINUTE)
