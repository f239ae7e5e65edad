"""The one place that reads a clock; tests hand in their own. Standard library only."""

import time
from datetime import UTC, datetime, timedelta
from functools import cache


class Clock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Wall clock, aware, in UTC; it may be set back or forth at any time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back; for waits within one process."""
        return time.monotonic()

    def boottime(self) -> float:
        """Seconds since boot, sleep of the machine included; the same for all its processes."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        """Which boot `boottime` counts from."""
        return _boot_id()


class FakeClock(Clock):
    """A clock that moves only when told to."""

    def __init__(self, start: datetime, *, boot: str = "boot-1") -> None:
        self._now = start.astimezone(UTC)
        self._seconds = 1000.0
        self._boot = boot

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def boottime(self) -> float:
        return self._seconds

    def boot_id(self) -> str:
        return self._boot

    def advance(self, seconds: float) -> None:
        """Let time pass on all clocks."""
        if seconds < 0:
            raise ValueError(
                f"expected seconds of at least 0, got {seconds}; a wall clock set back is step()"
            )
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forth, or back if negative; no time passes."""
        self._now += timedelta(seconds=seconds)

    def reboot(self, boot: str) -> None:
        """Start the boot clock anew under another boot id."""
        self._boot = boot
        self._seconds = 0.0


@cache
def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


SYSTEM = Clock()
