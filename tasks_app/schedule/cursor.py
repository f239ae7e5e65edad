"""The cursor of a schedule: the earliest due time that is not decided yet."""

import logging
from datetime import datetime

from ..errors import TaskError
from . import cron

log = logging.getLogger("taskhub.tasks")


def first_due(*, schedule: str, at: datetime | None, timezone: str, now: datetime) -> datetime | None:
    """Where the cursor stands from `now` on; None: by hand only, or its one time is over.

    Edits and enabling act from now on: what lies behind is not made up for.
    """
    if at is not None:
        return at if at > now else None
    if not schedule:
        return None
    try:
        return cron.parse(schedule, timezone).next_after(now)
    except TaskError as exc:
        # Checked when it was saved; a row written past that check must not stop the others.
        log.error("schedule=%r timezone=%r: %s", schedule, timezone, exc)
        return None
