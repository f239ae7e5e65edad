"""The line in which the writers of one SQLite file stand, over all processes and threads.

SQLite's own busy handler polls: beside a process that commits without pause another one may wait
for seconds. Here a writer first takes the queue lock, then the write lock, and frees the queue
lock at once: whoever stands in the queue is next when the write lock comes free.
"""

import fcntl
import os
from pathlib import Path


class Line:
    """One place in the line, for one connection. Not for use by two threads at once.

    flock locks belong to the open file, so each connection opens its own; they vanish with the
    process that held them.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._queue = os.open(folder / "queue.lock", flags, 0o600)
        self._write = os.open(folder / "write.lock", flags, 0o600)
        self.held = False

    def enter(self) -> None:
        """Wait for the right to write; a second call while it is held does nothing."""
        if self.held:
            return
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._write, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)
        self.held = True

    def leave(self) -> None:
        if self.held:
            self.held = False
            fcntl.flock(self._write, fcntl.LOCK_UN)

    def close(self) -> None:
        self.held = False
        os.close(self._queue)
        os.close(self._write)
