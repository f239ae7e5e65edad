"""What the README tells people to type works as it is written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.harness import ROOT, Installation
from tests.support import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.one_database]


def walk_through() -> str:
    found = re.search(
        r"<!-- walk-through.*?-->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    assert found, "README.md has no walk-through"
    return found.group(1)


def test_the_walk_through_runs(taskhub):
    lines = walk_through()
    lines = lines.replace("http://127.0.0.1:8000", taskhub.address)
    lines = lines.replace(".venv/bin/python manage.py", f"{sys.executable} {ROOT}/manage.py")
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        env=taskhub.environ(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answers = ran.stdout.splitlines()
    assert "42" in answers
    assert "Hello" in answers
    assert taskhub.client().get("/api/v1/jobs/hello").json()["state"] == "completed"
    assert taskhub.client().get("/api/v1/jobs/nap").json()["cancel_requested_at"] is not None


def test_the_commands_run(installation: Installation, tmp_path: Path) -> None:
    found = re.search(r"## From a shell\n+```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found, "README.md has no commands"
    installation.start(sample=True)
    wait_until(lambda: "Disk usage" in installation.manage("task", "list").stdout, 30, "the sample is read")
    (tmp_path / "script.py").write_text("print(context.parameters['day'])")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "crontab").write_text(
        f"#!/bin/sh\ncase $1 in -l) cat {tmp_path}/table 2>/dev/null || "
        f"{{ echo no crontab for me >&2; exit 1; }} ;; -) cat > {tmp_path}/table ;; esac\n"
    )
    (folder / "crontab").chmod(0o755)
    (folder / "taskhub").write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/manage.py "$@"\n')
    (folder / "taskhub").chmod(0o755)
    installation.manage("job", "run", str(tmp_path / "script.py"), "--param", "day=sunday", "--id", "known")
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", found[1].replace("tail ID", "tail known")], cwd=tmp_path,
        env=installation.environ(PATH=f"{folder}:{installation.environ()['PATH']}"),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "sunday\n" in ran.stdout and "script.py completed" in ran.stderr
    assert (tmp_path / "table").read_text().count("run_engine --once") == 1
