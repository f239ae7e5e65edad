"""How values are told to people: states as badges, times as distances, sizes with units."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from runspaces_app.worker.progress import CANCELLED, COMPLETED, FAILED, NOT_STARTED, RUNNING

NOTHING = "\N{EN DASH}"
# What a job's progress says where its script says nothing; the badge says it, too.
DEFAULT_MESSAGES = frozenset((NOT_STARTED, RUNNING, COMPLETED, FAILED, CANCELLED))


class Badge(NamedTuple):
    """A word, the tone and the shape beside it; colour alone says nothing."""

    words: str
    tone: str
    shape: str


_BADGES = {
    # Jobs
    "created": Badge("Created", "grey", "ring"),
    "queued": Badge("Queued", "yellow", "half"),
    "running": Badge("Running", "blue", "round"),
    "stopping": Badge("Stopping", "orange", "frame"),
    "completed": Badge("Completed", "green", "round"),
    "failed": Badge("Failed", "red", "diamond"),
    "stopped": Badge("Stopped", "grey", "square"),
    # Attempts in the history
    "success": Badge("Success", "green", "round"),
    "lost": Badge("Lost", "red", "triangle"),
    "terminated": Badge("Terminated", "orange", "square"),
    # Occurrences
    "fired": Badge("Fired", "green", "round"),
    "skipped": Badge("Skipped", "yellow", "frame"),
    # Runspaces
    "opened": Badge("Opened", "blue", "round"),
    "closing": Badge("Closing", "orange", "frame"),
    "closed": Badge("Closed", "grey", "square"),
    "broken": Badge("Broken", "red", "diamond"),
    "available": Badge("Available", "green", "ring"),
    "busy": Badge("Busy", "blue", "half"),
    # Engines
    "draining": Badge("Draining", "orange", "frame"),
    "silent": Badge("Silent", "red", "diamond"),
    "dead": Badge("Dead", "red", "triangle"),
    # Switches, tokens, answers
    "enabled": Badge("Enabled", "green", "round"),
    "disabled": Badge("Disabled", "grey", "ring"),
    "active": Badge("Active", "green", "round"),
    "expired": Badge("Expired", "grey", "square"),
    "revoked": Badge("Revoked", "red", "diamond"),
    "ok": Badge("OK", "green", "round"),
    "refused": Badge("Refused", "red", "diamond"),
}


def badge(state: str) -> Badge:
    """The look of a state; a state nobody told us of is grey and keeps its word."""
    return _BADGES.get(state) or Badge(state.capitalize() or "Unknown", "grey", "ring")


def job_badge(job: Any) -> Badge:
    """A job's badge: what it is at now, which for a running one may be stopping."""
    if job.is_stopping:
        return _BADGES["stopping"]
    return badge(job.state)


def distance(seconds: float) -> str:
    """A stretch of time in one unit, as `relative_time.js` says it: 89 s, 3 min, 26 h, 4 d."""
    size = abs(seconds)
    for least, unit, name in ((2 * 86_400, 86_400, "d"), (7200, 3600, "h"), (90, 60, "min")):
        if size >= least:
            return f"{int(size // unit)} {name}"
    return f"{int(size)} s"


def relative(moment: datetime, now: datetime) -> str:
    seconds = (moment - now).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"in {distance(seconds)}" if seconds > 0 else f"{distance(seconds)} ago"


def duration(seconds: float | None) -> str:
    """How long something took, with as much as matters: 12 ms, 3.4 s, 4 min 05 s, 2 h 03 min, 3 d 4 h."""
    if seconds is None:
        return NOTHING
    if 0 < seconds < 0.0005:
        return "< 1 ms"
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def limit(seconds: float) -> str:
    """A duration people chose, without parts that are nothing: 10 min, 1 h, 90 s as 1 min 30 s."""
    said = duration(seconds).replace(".0 s", " s")
    for nothing in (" 00 s", " 00 min", " 0 h"):
        said = said.removesuffix(nothing)
    return said


def size(count: int | None) -> str:
    """Bytes with a unit of 1,024s."""
    if count is None:
        return NOTHING
    if count < 1024:
        return f"{count} B"
    value = float(count)
    for unit in ("KB", "MB", "GB"):
        value /= 1024
        if value < 1024 or unit == "GB":
            break
    return f"{value:.1f} {unit}" if value < 100 else f"{value:,.0f} {unit}"


def exact(moment: datetime) -> str:
    """A moment to the second, in UTC."""
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M:%S UTC")


def pretty_json(text: str | None, *, most: int = 20_000) -> tuple[str, bool]:
    """JSON text laid out for reading, and whether its end was left out."""
    if text is None:
        return "", False
    try:
        laid_out = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        laid_out = text
    return laid_out[:most], len(laid_out) > most
