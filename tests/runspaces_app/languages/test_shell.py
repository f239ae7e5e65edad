import re
import shutil
import subprocess

import pytest

from runspaces_app import languages
from runspaces_app.languages import CheckFailed

SHELL = languages.get("shell")


@pytest.mark.parametrize(
    "code", ["", "echo hi", "#!/bin/sh -e\ntrue\n", "f() { echo; }\nf", "rm -rf /nonexistent"]
)
def test_what_parses_passes(code):
    SHELL.check(code)


@pytest.mark.parametrize("code", ["if true; then\n", "echo 'open", "done", "a=(1 2)", "fi\n" * 3])
def test_what_does_not_parse_is_refused(code):
    with pytest.raises(CheckFailed) as caught:
        SHELL.check(code)
    assert caught.value.message


def test_the_line_is_named():
    with pytest.raises(CheckFailed) as caught:
        SHELL.check("true\ntrue\ndone\n")
    assert caught.value.line == 3
    assert "unexpected" in caught.value.message


def test_the_check_runs_nothing(tmp_path):
    SHELL.check(f"touch {tmp_path}/ran\n: $(touch {tmp_path}/ran)\n")
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash on this host")
@pytest.mark.parametrize("first", ["#!/bin/bash", "#!/usr/bin/env bash", "#! /bin/bash -eu"])
def test_the_first_line_may_ask_for_another_shell(first, tmp_path):
    code = f"{first}\na=(1 2)\necho ${{#a[@]}}\n"
    SHELL.check(code)
    assert run(tmp_path, code).stdout == "2\n"


@pytest.mark.parametrize(
    "first",
    [
        "#!/usr/bin/python3",
        "#!/bin/bash -c",
        "#!/bin/sh -",
        "#!/bin/bash -e -u",
        "#!",
        "#!/bin/ksh-no",
        "#! *",
    ],
)
def test_a_first_line_that_asks_for_something_else_is_a_comment(first, tmp_path):
    assert run(tmp_path, f"{first}\necho $0\n").stdout == f"{tmp_path}/script.sh\n"


@pytest.mark.parametrize("first", ["#!/bin/sh -e", "#! /usr/bin/env sh -e", "#!/bin/dash -eu"])
def test_options_of_the_first_line_hold(first, tmp_path):
    assert run(tmp_path, f"{first}\nfalse\necho not here\n").stdout == ""


def test_the_arguments_can_be_made_before_the_file():
    """The engine makes them, the runspace fills in the path."""
    argv = SHELL.argv("{script}")
    assert argv.count("{script}") == 1


def test_messages_carry_the_lines_of_the_author(tmp_path):
    done = run(tmp_path, "true\n\nnosuchcommand\n")
    assert f"{tmp_path}/script.sh: 3: " in done.stderr or f"{tmp_path}/script.sh: line 3: " in done.stderr


def test_a_syntax_error_at_run_time_is_a_failure_with_its_line(tmp_path):
    done = run(tmp_path, "echo begun\ndone\n")
    assert done.returncode != 0
    assert re.search(r"script.sh: (line )?2: ", done.stderr)


@pytest.mark.parametrize(("code", "status"), [("exit 7", 7), ("false", 1), ("true", 0), ("return 5", 5)])
def test_the_exit_status_is_that_of_the_script(code, status, tmp_path):
    assert run(tmp_path, code).returncode == status


def test_the_script_sees_no_arguments(tmp_path):
    assert run(tmp_path, "set -f; echo $# $*; case $- in *e*) echo set;; esac").stdout == "0\n"


def run(folder, code):
    script = folder / "script.sh"
    script.write_text(code)
    return subprocess.run(
        SHELL.argv(str(script)), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
