"""The bench with a handful of jobs: it runs, counts right, leaves nothing behind. No time is judged."""

import json
from pathlib import Path

import psutil
import pytest

from tests.bench.__main__ import main
from tests.bench.measures import MEASURES

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.one_database]

# What needs a second process tree per system is here with Taskhub and its quickest peer only.
_ONLY = ["--only", "Taskhub", "--only", "Huey on Redis"]


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_runs_in_small_and_is_written_down(name: str, tmp_path: Path):
    before = {child.pid for child in psutil.Process().children(recursive=True)}

    assert main([name, "--size", "tiny", "--runs", "1", "--to", str(tmp_path), *_ONLY]) == 0

    rows = json.loads((tmp_path / "results.json").read_text())["measures"][name]["rows"]
    assert rows
    for row in rows:
        assert row["error"] == ""
        assert row["taskhub"]
        assert all(values for values in row["runs"].values())
        assert row["measure"] in (tmp_path / "README.md").read_text()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


@pytest.mark.parametrize("peer", ["Celery", "Huey on Redis", "Huey on SQLite"])
def test_a_peer_runs_all_that_it_was_given(peer: str, tmp_path: Path):
    assert main(["drain", "--size", "tiny", "--to", str(tmp_path), "--only", peer]) == 0

    row = json.loads((tmp_path / "results.json").read_text())["measures"]["drain"]["rows"][0]
    assert list(row["runs"]) == [peer]


def test_an_unknown_measure_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "no such measure: speed" in capsys.readouterr().err
