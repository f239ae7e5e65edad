"""A script of another language as a child: why it did not start, and how it is asked to end."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from runspaces_app.worker import processes
from runspaces_app.worker.child_job import ChildJob, why_not_started
from runspaces_app.worker.progress import Progress
from runspaces_app.worker.results import Emitted

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("#!/bin/sh\n", 0o644, "expected {0!r} to be marked as executable (chmod +x), it is not."),
        ("#!/no/such\n", 0o755, "expected a program of this machine behind #!, got '#!/no/such'."),
        ("#!/bin/sh\r\n", 0o755, "expected a program of this machine behind #!, got '#!/bin/sh\\r'."),
        ("echo\n", 0o755, "expected a first line of #! and the path of a program, got 'echo'."),
        (None, 0, "[Errno 2] No such file or directory: {0!r}"),
    ],
)
def test_it_is_told_what_to_mend(tmp_path: Path, text: str | None, mode: int, said: str) -> None:
    script = tmp_path / "script"
    if text is not None:
        script.write_text(text)
        script.chmod(mode)
    with pytest.raises(OSError) as refused:
        subprocess.run([str(script)], check=False)
    assert why_not_started(refused.value, str(script)) == said.format(str(script))


def test_a_folder_that_is_gone_is_not_blamed_on_the_script(tmp_path: Path) -> None:
    with pytest.raises(OSError) as refused:
        subprocess.run(["/bin/true"], cwd=tmp_path / "gone", check=False)
    assert "gone" in why_not_started(refused.value, "/bin/true")


def test_the_leader_of_a_session_is_signalled_before_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    family = {
        pid: processes.Process(pid, 1, session, "S", 0) for pid, session in ((3, 5), (5, 5), (7, 5), (9, 9))
    }
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(processes, "everyone", lambda: family)
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    job = ChildJob(["true"], {}, b"", "/", Progress(lambda: None), Emitted())

    job._signal(5, signal.SIGTERM)

    asked = [pid for pid, number in sent if number == signal.SIGTERM]
    assert asked[0] == 5 and sorted(asked) == [3, 5, 7]
