"""The last runs of many tasks as strips of bars: how long each took, and how it ended."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobs_app.models import Execution

RUNS = 20
# A strip is drawn within 0 0 160 30: bars above, below them the marks of what did not end well.
STEP, WIDTH, BOTTOM, LOWEST = 8, 6, 23, 4
_MARKS = {
    "failed": "M{x} 30l3 -3l-3 -3l-3 3z",
    "lost": "M{x} 24l3 6h-6z",
    "terminated": "M{x} 25m-2.5 0h5v5h-5z",
}


class Tick(NamedTuple):
    """A run as a bar; the taller, the longer it took beside the others of its strip.

    Attributes:
        mark: the path of the shape below the bar; blank for what ended well or was stopped by hand.
    """

    run: Execution
    x: int
    y: int
    height: int
    mark: str


class Strip(NamedTuple):
    """Bars from the oldest to the newest run, and how many ended how, in words."""

    ticks: list[Tick]
    summary: str


def newest(tasks: Iterable[int], *, runs: int = RUNS) -> dict[int, list[Execution]]:
    """The last runs of each task, newest first, in one statement."""
    keys = list(tasks)
    if not keys:
        return {}
    # A walk along the index (task, id) for each: however long the history, `runs` rows are read.
    one = (
        "SELECT * FROM (SELECT id, task, status, started_at, finished_at FROM jobs_app_execution"
        " WHERE task = %s ORDER BY id DESC LIMIT %s) AS newest"
    )
    sql = " UNION ALL ".join([one] * len(keys))
    found: dict[int, list[Execution]] = {key: [] for key in keys}
    for row in Execution.objects.raw(sql, [value for key in keys for value in (key, runs)]):
        found[row.task or 0].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row.pk, reverse=True)
    return found


def strip(runs: Sequence[Execution]) -> Strip:
    """The strip of runs that are given newest first; the longest of them has the full height."""
    longest = max((run.duration or 0 for run in runs), default=0)
    empty = RUNS - len(runs)
    ticks = [_tick(run, empty + index, longest) for index, run in enumerate(reversed(runs))]
    counts = Counter(run.status for run in runs)
    told = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    return Strip(ticks, f"Last {len(runs)} runs: {told}" if runs else "No runs yet")


def _tick(run: Execution, index: int, longest: float) -> Tick:
    share = (run.duration or 0) / longest if longest else 0
    height = round(LOWEST + share * (BOTTOM - LOWEST))
    x = index * STEP + 1
    mark = _MARKS.get(run.status, "").format(x=x + WIDTH // 2)
    return Tick(run=run, x=x, y=BOTTOM - height, height=height, mark=mark)
