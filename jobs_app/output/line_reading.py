"""Ranges of lines."""

from datetime import UTC, datetime, timedelta

from runspaces_app.worker.output_folder import STDERR

from .answers import Line, LineChunk
from .snapshot import Piece, Snapshot

MOST_LINES = 10_000
LONGEST_LINE = 64 * 1024
# Of one answer; it ends with the line that passes it.
_MOST_TEXT = 1024 * 1024
# Looked at for one answer: a stream that hardly says anything is looked for in several calls.
_MOST_PIECES = 100_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Draft:
    """A line while its pieces come in.

    Of one that is too long the beginning is kept. If it is written over again and again, as progress bars
    do, what it says at its end is kept, too: a terminal would show only that.
    """

    def __init__(self, number: int, offset: int, piece: Piece) -> None:
        self.number = number
        self._offset = offset
        self._time = piece.entry.time
        self._stream = piece.entry.stream
        self.text = bytearray()
        self.cut = False
        self._last = b""

    def add(self, data: bytes) -> None:
        room = LONGEST_LINE - len(self.text)
        self.text += data[:room]
        self.cut = self.cut or len(data) > room
        if self.cut:
            shown = data.rstrip(b"\r")
            self._last = shown[shown.rfind(b"\r") :] if b"\r" in shown else self._last and self._last + shown

    def skip(self) -> None:
        """Some of it is left out; what comes next does not follow what came."""
        self._last = b""

    def line(self, *, ended: bool) -> Line:
        last = self._last[:LONGEST_LINE]
        data = bytes(self.text[: LONGEST_LINE - len(last)]) + last if last else bytes(self.text)
        return make_line(self.number, self._offset, self._time, self._stream, data, cut=self.cut, ended=ended)


def make_line(
    number: int, offset: int, time: int, stream: int, data: bytes, *, cut: bool, ended: bool
) -> Line:
    return Line(
        number,
        offset,
        _EPOCH + timedelta(microseconds=time),
        "stderr" if stream == STDERR else "stdout",
        data.decode("utf-8", "replace"),
        cut,
        ended,
    )


def read_lines(snapshot: Snapshot, *, line: int, lines: int, stream: int | None) -> LineChunk:
    reader = _Reader(snapshot, line, min(lines, MOST_LINES), stream)
    begin = snapshot.locate(line)
    reader.run(begin)
    gaps = snapshot.gaps(begin, max(begin, reader.position)) if lines else []
    return LineChunk(reader.lines, gaps, reader.next_line, snapshot.lines)


class _Reader:
    """Puts lines together out of pieces, from a wanted one on, until there are enough."""

    def __init__(self, snapshot: Snapshot, line: int, wanted: int, stream: int | None) -> None:
        self._snapshot = snapshot
        self._first = line
        self._wanted = wanted
        self._stream = stream
        self._draft: Draft | None = None
        self._text = 0
        self.lines: list[Line] = []
        self.next_line = line
        self.position = 0

    def run(self, begin: int) -> None:
        if self._wanted == 0:
            return
        pieces = self._snapshot.pieces(begin)
        looked_at = 0
        while (piece := next(pieces, None)) is not None:
            if (
                self._draft is not None
                and piece.entry.line != self._draft.number
                and self._end_line(ended=True)
            ):
                return
            self._take(piece)
            self.position = piece.end
            if self._enough():
                return
            looked_at += 1
            if looked_at == _MOST_PIECES:
                self.next_line = max(self.next_line, piece.entry.line)
                return
            if self._draft is not None and self._draft.cut:
                # The rest of a line too long to be shown is not worth reading, but for its end.
                behind = self._snapshot.locate(self._draft.number + 1)
                if behind > self.position:
                    self._draft.skip()
                pieces = self._snapshot.pieces(max(self.position, behind))
        if self._draft is not None:
            self._end_line(ended=self._snapshot.complete or self._snapshot.lines > self._draft.number)
        if not self._enough():
            self.next_line = max(self.next_line, self._snapshot.lines + 1)
            self.position = max(self.position, self._snapshot.bytes)

    def _take(self, piece: Piece) -> None:
        if self._stream is not None and piece.entry.stream != self._stream:
            return
        data = piece.read()
        number = piece.entry.line
        position = 0
        if number < self._first:
            # One call, not one for each of up to 65,536 lines.
            parts = data.split(b"\n", self._first - number)
            if len(parts) <= self._first - number:
                return
            number = self._first
            position = len(data) - len(parts[-1])
        while position < len(data):
            feed = data.find(b"\n", position)
            stop = len(data) if feed < 0 else feed
            if self._draft is None:
                self._draft = Draft(number, piece.entry.offset + position, piece)
            self._draft.add(data[position:stop])
            if feed < 0:
                return
            if self._end_line(ended=True):
                return
            number += 1
            position = feed + 1

    def _end_line(self, *, ended: bool) -> bool:
        """Put the draft to the lines; True if that is enough."""
        if self._draft is not None:
            self.lines.append(self._draft.line(ended=ended))
            self.next_line = self._draft.number + 1
            self._text += len(self._draft.text)
            self._draft = None
        return self._enough()

    def _enough(self) -> bool:
        return len(self.lines) >= self._wanted or self._text >= _MOST_TEXT
