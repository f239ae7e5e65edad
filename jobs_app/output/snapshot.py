"""The files of one attempt's output, seen at one moment, while their writer goes on."""

import contextlib
import os
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from runspaces_app.worker.output_folder import (
    DATA,
    END,
    ENTRY,
    INDEX,
    Entry,
    entries,
    segment_name,
    segment_offsets,
)

from .answers import Gap, OutputStat

_LISTINGS = 10


class Vanished(Exception):
    """A segment was dropped after it was listed."""


class Segment:
    """One segment's files, opened when first needed.

    Once open, its bytes stay readable although the writer may drop it.
    """

    def __init__(self, folder: str, start: int) -> None:
        self._path = os.path.join(folder, segment_name(start))
        self.start = start
        self._data = -1
        self._size: int | None = None
        self._first: Entry | None = None
        self._entries: list[Entry] = []
        self._users = 0

    @property
    def size(self) -> int:
        """Bytes it held when first asked.

        Raises:
            Vanished
        """
        if self._size is None:
            try:
                self._size = (
                    os.fstat(self._data).st_size if self._data >= 0 else os.stat(self._path + DATA).st_size
                )
            except FileNotFoundError:
                raise Vanished from None
        return self._size

    @property
    def end(self) -> int:
        return self.start + self.size

    def open(self) -> None:
        """Get hold of its bytes and its index, until as many calls of `close`.

        Raises:
            Vanished
        """
        if self._users == 0:
            try:
                self._data = os.open(self._path + DATA, os.O_RDONLY | os.O_CLOEXEC)
                # The length before the entries: each byte below it has its entry by now.
                self._size = self.size
                with open(self._path + INDEX, "rb") as file:
                    self._entries = entries(file.read())
            except FileNotFoundError:
                self._entries = []
            if not self._entries:
                self._let_go()
                raise Vanished
        self._users += 1

    def close(self) -> None:
        self._users -= 1
        if self._users == 0:
            self._let_go()

    def _let_go(self) -> None:
        if self._data >= 0:
            os.close(self._data)
            self._data = -1

    def forget(self) -> None:
        """It is gone: what it held is a gap from now on."""
        self._size = 0

    def first(self) -> Entry:
        """The entry of its first byte.

        Raises:
            Vanished
        """
        if self._first is None:
            try:
                with open(self._path + INDEX, "rb", buffering=0) as file:
                    found = entries(file.read(ENTRY.size))
            except FileNotFoundError:
                raise Vanished from None
            if not found:
                raise Vanished
            self._first = found[0]
        return self._first

    @property
    def known(self) -> list[Entry]:
        """Its entries as far as they say something; the segment has to be open."""
        end = self.end
        return [entry for entry in self._entries if entry.offset <= end and entry.stream != END]

    @property
    def closing(self) -> Entry | None:
        """The entry that says nothing more comes, if there is one; the segment has to be open."""
        last = self._entries[-1] if self._entries else None
        return last if last is not None and last.stream == END else None

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._data, size, offset - self.start)


class Piece(NamedTuple):
    """Bytes between two entries: of one stream, at most 64 KiB long."""

    segment: Segment
    entry: Entry
    end: int

    def read(self, offset: int | None = None) -> bytes:
        """Its bytes, from a logical offset inside it on."""
        begin = self.entry.offset if offset is None else offset
        return self.segment.read(begin, self.end - begin)


class Snapshot:
    """An output at one moment: what comes later is not seen, what is dropped later becomes a gap.

    Files are open only while something is read from them.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.segments: list[Segment] = []
        self.bytes = 0
        self.lines = 0
        self.complete = False
        for _ in range(_LISTINGS):
            if self._list():
                break

    def _list(self) -> bool:
        """Look what there is; False if the newest of it vanished meanwhile."""
        try:
            starts = segment_offsets(os.listdir(self._folder))
        except (FileNotFoundError, NotADirectoryError):
            starts = []
        self.segments = [Segment(self._folder, start) for start in starts]
        while self.segments:
            last = self.segments[-1]
            try:
                last.open()
            except Vanished:
                # Either dropped, so that there are newer ones, or just made and still without an entry.
                self.segments.pop()
                if len(starts) - len(self.segments) > 1:
                    return False
                continue
            try:
                self._measure(last)
            finally:
                last.close()
            return True
        return not starts

    def _measure(self, last: Segment) -> None:
        closing = last.closing
        if closing is not None:
            self.bytes, self.lines, self.complete = closing.offset, closing.line, True
            return
        entry = last.known[-1]
        behind = last.read(entry.offset, last.end - entry.offset)
        line = entry.line + behind.count(b"\n")
        fresh = behind.endswith(b"\n") if behind else entry.fresh
        self.bytes, self.lines, self.complete = last.end, line - fresh, False

    def stat(self) -> OutputStat:
        kept = 0
        for segment in self.segments:
            with contextlib.suppress(Vanished):
                kept += segment.size
        return OutputStat(self.bytes, self.lines, self.bytes - kept, self.complete)

    def pieces(self, offset: int) -> Iterator[Piece]:
        """What is kept from the piece on that holds `offset`, or the first behind it."""
        starts = [segment.start for segment in self.segments]
        for segment in self.segments[max(0, bisect_right(starts, offset) - 1) :]:
            try:
                segment.open()
            except Vanished:
                segment.forget()
                continue
            try:
                known = segment.known
                position = max(0, bisect_right(known, offset, key=lambda entry: entry.offset) - 1)
                for number in range(position, len(known)):
                    end = known[number + 1].offset if number + 1 < len(known) else segment.end
                    if end > max(known[number].offset, offset):
                        yield Piece(segment, known[number], end)
            finally:
                segment.close()

    def locate(self, line: int) -> int:
        """Offset of the last entry at or before the start of a line; 0 if all that is left lies behind it."""
        while True:
            try:
                return self._locate((line, False))
            except Vanished:
                continue

    def _locate(self, wanted: tuple[int, bool]) -> int:
        low, high = 0, len(self.segments)
        while low < high:
            middle = (low + high) // 2
            try:
                before = _place(self.segments[middle].first()) <= wanted
            except Vanished:
                del self.segments[middle]
                raise
            low, high = (middle + 1, high) if before else (low, middle)
        if low == 0:
            return 0
        segment = self.segments[low - 1]
        try:
            segment.open()
        except Vanished:
            del self.segments[low - 1]
            raise
        try:
            known = segment.known
            return known[max(0, bisect_right(known, wanted, key=_place) - 1)].offset
        finally:
            segment.close()

    def gaps(self, begin: int, end: int) -> list[Gap]:
        """What is not kept between two offsets."""
        found = []
        starts = [segment.start for segment in self.segments]
        position = begin
        for segment in self.segments[max(0, bisect_right(starts, begin) - 1) :]:
            if segment.start >= end:
                break
            try:
                segment_end = segment.end
            except Vanished:
                continue
            if segment_end == segment.start:
                continue
            if segment.start > position:
                found.append(Gap(position, segment.start - position))
            position = max(position, segment_end)
        if position < end:
            found.append(Gap(position, end - position))
        return found


def _place(entry: Entry) -> tuple[int, bool]:
    """Sorts entries by the line they lie in, its first byte before the others."""
    return entry.line, not entry.fresh
