"""A job's folder is its own, whatever is removed of an earlier attempt meanwhile."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs_app.models import Job
from runspaces_app import leftovers

from .conftest import EngineInTest

# The first attempt takes its runspace with it; the second one waits, and tells what is in its folder then.
SCRIPT = """
import os, pathlib, time
pathlib.Path(f"of {{context.attempt}}").touch()
if context.attempt == 1:
    os.kill(os.getpid(), 9)
pathlib.Path({started!r}).touch()
while not os.path.exists({go!r}):
    time.sleep(0.02)
sorted(os.listdir())
"""


def test_what_a_lost_attempt_left_is_removed_beside_the_next(
    engine: EngineInTest,
    submit: Callable[..., Job],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_remove, removed = threading.Event(), threading.Event()
    remove = leftovers.remove_folders

    def late(folders: list[Path]) -> None:
        may_remove.wait(15)
        remove(folders)
        removed.set()

    monkeypatch.setattr(leftovers, "remove_folders", late)
    started, go = tmp_path / "started", tmp_path / "go"
    code = SCRIPT.format(started=str(started), go=str(go))
    job = submit(code, idempotent=True, max_attempts=2, backoff=0)

    engine.until(started.exists, message="the second attempt runs")
    may_remove.set()
    engine.until(removed.is_set, message="the folder of the first is removed")
    go.touch()
    engine.run(job)

    assert (job.state, job.attempt) == ("completed", 2), job.error_message
    assert json.loads(job.result or "") == ["of 2", "tmp"]
    assert [each.name for each in (home / "work").iterdir() if not each.name.startswith(".")] == []
