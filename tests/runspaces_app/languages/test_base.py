"""Finding interpreters: asked for every job, so remembered, but not for long."""

import pytest

from runspaces_app.languages import base


@pytest.fixture
def clock(monkeypatch):
    moment = [1000.0]
    monkeypatch.setattr("runspaces_app.languages.base.time.monotonic", lambda: moment[0])
    monkeypatch.setattr(base, "_programs", {})
    return moment


def put(folder, name, text="#!/bin/sh\necho 1.5\n"):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_an_answer_is_remembered_for_some_seconds(clock, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert base.find_program("tool") is None
    path = put(tmp_path / "bin", "tool")
    assert base.find_program("tool") is None
    clock[0] += base.FOUND_SECONDS
    assert base.find_program("tool") == path
    (tmp_path / "bin" / "tool").unlink()
    assert base.find_program("tool") == path
    clock[0] += base.FOUND_SECONDS
    assert base.find_program("tool") is None


def test_another_path_is_another_question(clock, tmp_path, monkeypatch):
    first, second = put(tmp_path / "a", "tool"), put(tmp_path / "b", "tool")
    monkeypatch.setenv("PATH", str(tmp_path / "a"))
    assert base.find_program("tool") == first
    monkeypatch.setenv("PATH", str(tmp_path / "b"))
    assert base.find_program("tool") == second


def test_a_remembered_answer_looks_at_no_file(clock, monkeypatch):
    asked = []
    monkeypatch.setattr("runspaces_app.languages.base.shutil.which", lambda name: asked.append(name))
    for _ in range(1000):
        base.find_program("tool")
    assert asked == ["tool"]


def test_a_version_is_asked_once_for_each_state_of_the_file(tmp_path):
    path = put(
        tmp_path,
        "tool",
        "#!/bin/sh\necho >> asked; echo 1.5; echo more\n".replace("asked", f"{tmp_path}/asked"),
    )
    assert base.first_line(path) == base.first_line(path) == "1.5"
    assert (tmp_path / "asked").read_text() == "\n"
    put(tmp_path, "tool", "#!/bin/sh\necho 1.6 newer\n")
    assert base.first_line(path) == "1.6 newer"


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/nowhere/at/all\n", "#!/bin/sh\nsleep 60\n"])
def test_a_program_that_does_not_tell_has_no_version(text, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "VERSION_SECONDS", 0.3)
    assert base.first_line(put(tmp_path, "tool", text)) is None
    assert base.first_line(str(tmp_path / "none")) is None
