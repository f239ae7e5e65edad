"""The output of one attempt as the writer keeps it: segments, index, cap. Standard library only."""

import os
import sys
import time
from collections import deque

from ..worker.output_folder import (
    DATA,
    END,
    ENTRY,
    ENTRY_EVERY_BYTES,
    ENTRY_EVERY_MICROSECONDS,
    HEAD_SEGMENTS,
    INDEX,
    SEGMENT_BYTES,
    segment_name,
)
from .resume import found_in

PREVIEW_BYTES = 2048
RETRY_SECONDS = 1.0
SMALLEST_SEGMENT = 4096
# Segments a cap has to have room for: the head, one in the middle, one that leaves, one that grows.
SEGMENTS_IN_CAP = 5
# An index may take a fifth of what its bytes take; beyond that it counts in their place, so that
# streams which change with every byte can not grow the index without bound.
INDEX_WEIGHT = 5

_NEWLINE = 10


class Segment:
    """One segment, open for writing or, with descriptors of -1, closed."""

    def __init__(self, start: int, size: int = 0, index_size: int = 0) -> None:
        self.start = start
        self.size = size
        self.index_size = index_size
        self.data = self.index = -1

    def open(self, folder: str, *, new: bool) -> None:
        name = os.path.join(folder, segment_name(self.start))
        # The index first: a reader that finds the bytes finds their entries too.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT | os.O_TRUNC if new else 0)
        self.index = os.open(name + INDEX, flags, 0o600)
        self.data = os.open(name + DATA, flags, 0o600)

    def close(self) -> None:
        for descriptor in (self.data, self.index):
            if descriptor >= 0:
                os.close(descriptor)
        self.data = self.index = -1

    def remove(self, folder: str) -> None:
        name = os.path.join(folder, segment_name(self.start))
        for suffix in (DATA, INDEX):
            try:
                os.unlink(name + suffix)
            except OSError as error:
                complain(f"{name}{suffix}: {error}")

    @property
    def weight(self) -> int:
        return max(self.size, INDEX_WEIGHT * self.index_size)


class Output:
    """What one attempt writes, from its first byte to its end.

    Whatever happens to the disk, `append` takes every byte and counts it; what could not be kept is
    counted as dropped, and the next segment begins where keeping works again.

    Args:
        folder: of the attempt; made with the first byte. If it is there already, another writer was
            killed over it, and this one goes on behind what is there.
        cap: bytes kept, -1 for all. Between 1 and 20,479 means 20,480.
    """

    def __init__(self, folder: str, cap: int) -> None:
        self._folder = folder
        self._cap = cap if cap <= 0 else max(cap, SEGMENTS_IN_CAP * SMALLEST_SEGMENT)
        self._segment_bytes = SEGMENT_BYTES if cap < 0 else min(SEGMENT_BYTES, self._cap // SEGMENTS_IN_CAP)
        self.bytes = 0
        self.dropped = 0
        self.complete = False
        self._line = 1  # the number of the line the next byte belongs to
        self._fresh = True  # whether that byte is its first
        self._stream = 0
        self._tail = b""
        self._entry_at = self._entry_time = 0
        self._entry_due = True
        self._segment: Segment | None = None  # that grows
        self._last: Segment | None = None  # that was closed last
        self._head: list[Segment] = []
        self._middle: deque[Segment] = deque()
        self._weight = 0  # of all closed segments that are kept
        self._retry_at = 0.0
        self._made = False
        self._complained = False

    @property
    def lines(self) -> int:
        return self._line - self._fresh

    @property
    def preview(self) -> str:
        """The last 2 KiB as text that any database takes."""
        return self._tail.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")

    def append(self, stream: int, buffer: bytearray, size: int, now: int) -> None:
        """Take the first `size` bytes of a buffer, which came from `stream` at `now` (microseconds)."""
        if self.complete:
            return
        if stream != self._stream:
            if not self._fresh:
                self._line += 1
                self._fresh = True
            self._stream = stream
            self._entry_due = True
        self._tail = (self._tail + buffer[max(0, size - PREVIEW_BYTES) : size])[-PREVIEW_BYTES:]
        with memoryview(buffer) as view:
            position = 0
            while position < size:
                segment = self._segment or self._begin_segment()
                if segment is None:
                    self._count(buffer, position, size, now)
                    self.dropped += size - position
                    return
                end = min(size, position + self._segment_bytes - segment.size)
                self._keep(segment, self._count(buffer, position, end, now), view[position:end])
                position = end

    def finish(self, now: int) -> None:
        """Say in the index that nothing more comes."""
        if self.complete:
            return
        self.complete = True
        if not self.bytes:
            return
        segment = self._segment or self._last
        if segment is None:
            return
        try:
            if segment is self._last:
                segment.open(self._folder, new=False)
            os.write(segment.index, ENTRY.pack(self.bytes, self.lines, now, END, self._fresh))
        except OSError as error:
            self._complain(error)
        segment.close()

    def resume(self) -> bool:
        """Go on behind what a writer that was killed has left in the folder; False if that is nothing."""
        found = found_in(self._folder)
        if found is None:
            return False
        self._made = True
        for start, size, index_size in found.segments:
            self._retire(Segment(start, size, index_size))
        self.bytes, self._line, self._fresh = found.size, found.line, found.fresh
        self._stream, self._tail, self.complete = found.stream, found.tail, found.complete
        self.dropped = found.size - sum(size for _, size, _ in found.segments)
        return True

    def _count(self, buffer: bytearray, position: int, end: int, now: int) -> list[bytes]:
        """Move bytes and lines over a piece of the buffer; returns the index entries it calls for."""
        made = []
        while position < end:
            if (
                self._entry_due
                or self.bytes - self._entry_at >= ENTRY_EVERY_BYTES
                or now - self._entry_time >= ENTRY_EVERY_MICROSECONDS
            ):
                made.append(ENTRY.pack(self.bytes, self._line, now, self._stream, self._fresh))
                self._entry_at, self._entry_time, self._entry_due = self.bytes, now, False
            step = min(end, position + ENTRY_EVERY_BYTES - (self.bytes - self._entry_at))
            self._line += buffer.count(b"\n", position, step)
            self._fresh = buffer[step - 1] == _NEWLINE
            self.bytes += step - position
            position = step
        return made

    def _keep(self, segment: Segment, made: list[bytes], piece: memoryview) -> None:
        written = 0
        try:
            if made:
                block = b"".join(made)
                if os.write(segment.index, block) < len(block):
                    raise OSError("the index took only a part")
                segment.index_size += len(block)
            while written < len(piece):
                written += os.write(segment.data, piece[written:])
        except OSError as error:
            self._complain(error)
            self.dropped += len(piece) - written
            self._retry_at = time.monotonic() + RETRY_SECONDS
        segment.size += written
        if written < len(piece) or segment.weight >= self._segment_bytes:
            self._segment = None
            segment.close()
            if segment.size:
                self._retire(segment)
            else:
                segment.remove(self._folder)

    def _begin_segment(self) -> Segment | None:
        """Open the next segment, dropping the oldest of the middle for it; None if there can be none now."""
        if self._cap == 0 or (self._retry_at and time.monotonic() < self._retry_at):
            return None
        while self._cap > 0 and self._middle and self._weight + self._segment_bytes > self._cap:
            oldest = self._middle.popleft()
            oldest.remove(self._folder)
            self._weight -= oldest.weight
            self.dropped += oldest.size
        segment = Segment(self.bytes)
        try:
            if not self._made:
                make_folder(self._folder)
                self._made = True
            segment.open(self._folder, new=True)
        except OSError as error:
            segment.close()
            self._complain(error)
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return None
        self._retry_at = 0.0
        self._segment = segment
        self._entry_due = True
        return segment

    def _retire(self, segment: Segment) -> None:
        """Put a full segment to the head, as long as that has room, or to the middle."""
        if not self._middle and sum(kept.weight for kept in self._head) < HEAD_SEGMENTS * self._segment_bytes:
            self._head.append(segment)
        else:
            self._middle.append(segment)
        self._weight += segment.weight
        self._last = segment

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            complain(f"{self._folder}: {error}; its output is counted, not kept, until that works again")


def make_folder(path: str) -> None:
    """Make an attempt's folder; its parents may vanish under us when others tidy up empty days."""
    for _ in range(5):
        try:
            os.makedirs(path, 0o700, exist_ok=True)
            return
        except FileNotFoundError:
            continue
    os.makedirs(path, 0o700, exist_ok=True)


def complain(text: str) -> None:
    """One line to stderr, if anybody listens there."""
    try:
        sys.stderr.write(f"output writer: {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return
