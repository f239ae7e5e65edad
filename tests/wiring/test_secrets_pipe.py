"""Secrets pass through a pipe that is empty afterwards, never through an environment that stays."""

import json
import os
import subprocess
import sys

import pytest

from taskhub.core import secrets_pipe
from tests.acceptance.harness import ROOT

pytestmark = pytest.mark.one_database

SHOW = """
import json, os, sys
from taskhub.core import secrets_pipe
secrets_pipe.take()
print(json.dumps({
    "environ": open("/proc/self/environ").read(),
    "os": dict(os.environ),
    "key": secrets_pipe.get("TASKHUB_SECRET_KEY"),
    "argv": sys.argv[1:],
    "descriptors": sorted(os.listdir("/proc/self/fd")),
}))
"""


def show(*arguments, environment, descriptors=()):
    ran = subprocess.run(
        [sys.executable, "-c", SHOW, *arguments],
        cwd=ROOT, env=environment, pass_fds=descriptors, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def test_a_secret_of_the_environment_is_known_and_not_visible():
    shown = show("a b", "--c", environment={"TASKHUB_SECRET_KEY": "s3cret", "PATH": "/bin"})
    assert shown["key"] == "s3cret"
    assert "s3cret" not in shown["environ"]
    assert "s3cret" not in json.dumps(shown["os"])
    assert shown["argv"] == ["a b", "--c"]
    assert secrets_pipe.PIPE not in shown["os"]


def test_without_a_secret_nothing_happens():
    shown = show(environment={"PATH": "/bin", "OTHER": "stays"})
    assert shown["key"] is None
    assert shown["os"]["OTHER"] == "stays"


def test_a_child_gets_what_it_may_know(monkeypatch):
    monkeypatch.setenv("TASKHUB_SECRET_KEY", "s3cret")
    monkeypatch.setenv("TASKHUB_ADMIN_PASSWORD", "not for children")
    reader = secrets_pipe.handover(leave_out={"TASKHUB_ADMIN_PASSWORD"})
    environment = secrets_pipe.clean(os.environ) | {secrets_pipe.PIPE: str(reader)}
    shown = show(environment=environment, descriptors=(reader,))
    os.close(reader)
    assert shown["key"] == "s3cret"
    assert "not for children" not in json.dumps(shown)
    # Read to its end and closed: nothing of it is left to be read by anybody else.
    assert str(reader) not in shown["descriptors"]


def test_more_than_a_pipe_holds_is_refused(monkeypatch):
    monkeypatch.setenv("TASKHUB_SECRET_KEY", "x" * 40_000)
    with pytest.raises(secrets_pipe.TooManySecrets, match="32768"):
        secrets_pipe.handover()


def test_clean_leaves_all_else_alone():
    cleaned = secrets_pipe.clean({"TASKHUB_SECRET_KEY": "a", secrets_pipe.PIPE: "3", "TASKHUB_HOME": "/data"})
    assert cleaned == {"TASKHUB_HOME": "/data"}
