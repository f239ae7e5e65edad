"""The line in which the writers of one SQLite file stand, over all its processes and threads.

SQLite's own busy handler polls, so beside a process that commits without pause another one may
wait for seconds. Here a writer takes the queue lock, then the write lock, and frees the queue lock
at once: whoever holds the queue is next when the write lock comes free, and one who has just
written has to go through the queue again. Both are flock locks, which the kernel hands on in the
order of asking and frees when a process dies. Standard library only.
"""

import errno
import fcntl
import os
import threading
import time
import weakref

QUEUE = "queue.lock"
WRITE = "write.lock"
SOON_SECONDS = 0.004
ASK_SECONDS = 0.0001


class LineTimeout(Exception):
    """The right to write did not come in time."""


def holder(folder: str) -> int:
    """Pid of the process that may write at this moment; 0 if there is none or it cannot be seen."""
    try:
        wanted = f":{os.stat(os.path.join(folder, WRITE)).st_ino}"
        with open("/proc/locks") as file:
            found = [line.split() for line in file]
    except OSError:
        return 0
    # Number, kind, mode, access, pid, device and inode; one that still waits has an arrow before its kind.
    pids = [int(line[4]) for line in found if line[1] == "FLOCK" and line[5].endswith(wanted)]
    return pids[0] if pids else 0


class Line:
    """One connection's place in the line. Not for two threads at once.

    flock belongs to the open file, so each connection opens its own; two of one process meet in
    the line just as those of two processes do.

    Attributes:
        held: it has the right to write.
        waited: others were before it when it last entered.
    """

    def __init__(self, folder: str, *, timeout: float) -> None:
        self.held = False
        self.waited = False
        self._folder = folder
        self._timeout = timeout
        self._queue = -1
        self._write = -1
        _lines.add(self)

    def enter(self) -> None:
        """Wait for the right to write; does nothing while it is held.

        Raises:
            LineTimeout: somebody has kept it for longer than the time-out.
            OSError: the lock files cannot be opened.
        """
        if self.held:
            return
        until = time.monotonic() + self._timeout
        self.waited = False
        try:
            self._queue = self._locked(self._queue, QUEUE, until)
            self._write = self._locked(self._write, WRITE, until)
            self.held = True
            fcntl.flock(self._queue, fcntl.LOCK_UN)
        except BaseException:
            # Closing frees whatever had been taken, however far it came.
            self.close()
            raise

    def leave(self) -> None:
        """Let the next one write."""
        if self.held:
            self.held = False
            fcntl.flock(self._write, fcntl.LOCK_UN)

    def close(self) -> None:
        self.held = False
        queue, self._queue = self._queue, -1
        write, self._write = self._write, -1
        for descriptor in (queue, write):
            if descriptor >= 0:
                os.close(descriptor)

    def __del__(self) -> None:
        self.close()

    def _locked(self, descriptor: int, name: str, until: float) -> int:
        """The descriptor, locked; another one if the file was replaced meanwhile."""
        while True:
            if descriptor < 0:
                descriptor = self._open(name)
            descriptor = self._wait(descriptor, name, until)
            if os.fstat(descriptor).st_nlink:
                return descriptor
            # Somebody tidied up: those who come now wait at a new file.
            os.close(descriptor)
            self._forget(name)
            descriptor = -1

    def _wait(self, descriptor: int, name: str, until: float) -> int:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.waited = True
            if _came_soon(descriptor):
                return descriptor
            waiter = _Waiter(descriptor)
            try:
                waiter.start()
                locked = waiter.done.wait(max(0.0, until - time.monotonic()))
            except BaseException:
                self._abandon(waiter, name)
                raise
            if not locked and self._abandon(waiter, name):
                raise LineTimeout(f"{name}: held by another writer for {self._timeout} s") from None
            if waiter.error is not None:
                raise waiter.error from None
        return descriptor

    def _abandon(self, waiter: "_Waiter", name: str) -> bool:
        """Leave the descriptor to the thread that waits for it; False if it has come after all."""
        if waiter.abandon():
            self._forget(name)
            return True
        return False

    def _forget(self, name: str) -> None:
        if name == QUEUE:
            self._queue = -1
        else:
            self._write = -1

    def _open(self, name: str) -> int:
        path = os.path.join(self._folder, name)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            descriptor = os.open(path, flags, 0o600)
        # Known before it is locked, so that whatever goes wrong closes it.
        if name == QUEUE:
            self._queue = descriptor
        else:
            self._write = descriptor
        return descriptor


def _came_soon(descriptor: int) -> bool:
    """Ask again for a moment, the length of a few commits, before a thread is spent on the wait.

    Whoever asks here for the write lock holds the queue lock meanwhile, so nobody overtakes; of
    those who ask for the queue lock the ones that wait in the kernel come first.
    """
    until = time.monotonic() + SOON_SECONDS
    while time.monotonic() < until:
        time.sleep(ASK_SECONDS)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False


class _Waiter(threading.Thread):
    """Waits for a lock where the kernel knows no time limit.

    One is started only when the lock is taken: polling instead would lose the place in the line.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="writers-line", daemon=True)
        self.done = threading.Event()
        self.error: OSError | None = None
        self._descriptor = descriptor
        self._decide = threading.Lock()
        self._running = False
        self._abandoned = False

    def run(self) -> None:
        with self._decide:
            if self._abandoned:
                return
            self._running = True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as exc:
            self.error = exc
        with self._decide:
            if self._abandoned:
                os.close(self._descriptor)
            else:
                self.done.set()

    def abandon(self) -> bool:
        """True if the thread closes the descriptor in its own time; False if it had the lock already."""
        with self._decide:
            if not self.done.is_set():
                self._abandoned = True
                if not self._running:
                    # Cut off while it was being started: whether it comes up or not, it will not close it.
                    os.close(self._descriptor)
        return self._abandoned


_lines: "weakref.WeakSet[Line]" = weakref.WeakSet()


def _close_in_child() -> None:
    """A forked child shares its parent's open files: freed by it, kept by it, both would be wrong."""
    for line in list(_lines):
        line.close()


os.register_at_fork(after_in_child=_close_in_child)


def is_full(exc: OSError) -> bool:
    """Whether the disk has no room for a lock file."""
    return exc.errno in (errno.ENOSPC, errno.EDQUOT)
