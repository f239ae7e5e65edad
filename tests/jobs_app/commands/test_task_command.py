"""What `task` answers about tasks that do not run, and to names that mean nothing."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from jobs_app.commands import task_lists
from tests.support import make_pool, make_task

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def answers(capsys: pytest.CaptureFixture[str]):
    """`answers("next", "T")`: what the command prints."""

    def say(*words: str) -> str:
        call_command("task", *words)
        told = capsys.readouterr()
        return told.out + told.err

    return say


@pytest.fixture
def shop(home: Path) -> Path:
    manifest = home / "apps" / "Shop" / "app.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("name: Shop\nversion: '1'\nenabled: true\n")
    return manifest


def test_a_one_off_time_is_told_on_the_clock_of_its_zone(answers) -> None:
    at = (timezone.now() + timedelta(days=2)).replace(hour=12, minute=0)
    make_task("T", at=at, timezone="Asia/Kathmandu")
    assert f"{at:%Y-%m-%d} 17:45 +0545" in answers("next", "T")
    [run] = json.loads(answers("next", "T", "--json"))["results"]
    assert run["local"].endswith("+05:45")


def test_why_nothing_comes_is_told(answers, shop: Path) -> None:
    make_task("Over", at=timezone.now() - timedelta(days=1))
    make_task("Hand")
    make_task("Shut", app="Shop", schedule="0 3 * * *", next_due_at=timezone.now() + timedelta(hours=1))
    assert "Its one time, " in answers("next", "Over")
    assert "by hand only" in answers("next", "Hand")
    assert "Shop/Shut" in answers("next")
    assert json.loads(answers("next", "Shut", "--json"))["enabled"] is True
    shop.write_text("name: Shop\nversion: '1'\nenabled: false\n")
    assert "Its app is disabled, so none of them will happen." in answers("next", "Shut")
    assert "Shop/Shut" not in answers("next")
    assert json.loads(answers("next", "Shut", "--json"))["enabled"] is False


def test_an_app_nobody_knows_is_an_error_and_no_empty_answer(answers, shop: Path) -> None:
    make_task("Mine", app="Gone", source="custom")
    assert "Mine" in answers("list", "--app", "Gone")
    assert json.loads(answers("export", "--app", "Shop"))["tasks"] == []
    for verb in ("list", "export"):
        with pytest.raises(CommandError, match="app: expected the name of an app, got 'Nope'"):
            call_command("task", verb, "--app", "Nope")


def test_a_name_may_hold_a_slash() -> None:
    task = make_task("a/b/c")
    assert task_lists.find("a/b/c") == task_lists.find("/a/b/c") == task


def test_a_document_that_is_no_json_is_told_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    file.write_text("{")
    with pytest.raises(CommandError, match=r"^FILE: expected JSON, got "):
        call_command("task", "import", str(file))


def test_cron_is_not_asked_to_run_what_cannot_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No crontab of anybody may be touched.
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(CommandError, match="run `taskhub up` once"):
        call_command("task", "cron", "install")
    make_pool("default")
    with pytest.raises(CommandError, match="expected the program crontab"):
        call_command("task", "cron", "install")
