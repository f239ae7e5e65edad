"""Numbers about jobs for the tops of lists and the overview, cheap with a million executions.

Executions get their ids in the order they end, so "since a moment" is "from an id on", and each
status can be counted in the index (status, id) alone. What is settled late, after its engine died,
counts with what ended then.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import Count

from jobs_app.models import Execution, Job
from jobs_app.states import JobState, Status

HOUR = timedelta(hours=1)
CACHE_SECONDS = 5
PAST_HOUR_SECONDS = 600

OK = (Status.SUCCESS,)
BAD = (Status.FAILED, Status.LOST, Status.TERMINATED)


class Ended(NamedTuple):
    """Attempts that ended within a stretch of time: well, badly, or because somebody said so."""

    ok: int
    bad: int
    stopped: int

    @property
    def total(self) -> int:
        return self.ok + self.bad + self.stopped


def open_jobs() -> dict[str, int]:
    """How many jobs are created, queued and running."""
    states = (JobState.CREATED, JobState.QUEUED, JobState.RUNNING)
    return {state.value: Job.objects.filter(state=state).count() for state in states}


def all_jobs() -> int:
    """How many jobs there are; up to 5 s old."""
    known: int | None = cache.get("pages.jobs")
    if known is None:
        known = Job.objects.order_by().count()
        cache.set("pages.jobs", known, CACHE_SECONDS)
    return known


def ended_since(moment: datetime) -> Ended:
    """Attempts that ended at `moment` or later; up to 5 s old."""
    key = f"pages.ended.{moment.replace(second=0, microsecond=0).isoformat()}"
    known: Ended | None = cache.get(key)
    if known is None:
        known = _count_since(moment)
        cache.set(key, known, CACHE_SECONDS)
    return known


def _count_since(moment: datetime) -> Ended:
    first = (
        Execution.objects.filter(finished_at__gte=moment)
        .order_by("finished_at", "pk")
        .values_list("pk", flat=True)
        .first()
    )
    if first is None:
        return Ended(0, 0, 0)
    counts = {
        status: Execution.objects.filter(status=status, pk__gte=first).order_by().count() for status in Status
    }
    return _sum(counts)


def _sum(counts: dict[Status, int]) -> Ended:
    return Ended(
        ok=sum(counts.get(status, 0) for status in OK),
        bad=sum(counts.get(status, 0) for status in BAD),
        stopped=counts.get(Status.STOPPED, 0),
    )


class Hour(NamedTuple):
    """What ended in a stretch of time; `size` long."""

    start: datetime
    ended: Ended
    size: timedelta = HOUR


class Period(NamedTuple):
    """A stretch of time that a chart shows in so many `bars`."""

    name: str
    words: str
    size: timedelta
    bars: int
    each: str


PERIODS = {
    period.name: period
    for period in (
        Period("day", "24 h", HOUR, 24, "hour"),
        Period("week", "7 d", 6 * HOUR, 28, "6 hours"),
        Period("month", "30 d", 24 * HOUR, 30, "day"),
    )
}


def by_hour(now: datetime, *, hours: int = 24) -> list[Hour]:
    """What ended in each of the last `hours` hours, oldest first; the last one is still running."""
    return by_size(now, size=HOUR, count=hours)


def by_size(now: datetime, *, size: timedelta, count: int) -> list[Hour]:
    """What ended in each of the last `count` stretches of UTC time, oldest first; the last still runs.

    Past ones are remembered for ten minutes: they change only when a dead engine is settled late.
    """
    seconds = int(size.total_seconds())
    this = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    starts = [this - size * back for back in range(count - 1, -1, -1)]
    keys = {start: f"pages.ended.{seconds}.{start.isoformat()}" for start in starts}
    known: dict[str, Ended] = cache.get_many([keys[start] for start in starts if start != this])
    found: list[Hour] = []
    for start in starts:
        ended = known.get(keys[start])
        if ended is None:
            ended = _within(start, start + size)
            if start != this:
                cache.set(keys[start], ended, PAST_HOUR_SECONDS)
        found.append(Hour(start, ended, size))
    return found


def first_since(moment: datetime) -> int | None:
    """The id of the first execution that ended at `moment` or later."""
    rows = Execution.objects.filter(finished_at__gte=moment).order_by("finished_at", "pk")
    return rows.values_list("pk", flat=True).first()


def _within(start: datetime, end: datetime) -> Ended:
    if end - start <= HOUR:
        rows = Execution.objects.filter(finished_at__gte=start, finished_at__lt=end).order_by()
        told = rows.values_list("status").annotate(count=Count("pk"))
        return _sum({Status(status): count for status, count in told})
    # Long stretches hold too many rows to look at each: they are counted in the index (status, id).
    first, behind = first_since(start), first_since(end)
    if first is None:
        return Ended(0, 0, 0)
    counts = {}
    for status in Status:
        counted = Execution.objects.filter(status=status, pk__gte=first).order_by()
        counts[status] = (counted if behind is None else counted.filter(pk__lt=behind)).count()
    return _sum(counts)


def recent_failures(since: datetime, *, most: int) -> list[Execution]:
    """The newest attempts that failed, were lost or terminated since a moment, newest first."""
    found: list[Execution] = []
    for status in BAD:
        # One status at a time: each is then a walk along the index (status, id).
        rows = Execution.objects.filter(status=status).order_by("-pk").defer("output_preview")
        found.extend(row for row in rows[:most] if row.finished_at >= since)
    return sorted(found, key=lambda row: row.pk, reverse=True)[:most]
