"""The sample app: comes once, works as it is, and belongs to its owner from then on."""

import shutil
from pathlib import Path

import pytest

from runspaces_app import languages
from scaffolding import hosting, sample
from taskhub.core.home import Home
from tasks_app.definitions import problems, schema
from tasks_app.schedule import cron
from tests.support import NOON

pytestmark = pytest.mark.one_database


@pytest.fixture
def app(home):
    assert sample.install(Home(home), now=NOON)
    return home / "apps" / "Sample"


def test_it_is_a_valid_app_that_is_on(app):
    found = hosting.get("Sample")
    assert (found.enabled, found.problems, found.path) == (True, (), app)
    assert problems("Sample") == []


def test_every_task_is_on_and_has_its_script(app):
    file = app / "config" / "tasks.yaml"
    tasks = schema.parse(file.read_text(), file="tasks.yaml").definitions
    assert len(tasks) == 9
    first_runs = []
    for task in tasks:
        assert task.enabled and task.description
        first = task.at or cron.parse(task.schedule, task.timezone).next_after(NOON)
        assert first is not None and first > NOON
        first_runs.append((first - NOON).total_seconds())
        source = Path(hosting.resolve("Sample", task.path)).read_text() if task.path else task.code
        languages.get(task.language).check(source)
    assert sum(seconds <= 60 for seconds in first_runs) == 4, "a newcomer sees them work at once"
    assert max(first_runs) <= 86_400


def test_what_a_person_changed_stays(app, home):
    (app / "app.yaml").write_text("mine")
    assert not sample.install(Home(home), now=NOON)
    assert (app / "app.yaml").read_text() == "mine"


def test_once_removed_it_does_not_come_back(app, home):
    shutil.rmtree(app)
    assert not sample.install(Home(home), now=NOON)
    assert not app.exists()


def test_an_app_of_that_name_that_was_there_before_is_left_alone(home):
    (home / "apps" / "Sample").mkdir(parents=True)
    assert not sample.install(Home(home), now=NOON)
    assert list((home / "apps" / "Sample").iterdir()) == []


def test_half_a_copy_is_no_app_and_the_next_try_makes_it_whole(home):
    half = home / "apps" / ".Sample.half"
    half.mkdir(parents=True)
    (half / "leftover").touch()
    assert hosting.apps() == []
    assert sample.install(Home(home), now=NOON)
    assert not half.exists()
    assert not (home / "apps" / "Sample" / "leftover").exists()
