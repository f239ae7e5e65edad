"""Named points at which a test makes a process die, fail or wait. Standard library only.

`TASKHUB_FAILPOINT` holds `name=action` pairs joined by `;`. Actions: `kill` (SIGKILL to itself),
`raise`, `pause:<milliseconds>`; `@n` behind the action means at the n-th hit only.
"""

import os
import signal
import time


class FailpointReached(Exception):
    """Raised by a point armed with `raise`."""


class _Point:
    def __init__(self, action: str) -> None:
        self._action, _, at = action.partition("@")
        self._at = int(at) if at else None
        self._hits = 0

    def hit(self, name: str) -> None:
        self._hits += 1
        if self._at is not None and self._hits != self._at:
            return
        kind, _, argument = self._action.partition(":")
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "raise":
            raise FailpointReached(name)
        elif kind == "pause":
            time.sleep(float(argument) / 1000)
        else:
            raise ValueError(f"TASKHUB_FAILPOINT: expected kill, raise or pause:<ms> for {name}, got {self._action!r}")


def _armed() -> dict[str, _Point]:
    pairs = (pair.partition("=") for pair in os.environ.get("TASKHUB_FAILPOINT", "").split(";") if pair.strip())
    return {name.strip(): _Point(action.strip()) for name, _, action in pairs}


_points = _armed()


def hit(name: str) -> None:
    """Pass the point `name`; nothing happens unless a test armed it."""
    if _points and name in _points:
        _points[name].hit(name)
