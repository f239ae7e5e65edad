"""Named points at which a test makes a process fail. Standard library only.

`TASKHUB_FAILPOINT="engine.commit.before=kill"` kills the process that reaches that point;
`raise` raises FailpointReached, `pause:<ms>` waits. `@n` behind it means the n-th time only; several
are joined by `;`. Unset, a point costs one look at an empty dict.
"""

import os
import re
import signal
import threading
import time

VARIABLE = "TASKHUB_FAILPOINT"
_FORM = re.compile(
    r"(?P<name>[\w.-]+)=(?P<action>kill|raise|pause:(?P<ms>\d{1,7}))(?:@(?P<nth>[1-9]\d{0,8}))?", re.ASCII
)


class FailpointReached(Exception):
    """A point said `raise`."""


class _Point:
    def __init__(self, action: str, seconds: float, nth: int | None) -> None:
        self.action = action
        self.seconds = seconds
        self.nth = nth
        self.hits = 0
        self.lock = threading.Lock()


def parse(text: str) -> dict[str, _Point]:
    """Read the variable.

    Raises:
        ValueError: with the part that does not fit.
    """
    points = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        found = _FORM.fullmatch(part)
        if found is None:
            raise ValueError(
                f"{VARIABLE}: expected name=kill, raise or pause:<ms>, with @n or not, got {part!r}"
            )
        action = found["action"].partition(":")[0]
        nth = int(found["nth"]) if found["nth"] else None
        points[found["name"]] = _Point(action, int(found["ms"] or 0) / 1000, nth)
    return points


_points = parse(os.environ.get(VARIABLE, ""))


def arm(text: str) -> None:
    """Replace what the variable said, for tests within one process; blank disarms all."""
    global _points
    _points = parse(text)


def hit(name: str) -> None:
    """Fail here if a test asked for it."""
    if _points and (point := _points.get(name)) is not None:
        _fail(name, point)


def _fail(name: str, point: _Point) -> None:
    with point.lock:
        point.hits += 1
        if point.nth is not None and point.hits != point.nth:
            return
    if point.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
        # The signal is on its way; nothing after this point may happen before it lands.
        signal.pause()
    if point.action == "raise":
        raise FailpointReached(name)
    time.sleep(point.seconds)
