"""Waiting for changes of jobs: one reader for all who wait, however many they are.

A thread with a connection of its own reads exactly the jobs somebody waits for, a few times a second
and only while somebody does. Those who wait are coroutines; they hold neither a thread nor a connection.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import DatabaseError, connection

from jobs_app import output
from jobs_app.models import Job
from jobs_app.states import TERMINAL, JobState
from taskhub.core.errors import Unavailable

log = logging.getLogger("taskhub.api")

POLL_SECONDS = 0.15
MOST_WATCHERS = 2_000
_BATCH = 200


class Seen(NamedTuple):
    """A job as it was read last."""

    uuid: UUID
    public_id: str
    state: str
    reason: str
    attempt: int
    stopping: bool
    percent: float
    message: str
    progress_at: datetime
    bytes: int
    lines: int
    dropped: int
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL


class Watcher:
    """One who waits, for one job. Used from the event loop it was made in."""

    def __init__(self, job: UUID, *, output: bool) -> None:
        self.job = job
        self.output = output
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._known = False
        self._seen: Seen | None = None

    async def changed(self, seconds: float) -> bool:
        """Wait for the next change, or the time to be over; True if there was one."""
        try:
            await asyncio.wait_for(self._changed.wait(), max(0.0, seconds))
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    @property
    def seen(self) -> Seen | None:
        """The job as it was read last; None if it is gone. Meaningful after the first change."""
        return self._seen

    def tell(self, seen: Seen | None) -> None:
        """Called by the reader; wakes who waits if this is news."""
        if self._known and seen == self._seen:
            return
        self._known, self._seen = True, seen
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:
            # Its loop has ended; so has who waited.
            log.debug("job=%s: nobody waits any more", self.job)


class _Reader:
    """The thread; it runs only while there are watchers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: set[Watcher] = set()
        self._thread: threading.Thread | None = None
        self._deserted = threading.Event()

    def add(self, watcher: Watcher) -> None:
        with self._lock:
            self._watchers.add(watcher)
            self._deserted.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="job-watch", daemon=True)
                self._thread.start()

    def __len__(self) -> int:
        return len(self._watchers)

    def remove(self, watcher: Watcher) -> None:
        with self._lock:
            self._watchers.discard(watcher)
            if not self._watchers:
                self._deserted.set()

    def _run(self) -> None:
        try:
            while watchers := self._present():
                self._look(watchers)
                self._deserted.wait(POLL_SECONDS)
        finally:
            connection.close()

    def _present(self) -> list[Watcher]:
        with self._lock:
            if not self._watchers:
                self._thread = None
            return list(self._watchers)

    def _look(self, watchers: list[Watcher]) -> None:
        try:
            found = read(
                {watcher.job for watcher in watchers}, output_of={w.job for w in watchers if w.output}
            )
        except DatabaseError as exc:
            log.warning("jobs not read, trying again: %s", exc)
            connection.close()
            return
        for watcher in watchers:
            watcher.tell(found.get(watcher.job))


def read(jobs: set[UUID], *, output_of: set[UUID]) -> dict[UUID, Seen]:
    """These jobs as they are now; for those in `output_of` what a running one has printed so far."""
    wanted = list(jobs)
    found: dict[UUID, Seen] = {}
    for start in range(0, len(wanted), _BATCH):
        rows = Job.objects.filter(pk__in=wanted[start : start + _BATCH]).order_by().values_list(
            "uuid", "public_id", "state", "reason", "attempt", "cancel_requested_at", "percent",
            "status_message", "progress_at", "output_bytes", "output_lines", "output_dropped", "finished_at",
        )  # fmt: skip
        for row in rows:
            seen = Seen._make((*row[:5], row[5] is not None, *row[6:]))
            if seen.uuid in output_of and seen.state == JobState.RUNNING:
                now = output.stat(seen.uuid, seen.attempt)
                seen = seen._replace(bytes=now.bytes, lines=now.lines, dropped=now.dropped)
            found[seen.uuid] = seen
    return found


_reader = _Reader()


def check_room() -> None:
    """Raises Unavailable when so many wait already that one more has to come later."""
    if len(_reader) >= MOST_WATCHERS:
        raise Unavailable(f"expected fewer than {MOST_WATCHERS} waiting calls, got one more", retry_after=5)


@contextmanager
def watch(job: UUID, *, output: bool = False) -> Iterator[Watcher]:
    """Watch a job inside a coroutine."""
    watcher = Watcher(job, output=output)
    _reader.add(watcher)
    try:
        yield watcher
    finally:
        _reader.remove(watcher)


async def until_ended(jobs: list[UUID], seconds: float) -> bool:
    """Wait until these jobs have ended or are gone; False if the time was over first."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    with ExitStack() as stack:
        for watcher in [stack.enter_context(watch(job)) for job in jobs]:
            while await watcher.changed(until - loop.time()):
                if watcher.seen is None or watcher.seen.ended:
                    break
            else:
                return False
    return True
