"""The bench with a handful of jobs: it runs, counts right, leaves nothing behind. No time is judged."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import main
from tests.bench.measures import MEASURES
from tests.bench.processes import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.one_database]


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "results.json").read_text())["measures"][name]["rows"]
    return rows


# Orphans come to the subreaper, so what the program leaves behind is seen, and nobody else's processes are.
_TELL_WHO_IS_LEFT = """
import ctypes, subprocess, sys, psutil
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
status = subprocess.call(sys.argv[1:], stdout=sys.stderr)
_, left = psutil.wait_procs(psutil.Process().children(recursive=True), timeout=10)
for process in left:
    print(process)
    process.kill()
sys.exit(status)
"""


@pytest.mark.slow
def test_every_measure_runs_in_small_and_is_written_down(tmp_path: Path, chromium_path: str):
    # In a process of its own, as `make bench` runs it: its browser wants the event loop for itself.
    told = subprocess.run(
        [sys.executable, "-c", _TELL_WHO_IS_LEFT, sys.executable, "-m", "tests.bench", "--size", "tiny",
         "--runs", "1", "--to", str(tmp_path), "--only", "Taskhub"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (tmp_path / "README.md").exists(), told.stderr

    page = (tmp_path / "README.md").read_text()
    for name in MEASURES:
        rows = _rows(tmp_path, name)
        assert [row["error"] for row in rows] == [""] * len(rows)
        assert all(row["taskhub"] and row["measure"] in page for row in rows)
    assert told.stdout == "", "processes that outlived the bench"


@pytest.mark.slow
def test_the_peers_run_all_that_they_are_given(tmp_path: Path):
    peers = ["Celery", "Huey on SQLite", "Huey on Redis"]
    only = [word for peer in peers for word in ("--only", peer)]

    assert main(["drain", "--size", "tiny", "--to", str(tmp_path), *only]) == 0

    assert sorted(_rows(tmp_path, "drain")[0]["runs"]) == sorted(peers)


def test_an_unknown_measure_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "no such measure: speed" in capsys.readouterr().err
