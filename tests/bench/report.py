"""The results as a page: README.md beside this file, made from results.json and kept remarks."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from .figures import Row, median, number

HERE = Path(__file__).resolve().parent
REMARKS_BEGIN = "<!-- remarks: kept when the page is written anew -->"
REMARKS_END = "<!-- end of remarks -->"

_HEAD = """\
# Speed

Written by `make bench`; change nothing here by hand but the remarks. Each figure is the median of the
runs, each run with fresh processes and fresh data. Every store is durable on Taskhub's side: SQLite in
WAL with synchronous=FULL, with results and history rows written and counted at the end of each run.
"""

_METHOD = """\
## How it is measured

- *drain, shell*: two worker processes are up and have run 200 jobs; then the whole queue becomes visible at
  once (one commit, or one RENAME in Redis). The clock runs from that moment until the last result is stored.
- *live*: one producer calls the system's own enqueueing function without pause (`jobs_app.creation.create`
  here, without its check of the source text, as for every run of a task); from the first call to the last
  result.
- *latency*: from before that call to the first line of user code, which writes the monotonic clock to a file.
- *insert*: as a request of the web does it, a job with its spec and audit row in one transaction.
- *rest*: PSS and processor time of the whole process tree over a quiet stretch.
- *pages*: sockets subscribed as pages are, and scripts that print the wall clock: from the write to the frame
  that tells of it.
- *paint*: a headless Chromium that was just started opens one page after the other over a long history; first
  contentful paint, counted from the navigation.
- *due, idle, files, preview*: the scheduler's own steps, called in a process beside no other, until nothing
  is left to decide or to read; the jobs are queued and not run.
- *punctual*: one-off tasks; their code writes the wall clock, by which they are due, to a file.
- All tasks return a value, so that every system stores a result. Redis is reached by a unix socket and keeps
  neither snapshot nor append-only file; what it holds is not durable, which is in favour of those on it.
- Celery: prefork with 2 processes, prefetch multiplier 128 and transient delivery (its guide *Optimizing*,
  for many short tasks), early acknowledgement, results on; no events, gossip, mingle or heartbeat; log level
  WARNING.
- Huey: 2 process workers, `--no-periodic --quiet`; Redis by the blocking pop; SQLite in WAL with `fsync=True`
  (synchronous=FULL), polled each 5 ms when empty.
"""


def load(folder: Path = HERE) -> dict[str, Any]:
    """What earlier runs left: rows by measure, each with the run it is from."""
    path = folder / "results.json"
    empty: dict[str, Any] = {"measures": {}}
    return json.loads(path.read_text()) if path.exists() else empty


def record(
    results: dict[str, Any],
    name: str,
    rows: list[Row],
    *,
    at: datetime,
    command: str,
    runs: int,
    machine: dict[str, str],
    state: str,
) -> None:
    """Put a measure's rows in the place of its older ones."""
    results["measures"][name] = {
        "at": at.strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "runs": runs,
        "machine": machine,
        "state": state,
        "rows": [row.to_json() for row in rows],
    }


def write(results: dict[str, Any], order: list[str], *, folder: Path = HERE) -> None:
    """Write results.json and README.md; the remarks of the page before stay as they are."""
    page = folder / "README.md"
    remarks = _remarks(page.read_text() if page.exists() else "")
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    page.write_text(render(results, order, remarks))


def render(results: dict[str, Any], order: list[str], remarks: str) -> str:
    found = [(name, results["measures"][name]) for name in order if name in results["measures"]]
    parts = [_HEAD, *_runs_told(found), _table(found), _METHOD, _raw(found)]
    parts += ["## Remarks\n", REMARKS_BEGIN, remarks, REMARKS_END + "\n"]
    return "\n".join(parts)


def _runs_told(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Date, command and machine; once, if all measures come from one run."""
    told: dict[str, list[str]] = {}
    for name, measure in found:
        lines = [
            f"- Date: {measure['at']}",
            f"- Command: `{measure['command']}`, median of {measure['runs']}",
        ]
        lines += [f"- {title}: {text}" for title, text in measure["machine"].items()]
        told.setdefault("\n".join(lines), []).append(name)
    if len(told) == 1:
        return [next(iter(told)) + "\n"]
    return [f"Measured together: {', '.join(names)}\n\n{text}\n" for text, names in told.items()]


def _table(found: list[tuple[str, dict[str, Any]]]) -> str:
    lines = ["| measure | goal | Taskhub | peers | ratio | met? |", "|---|---|---|---|---|---|"]
    for _, measure in found:
        for data in measure["rows"]:
            row = Row.from_json(data)
            ratio = ", ".join(str(check) for check in row.checks if check.label.startswith("x"))
            cells = [row.measure, row.goal, row.error or row.taskhub, row.peers, ratio, row.verdict()]
            lines.append(
                "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
            )
    return "\n".join(lines) + "\n"


def _raw(found: list[tuple[str, dict[str, Any]]]) -> str:
    lines = ["## Every run\n"]
    for name, measure in found:
        lines.append(f"- {name}, before it began: {measure['state']}")
        for data in measure["rows"]:
            for figure, values in data["runs"].items():
                told = ", ".join(number(value) for value in values)
                lines.append(f"- {name}, {figure}: {told} (median {number(median(values))})")
    return "\n".join(lines) + "\n"


def _remarks(page: str) -> str:
    _, begin, rest = page.partition(REMARKS_BEGIN)
    kept, end, _ = rest.partition(REMARKS_END)
    return kept.strip("\n") if begin and end else ""
