"""Schedules in words and as the next due times, for pages: never an error, whatever a row says."""

from datetime import datetime
from typing import NamedTuple

from taskhub.core.errors import TaskhubError
from tasks_app.models import Task
from tasks_app.schedule import cron, preview

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
    """A due time to come; `local` is blank for a schedule in UTC."""

    due_at: datetime
    local: str


def words(task: Task) -> str:
    """The schedule as a sentence; "" for one without, or that cannot be read."""
    if task.at is not None:
        return "Once"
    if not task.schedule:
        return "By hand only"
    try:
        return cron.parse(task.schedule, task.timezone).words()
    except TaskhubError:
        return ""


def next_runs(task: Task, now: datetime, *, count: int = 5) -> list[Run]:
    """The due times to come, if the task is enabled and has some."""
    if not task.enabled:
        return []
    if task.at is not None:
        return [Run(task.at, "")] if task.at > now else []
    if not task.schedule:
        return []
    try:
        runs = preview.next_runs(task.schedule, task.timezone, count=count, now=now)
    except TaskhubError:
        return []
    in_utc = task.timezone in ("UTC", "Etc/UTC")
    return [Run(run.due_at, "" if in_utc else f"{run.local:%Y-%m-%d %H:%M} {task.timezone}") for run in runs]


def reason_words(reason: str) -> str:
    return REASONS.get(reason, reason.replace("_", " ").capitalize())
