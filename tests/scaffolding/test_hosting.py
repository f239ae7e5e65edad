"""Hosted apps as they stand on disk."""

import os

import pytest

from scaffolding import hosting
from scaffolding.errors import AppNotFound, ScriptMissing
from scaffolding.hosting import files, registry
from taskhub.core.clock import FakeClock
from tests.support import NOON

pytestmark = pytest.mark.one_database

GOOD = "name: Shop\nversion: 1.0\nenabled: true\ndescription: Sells.\nprefix: shop\n"


@pytest.fixture
def clock(monkeypatch):
    clock = FakeClock(NOON)
    monkeypatch.setattr(files, "SYSTEM", clock)
    return clock


def make_app(home, name="Shop", manifest=GOOD):
    folder = home / "apps" / name
    folder.mkdir(parents=True)
    if manifest is not None:
        (folder / "app.yaml").write_text(manifest)
    return folder


def test_an_app_says_what_its_manifest_says(home):
    folder = make_app(home)
    app = hosting.get("Shop")
    assert (app.name, app.path, app.enabled) == ("Shop", folder, True)
    assert (app.version, app.description, app.prefix, app.problems) == ("1.0", "Sells.", "shop", ())
    assert hosting.apps() == [app]
    assert "Shop" in hosting.enabled_names()


def test_a_switched_manifest_counts_at_once(home):
    folder = make_app(home)
    assert hosting.get("Shop").enabled
    (folder / "app.yaml").write_text(GOOD.replace("true", "false"))
    assert not hosting.get("Shop").enabled
    assert "Shop" not in hosting.enabled_names()


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "app.yaml: expected a manifest, found none"),
        ("", "app.yaml: expected fields with values, got NoneType"),
        ("- a\n- b\n", "app.yaml: expected fields with values, got list"),
        ("version: 1\nenabled: true\n", "app.yaml: name: expected a text, found none"),
        ("name: Shop\nenabled: true\n", "app.yaml: version: expected a text, found none"),
        ("name: Shop\nversion: 1\n", "app.yaml: enabled: expected true or false, got None"),
        (
            "name: Shop\nversion: 1\nenabled: perhaps\n",
            "app.yaml: enabled: expected true or false, got 'perhaps'",
        ),
        (
            "name: Other\nversion: 1\nenabled: true\n",
            "app.yaml: name: expected 'Shop', the name of its folder",
        ),
        ("name: Shop\nversion: [1]\nenabled: true\n", "app.yaml: version: expected a text of at most"),
        ("name: Shop\nname: Shop\n", "line 2"),
        ("name: [\n", "app.yaml, line 1"),
    ],
)
def test_a_broken_manifest_is_a_problem_of_an_app_that_is_off(home, manifest, said):
    make_app(home, manifest=manifest)
    (app,) = hosting.apps()
    assert not app.enabled
    assert said in " ".join(app.problems)


def test_a_manifest_that_is_no_text_is_a_problem(home):
    (make_app(home) / "app.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in hosting.get("Shop").problems[0]


def test_a_folder_of_another_name_is_listed_with_its_problem(home):
    make_app(home, name="shop")
    assert "expected a name of a capital letter" in hosting.apps()[0].problems[0]


@pytest.mark.parametrize("name", ["", "Nope", "../apps", "Shop/..", ".", "\0", "a" * 300])
def test_an_unknown_app_is_said_to_be_unknown(home, name):
    with pytest.raises(AppNotFound):
        hosting.get(name)


def test_checks_of_other_modules_add_their_problems(home, monkeypatch):
    monkeypatch.setattr(registry, "_checks", [])
    make_app(home)
    hosting.add_check(lambda name: [f"{name} looks odd"])
    assert hosting.get("Shop").problems == ("Shop looks odd",)


def test_a_script_is_found_inside_the_folder(home):
    folder = make_app(home)
    (folder / "scripts").mkdir()
    (folder / "scripts" / "a.py").touch()
    assert hosting.resolve("Shop", "scripts/a.py") == str(folder / "scripts" / "a.py")


def test_tasks_of_the_data_folder_have_their_scripts_beside_their_file(home):
    (home / "config" / "a.py").touch()
    assert hosting.resolve("", "a.py") == str(home / "config" / "a.py")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "scripts/gone.py",
            "path: expected a script at 'scripts/gone.py' in the folder of app Shop, found none",
        ),
        ("scripts", "expected a file at 'scripts'"),
        ("../../secret.key", "expected a script inside the folder of app Shop"),
        ("/etc/passwd", "expected a script inside the folder of app Shop"),
        ("link.py", "expected a script inside the folder of app Shop"),
    ],
)
def test_a_missing_script_is_named(home, path, said):
    folder = make_app(home)
    (folder / "scripts").mkdir()
    (folder / "link.py").symlink_to("/etc/passwd")
    with pytest.raises(ScriptMissing) as caught:
        hosting.resolve("Shop", path)
    assert said in str(caught.value)
    assert "path" in caught.value.fields


def test_the_stamp_moves_with_each_change_of_a_file(home, clock):
    folder = make_app(home)
    stamps = [hosting.stamp("Shop")]
    for change in (
        lambda: (folder / "a.py").write_text("1"),
        lambda: (folder / "a.py").write_text("22"),
        lambda: os.rename(folder / "a.py", folder / "b.py"),
        lambda: (folder / "b.py").unlink(),
    ):
        change()
        clock.advance(3)
        stamps.append(hosting.stamp("Shop"))
    # The last change leads back to where it began.
    assert len(set(stamps)) == 4 and stamps[0] == stamps[-1]


def test_the_stamp_is_not_looked_at_again_within_two_seconds(home, clock):
    folder = make_app(home)
    before = hosting.stamp("Shop")
    (folder / "a.py").touch()
    clock.advance(1)
    assert hosting.stamp("Shop") == before


def test_the_stamp_does_not_move_by_running_the_app(home, clock):
    folder = make_app(home)
    before = hosting.stamp("Shop")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").touch()
    clock.advance(3)
    assert hosting.stamp("Shop") == before


def test_an_app_that_is_gone_has_a_stamp_of_its_own(home, clock):
    make_app(home)
    assert hosting.stamp("Gone") == "gone" != hosting.stamp("Shop")
