"""Due times that have passed: which of them run, which are given up, and why."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from .cron import Schedule

LATE = timedelta(seconds=60)
NEWEST = 20
MADE_UP_WITHIN = timedelta(hours=24)

REASON = "misfire"


class Due(NamedTuple):
    """A due time that has come, and whether it shall run.

    Attributes:
        until, times: the last of a stretch of due times that share this decision, and how many.
        reason: why it does not run; blank if it does.
        waits: it runs once an earlier run of the task has ended.
    """

    due_at: datetime
    until: datetime | None = None
    times: int = 1
    reason: str = ""
    waits: bool = False


class Passed(NamedTuple):
    """What lies between the cursor and now.

    Attributes:
        older: due times before the newest 20, as one stretch.
        newest: the newest due times, at most 20, oldest first.
        next_due_at: the first due time to come.
    """

    older: Due | None
    newest: tuple[datetime, ...]
    next_due_at: datetime | None


# Many tasks share a schedule and come due together; they are worked out once.
@lru_cache(maxsize=1024)
def passed(schedule: Schedule | None, cursor: datetime, now: datetime) -> Passed:
    """The due times from `cursor`, which has come, to `now`; without a schedule it is the only one."""
    if schedule is None:
        return Passed(None, (cursor,), None)
    upcoming = schedule.next_after(cursor)
    if upcoming is None or upcoming > now:
        return Passed(None, (cursor,), upcoming)
    newest = tuple(schedule.newest(cursor, now, limit=NEWEST + 1))
    following = schedule.next_after(now)
    if len(newest) < NEWEST:
        return Passed(None, (cursor, *newest), following)
    if len(newest) == NEWEST:
        return Passed(Due(cursor, None, 1, REASON), newest, following)
    times = 1 + schedule.count(cursor, now) - NEWEST
    return Passed(Due(cursor, newest[0], times, REASON), newest[1:], following)


def decide(due: Passed, policy: str, now: datetime) -> list[Due]:
    """Each passed due time with its decision, oldest first.

    A due time at most 60 s late is on time and runs. Those missed run as the policy says: `skip`
    none of them, `run_once` one run for all, `run_all` each of the newest 20 within 24 hours.
    """
    missed = [moment for moment in due.newest if now - moment > LATE]
    on_time = due.newest[len(missed) :]
    chosen = _POLICIES[policy](missed, bool(on_time), now)
    decided = [due.older] if due.older else []
    decided += [Due(moment, reason="" if moment in chosen else REASON) for moment in missed]
    return decided + [Due(moment) for moment in on_time]


def _skip(missed: Sequence[datetime], on_time: bool, now: datetime) -> set[datetime]:
    return set()


def _run_once(missed: Sequence[datetime], on_time: bool, now: datetime) -> set[datetime]:
    # A run that is due now anyway is the one run that makes up for them.
    return set() if on_time else set(missed[-1:])


def _run_all(missed: Sequence[datetime], on_time: bool, now: datetime) -> set[datetime]:
    return {moment for moment in missed if now - moment <= MADE_UP_WITHIN}


_POLICIES: dict[str, Callable[[Sequence[datetime], bool, datetime], set[datetime]]] = {
    "skip": _skip,
    "run_once": _run_once,
    "run_all": _run_all,
}
POLICIES = tuple(_POLICIES)
