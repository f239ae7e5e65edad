"""Runs per hour as stacked bars, for an SVG that needs no script.

Places and sizes are percents of the drawing, so that it may be as wide and high as the page allows while
its words keep their size.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from jobs_app.pages.figures import HOUR, Hour
from jobs_app.pages.filters import between

# Of the drawing's height: what happened once among thousands must still be seen.
LEAST = 1.0


class Segment(NamedTuple):
    """A part of a bar; `look` is its class."""

    look: str
    y: float
    height: float


class Bar(NamedTuple):
    start: datetime
    x: float
    width: float
    middle: float
    segments: list[Segment]
    ok: int
    bad: int
    stopped: int
    label: str
    words: str
    between: str


class Line(NamedTuple):
    """A line of the grid with its value."""

    y: float
    value: str


class Chart(NamedTuple):
    bars: list[Bar]
    lines: list[Line]
    total: int


def bars(hours: Sequence[Hour]) -> Chart:
    """Green below, red above it, grey for what was stopped on top."""
    most = _round_up(max((hour.ended.total for hour in hours), default=0))
    space = 100 / max(1, len(hours))
    drawn = [_bar(hour, space * index, space, most) for index, hour in enumerate(hours)]
    steps = 4 if most % 4 == 0 else 2 if most % 2 == 0 else 1
    values = [most * step // steps for step in range(steps + 1)]
    return Chart(
        bars=drawn,
        lines=[Line(_y(value, most), f"{value:,}") for value in values],
        total=sum(hour.ended.total for hour in hours),
    )


def _bar(hour: Hour, x: float, space: float, most: int) -> Bar:
    ended = hour.ended
    segments: list[Segment] = []
    below = 0
    for look, count in (("ok", ended.ok), ("bad", ended.bad), ("ended", ended.stopped)):
        if not count:
            continue
        top, bottom = _y(below + count, most), _y(below, most)
        segments.append(Segment(look, round(min(top, bottom - LEAST), 2), round(max(bottom - top, LEAST), 2)))
        below += count
    return Bar(
        start=hour.start,
        x=round(x + space * 0.14, 2),
        width=round(space * 0.72, 2),
        middle=round(x + space / 2, 2),
        segments=segments,
        ok=ended.ok,
        bad=ended.bad,
        stopped=ended.stopped,
        label=_label(hour.start, hour.size),
        words=f"{hour.start:%H:%M}" if hour.size == HOUR else f"{hour.start:%a %d %b, %H:%M}",
        between=between(hour.start, hour.start + hour.size),
    )


def _label(start: datetime, size: timedelta) -> str:
    """Below every third hour, every midnight of a week, every fifth day of a month; "" elsewhere."""
    if size == HOUR:
        return f"{start:%H:%M}" if start.hour % 3 == 0 else ""
    day = start.astimezone(UTC).toordinal()
    shown = start.hour == 0 and (size < 24 * HOUR or day % 5 == 0)
    return f"{start.day} {start:%b}" if shown else ""


def _y(value: float, most: int) -> float:
    return round(100 - 100 * value / most, 2)


def _round_up(value: int) -> int:
    """The next number that divides well into four."""
    size = 4
    while True:
        for factor in (1, 2, 3, 4, 5, 6, 8):
            if size * factor >= value:
                return size * factor
        size *= 10
