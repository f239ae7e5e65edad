"""The mark file: which job a runspace is at, readable by others even after it was killed.

One page of memory shared through a file. The runspace writes it before the first line of user
code; the output writer looks up here whose output it holds, and a later engine learns from it
whether an attempt had begun. Standard library only.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from uuid import UUID

SIZE = 4096
MAGIC = b"THMARK1\0"

_HEAD = struct.Struct("<8s40sQ")  # magic, boot id, runspace id
_BODY = struct.Struct("<QQ16sIIQq")  # sequence, begun count, job, attempt, state, fence, output cap
_BODY_AT = 64
_DIRTY_AT = 256

NONE, BEGUN, ENDED = 0, 1, 2


class UnreadableMark(Exception):
    """The file is no mark file, or was torn in the middle of a write."""


@dataclass(frozen=True)
class Mark:
    """What a mark file says.

    Attributes:
        state: NONE (no job yet), BEGUN (user code may have run) or ENDED.
        output_cap: bytes kept per attempt, -1 for all.
    """

    boot_id: str
    runspace: int
    job: UUID
    attempt: int
    state: int
    fence: int
    output_cap: int


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

    def begin(self, *, job: bytes, attempt: int, fence: int, output_cap: int) -> None:
        """Say that user code of this attempt (job: 16 bytes) is about to run."""
        self._write(job, attempt, BEGUN, fence, output_cap)

    def end(self) -> None:
        sequence, count, job, attempt, _, fence, cap = _BODY.unpack_from(self._map, _BODY_AT)
        self._write(job, attempt, ENDED, fence, cap)

    def _write(self, job: bytes, attempt: int, state: int, fence: int, cap: int) -> None:
        sequence, count, *_ = _BODY.unpack_from(self._map, _BODY_AT)
        # Odd while the rest is in motion: a reader that meets it, or two different numbers, reads again.
        struct.pack_into("<Q", self._map, _BODY_AT, sequence + 1)
        _BODY.pack_into(self._map, _BODY_AT, sequence + 1, count + (state == BEGUN), job, attempt, state, fence, cap)
        struct.pack_into("<Q", self._map, _BODY_AT, sequence + 2)

    def read(self) -> Mark:
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
    sequence, _, job, attempt, state, fence, cap = _BODY.unpack_from(page, _BODY_AT)
    if magic != MAGIC or sequence % 2:
        raise UnreadableMark("no mark file" if magic != MAGIC else "torn by a write that was cut off")
    return Mark(boot_id.rstrip(b"\0").decode(), runspace, UUID(bytes=job), attempt, state, fence, cap)
