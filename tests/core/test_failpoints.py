"""Points at which a test makes a process fail."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from taskhub.core import failpoints

pytestmark = pytest.mark.one_database


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def run_armed(text: str) -> subprocess.CompletedProcess[str]:
    code = "from taskhub.core import failpoints\nfailpoints.hit('a.b')\nprint('after')"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"TASKHUB_FAILPOINT": text},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_unset_it_does_nothing():
    assert run_armed("").stdout == "after\n"


def test_kill_kills_the_process_by_a_signal_it_cannot_catch():
    ended = run_armed("a.b=kill")
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")


def test_a_variable_that_does_not_fit_ends_the_start():
    ended = run_armed("a.b=explode")
    assert ended.returncode == 1
    assert "TASKHUB_FAILPOINT: expected name=kill" in ended.stderr


def test_raise_raises_with_the_name():
    failpoints.arm("a.b=raise")
    with pytest.raises(failpoints.FailpointReached, match=r"a\.b"):
        failpoints.hit("a.b")
    failpoints.hit("another")


def test_pause_waits_that_many_milliseconds():
    failpoints.arm("a.b=pause:30")
    before = time.monotonic()
    failpoints.hit("a.b")
    assert time.monotonic() - before >= 0.03


def test_n_means_that_hit_alone():
    failpoints.arm("a.b=raise@3")
    failpoints.hit("a.b")
    failpoints.hit("a.b")
    with pytest.raises(failpoints.FailpointReached):
        failpoints.hit("a.b")
    failpoints.hit("a.b")


def test_several_points_at_once():
    failpoints.arm(" a=raise@2; b=raise ;")
    failpoints.hit("a")
    for name in ("b", "a"):
        with pytest.raises(failpoints.FailpointReached):
            failpoints.hit(name)


@pytest.mark.parametrize(
    "text", ["a", "a=", "a=kill@0", "a=pause", "a=pause:x", "=kill", "a=kill@", "a b=kill"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="expected name=kill"):
        failpoints.arm(text)
