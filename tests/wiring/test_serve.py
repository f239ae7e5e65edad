"""The web process ends in time, and requests in hand end before it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from tests.acceptance.harness import ROOT
from tests.support import wait_until

pytestmark = [pytest.mark.one_database, pytest.mark.processes]


LARGEST_BODY = 32 * 1024 * 1024


class Site:
    """The slow site in a process of its own."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        descriptor = self.listener.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.wiring.slow_site", str(descriptor)],
            cwd=ROOT, pass_fds=(descriptor,), stdout=subprocess.PIPE,
        )  # fmt: skip
        self.says("ready")
        self.answers = []

    def says(self, word):
        assert self.process.stdout.readline().decode().strip() == word

    def ask(self, path):
        """Ask in a thread; returns when the request is in hand."""

        def run():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("GET", path)
                self.answers.append(connection.getresponse().read())
                connection.close()
            except OSError as failed:
                self.answers.append(failed)

        threading.Thread(target=run, daemon=True).start()
        self.says("began")

    def ends_within(self, seconds):
        began = time.monotonic()
        code = self.process.wait(timeout=seconds)
        return code == 0 and time.monotonic() - began <= seconds


@pytest.fixture
def site():
    made = Site()
    yield made
    made.listener.close()
    made.process.kill()
    made.process.wait()
    made.process.stdout.close()


def test_an_idle_one_ends_at_once(site):
    site.process.send_signal(signal.SIGTERM)
    assert site.ends_within(1.0)


@pytest.mark.parametrize("how", ["sleep", "block"])
def test_a_request_in_hand_is_answered_before_the_end(site, how):
    site.ask(f"/{how}/0.7")
    site.process.send_signal(signal.SIGTERM)
    assert site.ends_within(2.0)
    wait_until(lambda: site.answers)
    assert site.answers == [b"finished"]


@pytest.mark.parametrize("how", ["sleep", "block"])
def test_a_request_that_takes_too_long_is_cut_off(site, how):
    site.ask(f"/{how}/30")
    site.process.send_signal(signal.SIGTERM)
    # Two seconds are promised; the rest is for a busy machine.
    assert site.ends_within(2.5)


def test_a_second_signal_ends_it_at_once(site):
    site.ask("/sleep/30")
    site.process.send_signal(signal.SIGINT)
    wait_until(lambda: _refuses(site))
    site.process.send_signal(signal.SIGINT)
    assert site.ends_within(0.7)


def test_an_unread_answer_does_not_hold_it(site):
    with socket.create_connection(("127.0.0.1", site.port)) as idle:
        idle.sendall(b"GET /sleep/0 HTTP/1.1\r\nHost: x\r\n\r\n")
        site.says("began")
        # A browser keeps its connection open after the answer.
        wait_until(lambda: idle.recv(64, socket.MSG_PEEK))
        site.process.send_signal(signal.SIGTERM)
        assert site.ends_within(1.0)


def test_a_body_is_kept_up_to_a_bound_and_handed_on_unread(site):
    def said(body, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
        connection.request("POST", "/body", body, headers)
        try:
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    long = LARGEST_BODY + 8 * 1024 * 1024
    assert said(b"x" * long) == f"{long} {LARGEST_BODY}"
    # In chunks: nobody knows the length before the end, and the application still learns it.
    assert said(iter([b"abc", b"de"])) == "5 5"
    assert said(iter([b"x" * (1024 * 1024)] * 40)) == f"{40 * 1024 * 1024} {LARGEST_BODY}"
    # A form that is none is for the application to refuse.
    assert said(b"no parts", **{"Content-Type": "multipart/form-data; boundary=x"}) == "8 8"
    assert said(None) == "0 0"


def _refuses(site):
    """Whether the process takes no more connections; the test lets go of its own end of the socket first."""
    site.listener.close()
    try:
        socket.create_connection(("127.0.0.1", site.port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_command_alone_serves_and_ends(installation):
    process = installation.spawn("serve", "--port", str(installation.port))
    wait_until(lambda: "Serving at" in installation.printed(), timeout=30)
    assert installation.client(token="").get("/admin/login/").status == 200
    assert installation.stop(process) == 0
    taken = socket.create_server(("127.0.0.1", 0))
    ran = installation.manage("serve", "--port", str(taken.getsockname()[1]))
    taken.close()
    assert ran.returncode == 1
    assert "is taken by another program" in ran.stderr
    assert not os.path.exists(f"/proc/{process.pid}/environ")
