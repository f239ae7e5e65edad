import sys
import time

import pytest

from runspaces_app.languages import CheckFailed, checking


def test_the_answer_of_the_checker_comes_back():
    checked = checking.run(["sh", "-c", "cat; echo no >&2; exit 3"], "some \u00e4 text")
    assert checked == (3, "some \u00e4 text", "no\n")


def test_a_checker_that_spins_is_ended_after_two_seconds_of_work():
    began = time.monotonic()
    with pytest.raises(CheckFailed, match="took longer"):
        checking.run(["sh", "-c", "while :; do :; done"], "")
    assert time.monotonic() - began < checking.CPU_SECONDS * checking.WALL_PER_CPU + 2


def test_a_checker_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(checking, "WALL_PER_CPU", 0.1)
    with pytest.raises(CheckFailed, match="took longer"):
        checking.run(["sleep", "60"], "")


def test_a_checker_that_never_reads_does_not_hold_the_caller_up():
    assert checking.run(["true"], "x" * 1_000_000).status == 0


def test_the_checker_has_little_memory():
    eat = "x = bytearray(300 * 1024 * 1024)"
    assert checking.run([sys.executable, "-I", "-S", "-c", f"input(); {eat}"], "\n").status == 1
