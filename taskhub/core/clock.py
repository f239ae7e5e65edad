"""One place for the time: wall, monotonic and boot clock. Tests pass their own. Standard library only."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC. It may step; nothing that lasts is measured by it."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back; they stand still while the machine sleeps."""
        return time.monotonic()

    def boottime(self) -> float:
        """Seconds since the machine booted, sleep included; the same in every process."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_id(self) -> str:
        """A text that is another one after each boot."""
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class FakeClock(Clock):
    """A clock that moves when told to; all three move together."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._seconds = 1_000.0
        self._boot_id = "00000000-0000-4000-8000-000000000000"

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def boottime(self) -> float:
        return self._seconds

    def boot_id(self) -> str:
        return self._boot_id

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back; the others do not notice."""
        self._now += timedelta(seconds=seconds)


SYSTEM = Clock()
