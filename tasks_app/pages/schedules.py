"""Schedules in words and as the next due times, for pages: never an error, whatever a row says."""

from datetime import datetime
from typing import NamedTuple

from taskhub.core.errors import TaskhubError
from tasks_app.models import Task
from tasks_app.schedule import cron, preview, zones

REASONS = {
    "disabled": "The task was disabled.",
    "app_disabled": "Its app was disabled.",
    "overlap": "The run before it was still going on.",
    "misfire": "Nobody was there to start it in time.",
    "paused": "It was paused.",
    "limit": "Too many runs were waiting already.",
    "clock": "The clock of the machine was set back.",
    "invalid": "Its schedule could not be read.",
}


class Run(NamedTuple):
    """A due time to come.

    Attributes:
        local: the same on the clock of the task's zone, with its offset; blank for a task in UTC.
        note: what a change of that clock does to it; mostly blank.
    """

    due_at: datetime
    local: str
    note: str = ""


def words(task: Task) -> str:
    """The schedule as a sentence; "" for one without, or that cannot be read."""
    if task.at is not None:
        return "Once"
    return text_words(task.schedule, task.timezone) if task.schedule else "By hand only"


def text_words(text: str, timezone: str) -> str:
    """A cron expression as a sentence; "" for what is none."""
    try:
        return cron.parse(text, timezone).words() if text.strip() else ""
    except TaskhubError:
        return ""


def next_runs(task: Task, now: datetime, *, count: int = 5) -> list[Run]:
    """The due times to come, if the task is enabled and has some."""
    if not task.enabled or task.deleted:
        return []
    if task.at is not None:
        return [Run(task.at, local(task.at, task.timezone))] if task.at > now else []
    if not task.schedule:
        return []
    return previewed(task.schedule, task.timezone, now, count=count)


def previewed(text: str, timezone: str, now: datetime, *, count: int = 5) -> list[Run]:
    """The due times of a schedule; none if it cannot be read."""
    try:
        runs = preview.next_runs(text, timezone, count=count, now=now)
    except TaskhubError:
        return []
    return [Run(run.due_at, local(run.due_at, timezone), run.note) for run in runs]


def local(moment: datetime, timezone: str) -> str:
    """A moment on the clock of a zone, with its offset; blank where that is UTC."""
    there = _there(moment, timezone)
    if there is None:
        return ""
    # The minutes of an offset are said only where there are some: UTC+2, UTC+5:30.
    offset = there.strftime("%z")
    minutes = "" if offset.endswith("00") else f":{offset[3:5]}"
    return f"{there:%Y-%m-%d %H:%M} UTC{offset[0]}{int(offset[1:3])}{minutes}"


def local_day(moment: datetime, timezone: str) -> str:
    """The same in short, for where the zone and the distance stand beside it: Mon 23 Nov 06:15."""
    there = _there(moment, timezone)
    return "" if there is None else f"{there:%a} {there.day} {there:%b %H:%M}"


def _there(moment: datetime, timezone: str) -> datetime | None:
    """None where the clock is that of UTC, or the zone is not known."""
    if timezone in ("UTC", "Etc/UTC"):
        return None
    try:
        return moment.astimezone(zones.get(timezone))
    except TaskhubError:
        return None


def reason_words(reason: str) -> str:
    return REASONS.get(reason, reason.replace("_", " ").capitalize())
