"""The supervisor with children that are a line of shell each."""

import os
import signal
import subprocess
import threading

import pytest

from taskhub.supervisor import Service, Supervisor, launch
from tests.support import wait_until

pytestmark = [pytest.mark.one_database, pytest.mark.processes]


@pytest.fixture(autouse=True)
def signals_as_before():
    """The supervisor takes the signals of its process; the test process wants its own back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


class Run:
    """Runs a supervisor over shell scripts; `then` is called from a thread and must bring it to an end."""

    def __init__(self, *scripts, ready=lambda pid: True):
        self.said: list[str] = []
        self.events: list[str] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.services = [
            Service(f"child {n}", self.starter(script), ready) for n, script in enumerate(scripts)
        ]
        self.supervisor = Supervisor(
            self.services,
            say=self.said.append,
            on_ready=lambda: self.events.append("ready"),
            on_stop=lambda: self.events.append("stop"),
        )

    def starter(self, script):
        def start():
            self.processes.append(launch(["sh", "-c", script], environment=dict(os.environ)))
            return self.processes[-1]

        return start

    def until(self, then):
        thread = threading.Thread(target=then, daemon=True)
        thread.start()
        code = self.supervisor.run()
        thread.join(timeout=5)
        return code


def ask_to_stop():
    os.kill(os.getpid(), signal.SIGTERM)


def test_it_says_once_that_all_are_ready_and_stops_all():
    run = Run("exec sleep 60", "exec sleep 60")

    def then():
        wait_until(lambda: run.events == ["ready"])
        ask_to_stop()

    assert run.until(then) == 0
    assert run.events == ["ready", "stop"]
    assert [process.returncode for process in run.processes] == [-signal.SIGTERM] * 2


def test_one_that_dies_is_started_again_and_each_time_later():
    run = Run("exec sleep 60")

    def then():
        for number in range(3):
            wait_until(lambda number=number: len(run.processes) > number)  # type: ignore[misc]
            run.processes[number].kill()
        wait_until(lambda: len(run.processes) == 4)
        ask_to_stop()

    assert run.until(then) == 0
    assert run.said == [
        f"child 0 was killed by SIGKILL; starting it again in {seconds} s."
        for seconds in ("0.2", "0.4", "0.8")
    ]


def test_one_that_cannot_start_ends_the_others_with_exit_code_1():
    run = Run("exec sleep 60", "exit 3", ready=lambda pid: False)
    assert run.until(lambda: None) == 1
    assert run.said == ["child 1 ended with exit code 3 before it was ready; Taskhub stops."]
    assert run.events == ["stop"]


def test_a_second_signal_kills_what_ignores_the_first():
    run = Run("trap '' TERM; echo; while :; do sleep 0.1; done")

    def then():
        wait_until(lambda: run.events == ["ready"])
        ask_to_stop()
        wait_until(lambda: "stop" in run.events)
        ask_to_stop()

    assert run.until(then) == 0
    assert run.processes[0].returncode == -signal.SIGKILL


def test_children_have_no_terminal_and_no_session_of_ours():
    process = launch(["sh", "-c", "exec sleep 60"], environment={})
    assert os.getsid(process.pid) == process.pid
    process.kill()
    process.wait()
