"""What was measured of runspaces, thinned out to as many points as a drawing can show."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import CharField, Func, Max, QuerySet

from runspaces_app.models import Runspace, RunspaceSample

MB = 1024 * 1024
# An open runspace is measured so often.
EVERY = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)
LINE_HOURS = 2
LINE_STEP = 2 * MINUTE
# Nothing measured for so long, or for three points, is a gap.
GAP = 2 * MINUTE
# So many lines of the table under a chart, the newest first.
TABLE_LINES = 60


class Point(NamedTuple):
    """The most of a stretch of time that begins at `at`."""

    at: datetime
    memory: int
    threads: int
    handles: int


class Period(NamedTuple):
    """How much of the past a chart shows, and how long a stretch each of its points stands for."""

    name: str
    words: str
    length: timedelta
    step: timedelta


PERIODS = (
    Period("1", "1 h", timedelta(hours=1), EVERY),
    Period("6", "6 h", timedelta(hours=6), MINUTE),
    Period("24", "24 h", timedelta(hours=24), 5 * MINUTE),
)


class Chart(NamedTuple):
    """What the page draws and writes below it.

    Attributes:
        points: for the drawing, as JSON: milliseconds and MB, null where nothing was measured.
        table: every so many of the points, the newest first.
    """

    period: Period
    start: datetime
    end: datetime
    points: str
    most: int
    limit: int
    table: list[Point]


class _MinuteOf(Func):
    """The minute of a moment as text, in UTC; done by the database without calling back into Python."""

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Moments are stored there as text, in UTC.
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 16)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
        return self.as_sql(compiler, connection, template=template, **context)


def lines(runspaces: Sequence[Runspace], *, now: datetime) -> dict[int, str]:
    """The last two hours of each, for the small drawings of a list: MB by MB, blank where there is nothing.

    One statement for all of them, and at most 60 values each.
    """
    if not runspaces:
        return {}
    since = now - timedelta(hours=LINE_HOURS)
    rows = RunspaceSample.objects.filter(
        runspace__in=[row.pk for row in runspaces], at__gte=since, at__lte=now
    )
    drawn: dict[int, list[int]] = {}
    for key, minute, memory in _by_minute(rows).values_list("runspace", "minute", "memory"):
        values = drawn.setdefault(key, [0] * (timedelta(hours=LINE_HOURS) // LINE_STEP))
        place = min(max(0, (_moment(minute) - since) // LINE_STEP), len(values) - 1)
        values[place] = max(values[place], memory)
    return {key: ",".join(_short(value) if value else "" for value in each) for key, each in drawn.items()}


def chart(runspace: Runspace, *, period: str, limit: int, now: datetime) -> Chart:
    """The memory of one until now or until its end; an unknown period is the shortest one. One statement."""
    shown = next((each for each in PERIODS if each.name == period), PERIODS[0])
    end = runspace.closed_at or now
    start = end - shown.length
    rows = RunspaceSample.objects.filter(runspace=runspace.pk, at__gte=start, at__lte=end + EVERY)
    found = list(
        _every(rows, start=start) if shown.step == EVERY else _thinned(rows, shown.step, start=start)
    )
    every = max(1, len(found) // TABLE_LINES)
    return Chart(
        period=shown,
        start=start,
        end=end,
        points=json.dumps(
            {
                "from": _millis(start),
                "to": _millis(end),
                "limit": limit / MB,
                "values": _with_gaps(found, shown.step),
            }
        ),
        most=max((point.memory for point in found), default=0),
        limit=limit,
        table=found[::-1][::every][:TABLE_LINES],
    )


def _every(rows: QuerySet[RunspaceSample], *, start: datetime) -> Iterator[Point]:
    most = 2 * (PERIODS[0].length // EVERY)
    measured = rows.order_by("at").values_list("at", "memory_bytes", "threads", "handles")
    return (Point(*row) for row in measured[:most])


def _thinned(rows: QuerySet[RunspaceSample], step: timedelta, *, start: datetime) -> Iterator[Point]:
    told = _by_minute(rows, threads=Max("threads"), handles=Max("handles")).order_by("minute")
    kept: Point | None = None
    for minute, memory, threads, handles in told.values_list("minute", "memory", "threads", "handles"):
        at = start + (_moment(minute) - start) // step * step
        if kept is not None and kept.at == at:
            kept = Point(at, max(kept.memory, memory), max(kept.threads, threads), max(kept.handles, handles))
            continue
        if kept is not None:
            yield kept
        kept = Point(at, memory, threads, handles)
    if kept is not None:
        yield kept


def _by_minute(rows: QuerySet[RunspaceSample], **more: Max) -> QuerySet[Any]:
    minutes = rows.order_by().annotate(minute=_MinuteOf("at")).values("runspace", "minute")
    return minutes.annotate(memory=Max("memory_bytes"), **more)


def _with_gaps(points: Sequence[Point], step: timedelta) -> list[list[float | None]]:
    """A point without a value where nothing was measured for a while, so that no line bridges it."""
    values: list[list[float | None]] = []
    before: datetime | None = None
    for point in points:
        if before is not None and point.at - before > max(3 * step, GAP):
            values.append([_millis(before + step), None])
        values.append([_millis(point.at), round(point.memory / MB, 2)])
        before = point.at
    return values


def _moment(minute: str) -> datetime:
    return datetime.strptime(minute, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _short(memory: int) -> str:
    return f"{memory / MB:.1f}"
