"""One thread per web process reads what all its pages show; pages are only told that there is news.

It has a database connection of its own and runs only while somebody watches. On SQLite it reads when
`PRAGMA data_version` says that another connection has committed; elsewhere it reads each time, which
is a handful of look-ups by key.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import DatabaseError, connection
from django.utils import timezone

from .entries import Entry
from .reading import Reader
from .topics import Key

log = logging.getLogger("taskhub.live")

PERIOD = 0.15
# Reading takes at most this part of the thread's time, however much there is to read.
READING_SHARE = 0.25
RETRY_SECONDS = 1.0


class Watch:
    """What one page shows, and how to wake whoever serves it; used from any thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.keys: frozenset[Key] = frozenset()
        self.wake = wake


class Watcher:
    """The thread and the one snapshot that it keeps.

    Attributes:
        entries: what was read last; replaced as a whole, never changed.
        version: +1 with each change.
    """

    def __init__(self, *, clock: Callable[[], datetime] = timezone.now) -> None:
        self.entries: Mapping[Key, Entry] = {}
        self.version = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._news = threading.Event()
        self._data_version = -1
        self._reset()

    @property
    def running(self) -> bool:
        return self._thread is not None

    def change(self, watch: Watch, keys: frozenset[Key]) -> None:
        """Watch these things from now on; none: leave."""
        with self._lock:
            watch.keys = keys
            if keys:
                self._watches.add(watch)
            else:
                self._watches.discard(watch)
            if self._watches and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live-watch", daemon=True)
                self._thread.start()
        self._news.set()

    def round(self) -> None:
        """Read once what is due, and wake those for whom something has changed."""
        with self._lock:
            wanted = frozenset[Key]().union(*(watch.keys for watch in self._watches))
        now = self._clock()
        known = self.entries
        if left := known.keys() - wanted:
            self._reader.forget_all_but(wanted)
            known = {key: entry for key, entry in known.items() if key not in left}
        found = self._reader.look(now=now)
        if self._due():
            started = time.monotonic()
            found |= self._reader.read(wanted, now=now)
            ended = time.monotonic()
            self._next = ended + max(PERIOD * 0.9, (ended - started) * (1 / READING_SHARE - 1))
        elif fresh := wanted - known.keys():
            found |= self._reader.read(fresh, now=now)
        changed = {key for key, entry in found.items() if known.get(key) is not entry}
        if not changed and not left:
            return
        with self._lock:
            # Who begins to watch before this is woken, who begins after it finds the new entries.
            self.entries = {**known, **found}
            self.version += 1
            woken = [watch for watch in self._watches if not changed.isdisjoint(watch.keys)]
        for watch in woken:
            watch.wake()

    def _due(self) -> bool:
        """Whether everything has to be read again."""
        if time.monotonic() < self._next:
            return False
        if connection.vendor != "sqlite":
            return True
        with connection.cursor() as cursor:
            # Asked before reading: what is committed meanwhile shows as another version next time.
            cursor.execute("PRAGMA data_version")
            version = int(cursor.fetchone()[0])
        moved = version != self._data_version or self._reader.stale
        self._data_version = version
        return moved

    def _reset(self) -> None:
        self._reader = Reader()
        self._data_version = -1
        self._next = 0.0

    def _run(self) -> None:
        try:
            while self._somebody_watches():
                self._news.clear()
                try:
                    self.round()
                    pause = PERIOD
                except Exception as exc:  # pages must not stand still for ever because of one bad round
                    said = log.warning if isinstance(exc, DatabaseError) else log.exception
                    said("live rows not read, trying again: %s", exc)
                    connection.close()
                    self._data_version = -1
                    pause = RETRY_SECONDS
                self._news.wait(pause)
        finally:
            connection.close()

    def _somebody_watches(self) -> bool:
        with self._lock:
            if self._watches:
                return True
            self._thread = None
            self.entries = {}
            self._reset()
            return False


watcher = Watcher()
