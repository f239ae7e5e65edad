"""The README's walk-through works as it is written."""

import re
import subprocess
import sys

import pytest

from tests.acceptance.harness import ROOT

pytestmark = pytest.mark.processes


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
