"""What was measured of runspaces, thinned out to as many points as a drawing can show."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Func, Max, QuerySet

from runspaces_app.models import Runspace, RunspaceSample

MB = 1024 * 1024
# An open runspace is measured so often.
EVERY = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)
# The lines of a list: two hours in so many places.
LINE_STEP = 2 * MINUTE
LINE_PLACES = 60
# Nothing measured for so long, or for three points, is a gap.
GAP = 2 * MINUTE
# So many times the values may the limit be for both to be seen in one drawing.
FAR = 25
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
        points: for the drawing, as JSON: milliseconds and MB, null where nothing was measured, and a null
            limit where it is far above.
        far: the limit is, so that the values would lie flat on the ground under its line.
        table: every so many of the points, the newest first.
    """

    period: Period
    start: datetime
    end: datetime
    points: str
    most: int
    limit: int
    far: bool
    table: list[Point]


class _Stretch(Func):
    """The number, since 1970, of the stretch of so many seconds in which a moment lies.

    Done by the database without calling back into Python, and the same stretches for whoever asks.
    """

    output_field = BigIntegerField()

    def __init__(self, expression: str, *, seconds: int) -> None:
        super().__init__(expression, seconds=seconds)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Moments are stored there as text, in UTC. Twice escaped: for the template and for the parameters.
        template = "(CAST(STRFTIME('%%%%s', %(expressions)s) AS INTEGER) / %(seconds)d)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint / %(seconds)d)"
        return self.as_sql(compiler, connection, template=template, **context)


def lines(runspaces: Sequence[Runspace], *, now: datetime) -> dict[int, str]:
    """The last two hours of each, for the small drawings of a list: MB by MB, blank where there is nothing.

    One statement for all of them, and at most 60 values each.
    """
    if not runspaces:
        return {}
    first = _first_number(now)
    drawn: dict[int, list[str]] = {}
    told = by_stretch([row.pk for row in runspaces], now=now)
    for key, number, most in told.values_list("runspace", "number", "memory"):
        drawn.setdefault(key, [""] * LINE_PLACES)[number - first] = f"{most / MB:.1f}"
    return {key: ",".join(values) for key, values in drawn.items()}


def by_stretch(keys: Sequence[int], *, now: datetime) -> QuerySet[Any]:
    """The statement behind `lines`."""
    since = _moment(_first_number(now), LINE_STEP)
    return _by(LINE_STEP, RunspaceSample.objects.filter(runspace__in=keys, at__gte=since, at__lte=now))


def chart(runspace: Runspace, *, period: str, limit: int, now: datetime) -> Chart:
    """The memory of one until now or until its end; an unknown period is the shortest one. One statement."""
    shown = next((each for each in PERIODS if each.name == period), PERIODS[0])
    end = runspace.closed_at or now
    start = end - shown.length
    rows = RunspaceSample.objects.filter(runspace=runspace.pk, at__gte=start, at__lte=end + EVERY)
    found = list(_every(rows) if shown.step == EVERY else _thinned(rows, shown.step))
    every = max(1, len(found) // TABLE_LINES)
    most = max((point.memory for point in found), default=0)
    far = bool(found) and limit > FAR * most
    return Chart(
        period=shown,
        start=start,
        end=end,
        points=json.dumps(
            {
                "from": _millis(start),
                "to": _millis(end),
                "limit": None if far else limit / MB,
                "values": _with_gaps(found, shown.step),
            }
        ),
        most=most,
        limit=limit,
        far=far,
        table=found[::-1][::every][:TABLE_LINES],
    )


def _every(rows: QuerySet[RunspaceSample]) -> Iterator[Point]:
    most = 2 * (PERIODS[0].length // EVERY)
    measured = rows.order_by("at").values_list("at", "memory_bytes", "threads", "handles")
    return (Point(*row) for row in measured[:most])


def _thinned(rows: QuerySet[RunspaceSample], step: timedelta) -> Iterator[Point]:
    told = _by(step, rows, threads=Max("threads"), handles=Max("handles")).order_by("number")
    for number, *most in told.values_list("number", "memory", "threads", "handles"):
        yield Point(_moment(number, step), *most)


def _by(step: timedelta, rows: QuerySet[RunspaceSample], **more: Max) -> QuerySet[Any]:
    """The most of each stretch of each runspace."""
    numbered = rows.order_by().annotate(number=_Stretch("at", seconds=int(step.total_seconds())))
    return numbered.values("runspace", "number").annotate(memory=Max("memory_bytes"), **more)


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


def _first_number(now: datetime) -> int:
    """The stretch with which the line of a list begins; it ends with the present one."""
    return int(now.timestamp() // LINE_STEP.total_seconds()) - LINE_PLACES + 1


def _moment(number: int, step: timedelta) -> datetime:
    return datetime.fromtimestamp(number * step.total_seconds(), UTC)


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
