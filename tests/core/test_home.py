"""The data folder."""

import stat
from pathlib import Path

import pytest

from taskhub.core import home as home_module
from taskhub.core.home import Home

pytestmark = pytest.mark.one_database


def test_every_folder_is_made_and_the_owners_alone(tmp_path: Path):
    home = Home(tmp_path / "deep" / "home")
    home.create()
    folders = [each for each in home.root.iterdir() if each.is_dir()]
    assert {each.name for each in folders} == {
        "config", "run", "marks", "spool", "output", "work", "apps", "app_data", "backups", "exports", "logs",
    }  # fmt: skip
    assert {stat.S_IMODE(each.stat().st_mode) for each in [home.root, *folders]} == {0o700}


def test_creating_twice_keeps_what_is_there(tmp_path: Path):
    home = Home(tmp_path / "home")
    home.create()
    (home.run / "queue.lock").touch()
    home.create()
    assert (home.run / "queue.lock").exists()


def test_a_folder_made_open_by_hand_is_closed(tmp_path: Path):
    (tmp_path / "home").mkdir(mode=0o755)
    Home(tmp_path / "home").create()
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_naming_a_place_makes_nothing(tmp_path: Path):
    assert Home(tmp_path / "home").audit_log == tmp_path / "home" / "logs" / "audit.log"
    assert not (tmp_path / "home").exists()


def test_the_current_one_is_that_of_the_settings(tmp_path: Path, settings):
    settings.TASKHUB_HOME = tmp_path
    assert Home.current() == home_module.current() == Home(tmp_path)
