"""When a runspace is replaced. Plain decisions: no process, clock or database is touched."""

import sys
from typing import NamedTuple

LONGEST_PAUSE_SECONDS = 30.0


class PoolSettings(NamedTuple):
    """A pool's row, as the engine uses it. Durations in seconds, sizes in bytes, -1 for no limit."""

    name: str
    kind: str
    enabled: bool
    min_runspaces: int
    max_runspaces: int
    idle_seconds: float
    grace_seconds: float
    drain_seconds: float
    reuse: bool
    max_jobs: int
    max_age_seconds: float
    max_memory_bytes: int
    output_cap_bytes: int


def reason(pool: PoolSettings, *, jobs_run: int, age: float, memory: int, stamp: str, app_stamp: str) -> str:
    """Why a runspace that is free now should not take another job; "" if it may.

    Args:
        stamp: of the app's files when the runspace first ran one of its jobs; "" for none.
        app_stamp: of the same files now.
    """
    if jobs_run and not pool.reuse:
        return "the pool uses each runspace once"
    if 0 <= pool.max_jobs <= jobs_run:
        return f"ran {jobs_run} jobs"
    if 0 <= pool.max_age_seconds <= age:
        return f"{age:.0f} s old"
    if 0 <= pool.max_memory_bytes < memory:
        return f"uses {memory >> 20} MiB"
    if stamp and stamp != app_stamp:
        return "the app's files changed"
    return ""


def jobs_left(pool: PoolSettings, jobs_run: int) -> int:
    """How many more jobs a runspace of this pool may run."""
    if not pool.reuse:
        return 0 if jobs_run else 1
    return sys.maxsize if pool.max_jobs < 0 else max(0, pool.max_jobs - jobs_run)


def too_many(pool: PoolSettings, *, open_count: int, idle: float) -> bool:
    """Whether a runspace without work for `idle` seconds is one more than the pool keeps."""
    return open_count > pool.min_runspaces and 0 <= pool.idle_seconds <= idle


def collection_minute(index: int) -> int:
    """The minute of the hour in which runspace `index` collects its garbage: spread, never all at once."""
    return index * 3 % 60


class Pauses:
    """When to try again to open a runspace of a pool whose last ones ended before they were ready."""

    def __init__(self) -> None:
        self._failing: dict[str, tuple[int, float]] = {}

    def failed(self, pool: str, *, now: float) -> float | None:
        """One has failed to come up.

        Returns:
            Seconds until the next try; None if it went down with the one that began the pause.
        """
        failures, until = self._failing.get(pool, (0, 0.0))
        if now < until:
            return None
        wait: float = min(LONGEST_PAUSE_SECONDS, 0.25 * 2 ** (failures + 1))
        self._failing[pool] = failures + 1, now + wait
        return wait

    def over(self, pool: str) -> None:
        """One has come up."""
        self._failing.pop(pool, None)

    def paused(self, pool: str, *, now: float) -> bool:
        return now < self._failing.get(pool, (0, 0.0))[1]
