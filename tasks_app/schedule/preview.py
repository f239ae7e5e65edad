"""The next runs of a schedule, as pages and the API show them."""

from datetime import datetime
from itertools import islice
from typing import NamedTuple

from . import cron

MOST = 100


class Run(NamedTuple):
    """A due time to come: in UTC, and on the clock of the schedule's zone."""

    due_at: datetime
    local: datetime


def next_runs(text: str, timezone: str, *, count: int = 5, now: datetime) -> list[Run]:
    """The first `count` due times after `now`; fewer if the schedule ends.

    Raises:
        BadSchedule, NeverFires, UnknownTimezone: as `cron.parse`.
    """
    schedule = cron.parse(text, timezone)
    due = islice(schedule.iterate(now), min(count, MOST))
    return [Run(moment, moment.astimezone(schedule.zone)) for moment in due]
