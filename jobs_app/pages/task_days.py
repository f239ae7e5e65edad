"""A task's last seven days as bars and a line, for an SVG that needs no script.

Places and sizes are percents of the drawing, so that its words keep their size however wide it is.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import NamedTuple

from jobs_app.models import Execution
from jobs_app.states import Status

from .filters import between

DAYS = 7
# A task that runs more often is told of by its newest runs.
MOST = 20_000
# Of the drawing's height: the least that is still seen.
LEAST = 1.0

_OK = (Status.SUCCESS,)
_STOPPED = (Status.STOPPED,)


class Day(NamedTuple):
    """What ended on a day (of UTC); `average` is the seconds of those that ran, None if none did."""

    day: date
    ok: int
    bad: int
    stopped: int
    average: float | None

    @property
    def between(self) -> str:
        """The day as an address of the history names it."""
        start = datetime.combine(self.day, time(), UTC)
        return between(start, start + timedelta(days=1))


class Bar(NamedTuple):
    day: Day
    x: float
    middle: float
    width: float
    parts: list[tuple[str, float, float]]


class Line(NamedTuple):
    """A line of the grid: how many runs on its left, how many seconds on its right."""

    y: float
    runs: int
    seconds: float


class Week(NamedTuple):
    """The drawing, and the figures above it.

    Attributes:
        points: of the line of average durations, a polyline for each unbroken stretch.
        success: percent of what ended well or badly; None if nothing did.
    """

    bars: list[Bar]
    lines: list[Line]
    points: list[str]
    dots: list[tuple[float, float]]
    total: int
    success: float | None
    average: float | None


def week(task: int, now: datetime) -> Week | None:
    """The last seven days of a task; None if nothing of it ended in them."""
    start = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    # From the newest back along the index (task, id); ids are given in the order of the ends.
    rows = Execution.objects.filter(task=task).order_by("-pk")
    ended: dict[date, list[tuple[str, float | None]]] = {}
    for status, started_at, finished_at in rows.values_list("status", "started_at", "finished_at")[
        :MOST
    ].iterator():
        if finished_at < start:
            break
        took = (finished_at - started_at).total_seconds() if started_at else None
        ended.setdefault(finished_at.date(), []).append((status, took))
    if not ended:
        return None
    first = start.date()
    return _drawn([_day(first + timedelta(days=index), ended) for index in range(DAYS)])


def _round_seconds(longest: float, parts: int) -> float:
    """The end of an axis of durations whose `parts` equal steps are numbers that people count in."""
    least = longest / parts
    # Below a second as above it; then parts of minutes and hours.
    small = (number * 10.0**power for power in range(-3, 1) for number in (1, 2, 5))
    steps = (*small, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18_000, 36_000, 86_400)
    step = next((step for step in steps if step >= least), 86_400 * ceil(least / 86_400))
    return float(step * parts)


def _day(day: date, ended: dict[date, list[tuple[str, float | None]]]) -> Day:
    runs = ended.get(day, [])
    ok = sum(status in _OK for status, _ in runs)
    stopped = sum(status in _STOPPED for status, _ in runs)
    took = [seconds for _, seconds in runs if seconds is not None]
    return Day(day, ok, len(runs) - ok - stopped, stopped, sum(took) / len(took) if took else None)


def _drawn(days: Sequence[Day]) -> Week:
    most = _round_up(max(day.ok + day.bad + day.stopped for day in days))
    shares = _shares(most)
    longest = _round_seconds(max(day.average or 0 for day in days), len(shares) - 1)
    space = 100 / len(days)
    bars = [_bar(day, space * index, space, most) for index, day in enumerate(days)]
    dots = [(bar.middle, _y(bar.day.average, longest)) for bar in bars if bar.day.average is not None]
    ok, bad = sum(day.ok for day in days), sum(day.bad for day in days)
    weighed = [(day.average, day.ok + day.bad + day.stopped) for day in days if day.average is not None]
    runs = sum(count for _, count in weighed)
    return Week(
        bars=bars,
        lines=[Line(_y(share, 1), round(most * share), longest * share) for share in shares],
        points=_stretches(bars, longest),
        dots=dots,
        total=ok + bad + sum(day.stopped for day in days),
        success=100 * ok / (ok + bad) if ok + bad else None,
        average=sum(average * count for average, count in weighed) / runs if runs else None,
    )


def _bar(day: Day, x: float, space: float, most: int) -> Bar:
    parts: list[tuple[str, float, float]] = []
    below = 0
    for look, count in (("ok", day.ok), ("bad", day.bad), ("ended", day.stopped)):
        if count:
            top, bottom = _y(below + count, most), _y(below, most)
            parts.append((look, round(min(top, bottom - LEAST), 2), round(max(bottom - top, LEAST), 2)))
            below += count
    width = space * 0.5
    return Bar(day, round(x + (space - width) / 2, 2), round(x + space / 2, 2), round(width, 2), parts)


def _stretches(bars: Sequence[Bar], longest: float) -> list[str]:
    """A day without a run breaks the line: it took no time, it did not happen."""
    stretches: list[list[str]] = [[]]
    for bar in bars:
        if bar.day.average is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{bar.middle:g},{_y(bar.day.average, longest):g}")
    return [" ".join(points) for points in stretches if len(points) > 1]


def _y(value: float, most: float) -> float:
    return round(100 - 100 * value / most, 2)


def _shares(most: int) -> list[float]:
    steps = 4 if most % 4 == 0 else 2 if most % 2 == 0 else 1
    return [step / steps for step in range(steps + 1)]


def _round_up(value: int) -> int:
    size = 1
    while True:
        for factor in (1, 2, 4, 6, 8):
            if size * factor >= value:
                return size * factor
        size *= 10
