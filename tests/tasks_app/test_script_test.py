"""The test of a script: each thing that may stand in the way, in its own words."""

import os

import pytest

from tasks_app import script_test
from tasks_app.models import Task


@pytest.fixture
def folder(home):
    return home / "config"


def look(**fields):
    report = script_test.test(Task(**({"name": "A", "language": "python"} | fields)))
    return (
        report.ok,
        {one.name: one.ok for one in report.looks},
        " ".join(one.message for one in report.looks),
    )


def test_a_script_that_would_run(folder):
    (folder / "a.py").write_text("1 + 1\n")
    ok, looks, _ = look(path="a.py")
    assert ok and looks == dict.fromkeys(("inside", "exists", "readable", "interpreter", "compiles"), True)


def test_code_in_the_task_is_compiled_too(home):
    assert look(code="1 + 1")[0]
    ok, looks, said = look(code="x =\n")
    assert not ok and looks["compiles"] is False and "line 1" in said


def test_a_missing_script_is_named_with_its_place(folder):
    ok, looks, said = look(path="none.py")
    assert (ok, looks["exists"], looks["readable"], looks["compiles"]) == (False, False, None, None)
    assert "none.py in the config folder, found nothing" in said
    (folder / "dir.py").mkdir()
    assert "found something that is no file" in look(path="dir.py")[2]


def test_a_path_that_leads_out_is_not_followed(folder, tmp_path):
    (tmp_path / "out.py").write_text("1")
    os.symlink(tmp_path / "out.py", folder / "link.py")
    for path in ("link.py", "../out.py", "/etc/passwd"):
        ok, looks, _ = look(path=path)
        assert not ok and looks["inside"] is False and looks["exists"] is None


def test_an_app_that_is_not_there(home):
    ok, looks, said = look(app="Nowhere", path="a.py")
    assert not ok and looks["inside"] is False and "Nowhere" in said


def test_bytes_that_are_no_text(folder):
    (folder / "a.py").write_bytes(b"\xff\xfe")
    ok, looks, _ = look(path="a.py")
    assert not ok and looks["readable"] is False


def test_a_script_nobody_may_read(folder, monkeypatch):
    (folder / "a.py").write_text("1")
    if os.geteuid() == 0:
        # Root reads everything; what the system would say stands in for it.
        def refused(self, *args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("pathlib.Path.open", refused)
    else:
        (folder / "a.py").chmod(0)
    ok, looks, said = look(path="a.py")
    assert not ok and looks["readable"] is False and "Permission denied" in said


def test_an_interpreter_that_is_missing(folder, monkeypatch):
    (folder / "a.sh").write_text("true\n")
    monkeypatch.setenv("PATH", "")
    ok, looks, said = look(path="a.sh", language="shell")
    assert not ok and looks["interpreter"] is False and "found none" in said


def test_a_language_nobody_knows(home):
    ok, looks, _ = look(code="1", language="cobol")
    assert not ok and looks["interpreter"] is False


def test_an_executable_names_its_program(folder):
    (folder / "a").write_text("#!/no/such/program\n")
    ok, looks, said = look(path="a", language="executable")
    assert not ok and looks["compiles"] is False and "/no/such/program" in said


def test_a_program_has_to_be_marked_as_one(folder):
    (folder / "a").write_text("#!/bin/sh\n")
    (folder / "a").chmod(0o644)
    ok, looks, said = look(path="a", language="executable")
    assert (ok, looks["readable"], looks["compiles"]) == (False, False, True) and "chmod +x" in said
    (folder / "a").chmod(0o755)
    assert look(path="a", language="executable")[0]
