"""Files into Task rows, and what a change of a file does to the cursor of its tasks."""

import os
import shutil
from datetime import timedelta

import pytest

from scaffolding import hosting
from tasks_app.definitions import Loader, problems
from tasks_app.models import Occurrence, Task, TaskOverride
from tests.support import MINUTE, NOON, make_pool

pytestmark = pytest.mark.django_db

HOURLY = "tasks:\n  - {name: Sweep, scriptPath: sweep.py, schedule: '0 * * * *'}\n"


@pytest.fixture(autouse=True)
def pools(db):
    make_pool("default")
    make_pool("django")


@pytest.fixture
def loader(home):
    return Loader()


def write(home, text, app=""):
    folder = home / "apps" / app if app else home
    (folder / "config").mkdir(parents=True, exist_ok=True)
    if app and not (folder / "app.yaml").exists():
        switch(home, app, on=True)
    (folder / "config" / "tasks.yaml").write_text(text)


def switch(home, app, *, on):
    manifest = f"name: {app}\nversion: 1.0.0\nenabled: {str(on).lower()}\n"
    (home / "apps" / app / "app.yaml").write_text(manifest)


def sweep(app=""):
    return Task.objects.get(app=app, name="Sweep")


def test_a_file_becomes_tasks_with_their_first_due_time(loader, home):
    write(home, HOURLY)
    assert loader.step(now=NOON)
    task = sweep()
    assert (task.path, task.schedule, task.source, task.enabled, task.deleted) == (
        "sweep.py", "0 * * * *", "default", True, False,
    )  # fmt: skip
    assert task.next_due_at == NOON + timedelta(hours=1)
    assert task.created_at is not None


def test_an_unchanged_file_writes_nothing(loader, home, django_assert_num_queries):
    write(home, HOURLY)
    loader.step(now=NOON)
    with django_assert_num_queries(0):
        assert not loader.step(now=NOON + MINUTE)
    assert not Loader().step(now=NOON + MINUTE), "another engine finds it as it should be"
    assert sweep().schedule_version == 1


def test_equal_names_in_two_apps_share_nothing(loader, home):
    for app in ("", "Shop", "Mail"):
        write(home, HOURLY, app)
    loader.step(now=NOON)
    write(home, HOURLY.replace("0 *", "5 *"), "Shop")
    loader.step(now=NOON)
    assert {task.app: task.schedule for task in Task.objects.all()} == {
        "": "0 * * * *", "Shop": "5 * * * *", "Mail": "0 * * * *",
    }  # fmt: skip


def test_another_schedule_acts_from_now_on(loader, home):
    write(home, HOURLY)
    loader.step(now=NOON)
    write(home, HOURLY.replace("0 *", "30 *"))
    later = NOON + timedelta(hours=5)
    assert loader.step(now=later)
    task = sweep()
    assert (task.next_due_at, task.schedule_version) == (later + 30 * MINUTE, 2)


def test_another_limit_leaves_the_cursor(loader, home):
    write(home, HOURLY)
    loader.step(now=NOON)
    write(home, HOURLY.replace("}", ", maxRuntime: 5}"))
    loader.step(now=NOON + timedelta(hours=5))
    task = sweep()
    assert (task.max_runtime, task.next_due_at, task.schedule_version) == (5, NOON + timedelta(hours=1), 1)


def test_enabling_never_fires_at_once_and_sets_failures_back(loader, home):
    write(home, HOURLY.replace("}", ", enabled: false}"))
    loader.step(now=NOON)
    Task.objects.update(failure_count=3)
    write(home, HOURLY)
    later = NOON + timedelta(hours=5, minutes=1)
    loader.step(now=later)
    task = sweep()
    assert task.enabled and task.next_due_at == NOON + timedelta(hours=6)
    assert task.failure_count == 0


def test_a_broken_file_keeps_the_last_good_tasks_and_stops_no_other(loader, home, caplog):
    write(home, HOURLY, "Shop")
    write(home, HOURLY, "Mail")
    loader.step(now=NOON)
    write(home, HOURLY + "  - {name: B}\n", "Shop")
    write(home, HOURLY.replace("0 *", "5 *"), "Mail")
    loader.step(now=NOON)
    loader.step(now=NOON)
    assert sweep("Shop").enabled and not sweep("Shop").deleted
    assert sweep("Mail").schedule == "5 * * * *"
    assert not Task.objects.filter(name="B").exists()
    file = home / "apps" / "Shop" / "config" / "tasks.yaml"
    expected = f"{file}, line 3: tasks[1]: script: expected either a path or code, found neither"
    assert problems("Shop") == [expected]
    assert hosting.get("Shop").problems == (expected,)
    assert hosting.get("Mail").problems == ()
    assert caplog.text.count("found neither") == 1


def test_a_file_mended_counts_again(loader, home):
    write(home, "tasks: [", "Shop")
    loader.step(now=NOON)
    assert problems("Shop") and not Task.objects.exists()
    write(home, HOURLY, "Shop")
    loader.step(now=NOON)
    assert problems("Shop") == [] and sweep("Shop").enabled


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: \x00"])
def test_a_file_that_is_no_text_is_a_problem(loader, home, content):
    write(home, HOURLY)
    loader.step(now=NOON)
    (home / "config" / "tasks.yaml").write_bytes(content)
    loader.step(now=NOON)
    assert problems("") and not sweep().deleted


def test_a_pool_that_is_not_there_is_a_problem_where_apps_are_listed(loader, home, django_assert_num_queries):
    write(home, HOURLY.replace("{name", "{pool: gpu, name"), "Shop")
    write(home, HOURLY, "Mail")
    loader.step(now=NOON)
    assert not Task.objects.filter(app="Shop").exists()
    with django_assert_num_queries(1):
        shop, mail = problems("Shop"), problems("Mail")
    assert mail == []
    assert "tasks[0].pool: expected one of the pools default, django, got 'gpu'" in shop[0]


def test_a_file_by_another_name_is_a_problem_until_it_bears_the_right_one(loader, home):
    write(home, HOURLY, "Shop")
    file = home / "apps" / "Shop" / "config" / "tasks.yaml"
    file.rename(file.with_suffix(".yml"))
    loader.step(now=NOON)
    assert problems("Shop") == [f"{file.with_suffix('.yml')}: expected the name tasks.yaml"]
    file.with_suffix(".yml").rename(file)
    loader.step(now=NOON)
    assert problems("Shop") == [] and sweep("Shop").enabled


def test_a_file_in_another_encoding_is_a_problem_with_its_line(loader, home):
    (home / "config" / "tasks.yaml").write_bytes(b"tasks:\n  - name: Caf\xe9\n    code: pass\n")
    assert ", line 2: expected UTF-8, got byte 0xe9" in problems("")[0]


def test_a_folder_in_the_place_of_the_file_is_a_problem(loader, home):
    (home / "config" / "tasks.yaml").mkdir()
    loader.step(now=NOON)
    assert "cannot be read" in problems("")[0]


def test_a_task_that_left_its_file_is_marked_deleted_and_keeps_its_history(loader, home):
    write(home, HOURLY)
    loader.step(now=NOON)
    task = sweep()
    Occurrence.objects.create(task=task, due_at=NOON, decision="fired", decided_at=NOON)
    (home / "config" / "tasks.yaml").unlink()
    assert loader.step(now=NOON)
    task.refresh_from_db()
    assert task.deleted and task.next_due_at is None
    write(home, HOURLY)
    loader.step(now=NOON)
    task.refresh_from_db()
    assert not task.deleted and task.next_due_at == NOON + timedelta(hours=1)
    assert task.occurrences.count() == 1


def test_an_app_that_left_takes_its_tasks_out(loader, home):
    write(home, HOURLY, "Shop")
    loader.step(now=NOON)
    shutil.rmtree(home / "apps" / "Shop")
    loader.step(now=NOON)
    assert sweep("Shop").deleted


def test_an_app_that_left_while_nobody_looked_is_found_too(loader, home):
    write(home, HOURLY, "Shop")
    loader.step(now=NOON)
    shutil.rmtree(home / "apps" / "Shop")
    Loader().step(now=NOON)
    assert sweep("Shop").deleted


def test_a_disabled_app_keeps_its_tasks_and_its_files_are_left_alone(loader, home):
    write(home, HOURLY, "Shop")
    loader.step(now=NOON)
    switch(home, "Shop", on=False)
    write(home, "tasks: [", "Shop")
    loader.step(now=NOON)
    assert not sweep("Shop").deleted
    assert problems("Shop") == []


def test_an_app_enabled_again_goes_on_from_now(loader, home):
    write(home, HOURLY, "Shop")
    loader.step(now=NOON)
    switch(home, "Shop", on=False)
    loader.step(now=NOON)
    Task.objects.update(next_due_at=None)  # as the scheduler leaves it when the app is off
    switch(home, "Shop", on=True)
    loader.step(now=NOON + timedelta(hours=9))
    assert sweep("Shop").next_due_at == NOON + timedelta(hours=10)


def test_a_one_off_time_that_is_over_is_not_set_again(loader, home):
    write(home, "[{name: Sweep, scriptPath: a.py, at: '2026-03-10T12:30Z'}]")
    loader.step(now=NOON)
    assert sweep().next_due_at == NOON + 30 * MINUTE
    Task.objects.update(next_due_at=None)
    write(home, "[{name: Sweep, scriptPath: b.py, at: '2026-03-10T12:30Z'}]")
    loader.step(now=NOON + timedelta(hours=1))
    Loader().step(now=NOON + timedelta(hours=1))
    assert (sweep().path, sweep().next_due_at) == ("b.py", None)


def test_a_custom_task_is_never_touched(loader, home):
    Task.objects.create(name="Sweep", code="1", source="custom")
    Task.objects.create(name="Mine", code="1", source="custom")
    write(home, HOURLY)
    loader.step(now=NOON)
    write(home, "tasks: []")
    loader.step(now=NOON)
    assert list(Task.objects.values_list("name", "code", "deleted")) == [
        ("Mine", "1", False),
        ("Sweep", "1", False),
    ]


def test_an_override_is_laid_over_the_file(loader, home):
    TaskOverride.objects.create(
        name="Sweep", enabled=False, schedule="5 * * * *", environment={"B": "2"}, limits={"max_runtime": 9}
    )
    write(home, HOURLY.replace("}", ", environment: {A: '1', B: '1'}}"))
    loader.step(now=NOON)
    task = sweep()
    assert (task.source, task.enabled, task.schedule, task.max_runtime) == (
        "overridden",
        False,
        "5 * * * *",
        9,
    )
    assert task.environment == {"A": "1", "B": "2"}


def test_a_task_somebody_deleted_stays_out_of_execution(loader, home):
    TaskOverride.objects.create(name="Sweep", deleted=True)
    write(home, HOURLY)
    loader.step(now=NOON)
    assert sweep().deleted and sweep().next_due_at is None


def test_an_override_of_a_task_that_left_does_no_harm(loader, home):
    TaskOverride.objects.create(name="Gone", enabled=True)
    write(home, HOURLY)
    assert loader.step(now=NOON)
    assert list(Task.objects.values_list("name", flat=True)) == ["Sweep"]


def test_a_django_app_may_ship_tasks(loader, home, tmp_path, monkeypatch):
    from django.apps import apps

    config = apps.get_app_config("tasks_app")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "tasks.yaml").write_text(HOURLY)
    monkeypatch.setattr(config, "path", str(tmp_path))
    loader.step(now=NOON)
    task = sweep("tasks_app")
    assert (task.pool, task.enabled) == ("django", True)
    assert "tasks_app" in hosting.enabled_names()
    assert hosting.folder("tasks_app") == tmp_path


def test_a_change_within_the_same_second_and_size_is_seen(loader, home):
    write(home, HOURLY)
    file = home / "config" / "tasks.yaml"
    stat = file.stat()
    loader.step(now=NOON)
    file.write_text(HOURLY.replace("0 *", "7 *"))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    loader.step(now=NOON)
    assert sweep().schedule == "7 * * * *"


def test_many_files_are_loaded_in_slices(loader, home, monkeypatch):
    from tasks_app.definitions import loader as module

    monkeypatch.setattr(module, "SLICE", 2)
    for app in ("A1", "B2", "C3", "D4"):
        write(home, HOURLY, app)
    steps = 0
    while loader.step(now=NOON) or loader.more:
        steps += 1
    assert steps == 3  # the data folder's file, which is not there, is one of five
    assert Task.objects.count() == 4
