"""The mark file: which job a runspace is at, readable by others even after it was killed.

One page of memory shared through a file. The runspace writes it before the first line of user
code; the output writer looks up here whose output it holds, and a later engine learns from it
whether an attempt had begun. The last sixteen attempts stand in it, because a job may begin while
the ends of those before it are not yet acknowledged. Standard library only.
"""

import mmap
import os
import struct
from typing import NamedTuple
from uuid import UUID

SIZE = 4096
MAGIC = b"THMARK1\0"
ENTRIES = 16

_HEAD = struct.Struct("<8s40sQ")  # magic, boot id, runspace id
_BODY = struct.Struct("<QQQQ")  # sequence, attempts begun, pid, its start in ticks
_BODY_AT = 64
_COUNT_AT = _BODY_AT + 8
_NUMBER = struct.Struct("<Q")
_ENTRY = struct.Struct("<16sIIQq")  # job, attempt, state, fence, output cap
_ENTRIES_AT = 128
_ENTRY_SPACE = 64
_DIRTY_AT = 2048

NONE, BEGUN = 0, 1


class UnreadableMark(Exception):
    """The file is no mark file, or was torn in the middle of a write."""


class Attempt(NamedTuple):
    """One attempt that has begun here."""

    job: UUID
    attempt: int
    fence: int


class Mark(NamedTuple):
    """What a mark file says.

    Attributes:
        pid, start: the runspace's process; 0 until it has come up.
        job, attempt, fence: the newest attempt.
        state: NONE (no job yet) or BEGUN (user code may have run).
        output_cap: bytes kept of its output, -1 for all.
        begun: the newest attempts that have begun, newest first.
    """

    boot_id: str
    runspace: int
    pid: int
    start: int
    job: UUID
    attempt: int
    state: int
    fence: int
    output_cap: int
    begun: tuple[Attempt, ...]


class MarkFile:
    """A mark file mapped into memory; one process writes jobs, one other the dirty byte."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, SIZE)

    @staticmethod
    def create(path: str, *, boot_id: str, runspace: int) -> int:
        """Make the file (0600) and return a descriptor to it, inheritable by nobody yet."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.ftruncate(fd, SIZE)
        os.pwrite(fd, _HEAD.pack(MAGIC, boot_id.encode(), runspace), 0)
        return fd

    def register(self, pid: int, start: int) -> None:
        """Say which process the runspace is."""
        _BODY.pack_into(self._map, _BODY_AT, 0, 0, pid, start)

    def begin(self, *, job: bytes, attempt: int, fence: int, output_cap: int) -> None:
        """Say that user code of this attempt (job: 16 bytes) is about to run."""
        sequence, count, _, _ = _BODY.unpack_from(self._map, _BODY_AT)
        # Odd while the rest is in motion: a reader that meets it cannot trust what it sees. A write of
        # its own, so that it is even again only when everything else stands.
        _NUMBER.pack_into(self._map, _BODY_AT, sequence + 1)
        at = _ENTRIES_AT + count % ENTRIES * _ENTRY_SPACE
        _ENTRY.pack_into(self._map, at, job, attempt, BEGUN, fence, output_cap)
        _NUMBER.pack_into(self._map, _COUNT_AT, count + 1)
        _NUMBER.pack_into(self._map, _BODY_AT, sequence + 2)

    def read(self) -> Mark:
        """The mark as it is now; for the process that writes it, and for readers that retry."""
        return decode(self._map[:SIZE])

    @property
    def dirty(self) -> bool:
        """Whether the writer has met output since it last finished a job of this runspace.

        The writer sets it before it takes bytes out of a pipe, so: pipe empty and not dirty
        means that nothing was written.
        """
        return self._map[_DIRTY_AT] != 0

    @dirty.setter
    def dirty(self, value: bool) -> None:
        self._map[_DIRTY_AT] = value

    def close(self) -> None:
        self._map.close()


def decode(page: bytes) -> Mark:
    """Read a mark from the bytes of its file.

    Raises:
        UnreadableMark: wrong size or magic, or a write was cut off in the middle.
    """
    if len(page) < SIZE:
        raise UnreadableMark(f"expected {SIZE} bytes, got {len(page)}")
    magic, boot_id, runspace = _HEAD.unpack_from(page, 0)
    sequence, count, pid, start = _BODY.unpack_from(page, _BODY_AT)
    if magic != MAGIC or sequence % 2:
        raise UnreadableMark("no mark file" if magic != MAGIC else "torn by a write that was cut off")
    entries = [
        _ENTRY.unpack_from(page, _ENTRIES_AT + number % ENTRIES * _ENTRY_SPACE)
        for number in range(count - 1, max(-1, count - 1 - ENTRIES), -1)
    ]
    begun = tuple(Attempt(UUID(bytes=job), attempt, fence) for job, attempt, _, fence, _ in entries)
    job, attempt, state, fence, cap = entries[0] if entries else (bytes(16), 0, NONE, 0, 0)
    return Mark(
        boot_id.rstrip(b"\0").decode(),
        runspace,
        pid,
        start,
        UUID(bytes=job),
        attempt,
        state,
        fence,
        cap,
        begun,
    )
