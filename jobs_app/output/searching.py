"""Finding text in an output."""

from .answers import Line, Matches
from .line_reading import LONGEST_LINE, make_line, read_lines
from .snapshot import Piece, Snapshot

MOST_MATCHES = 1000
# Of one call; who wants to go on calls again.
_MOST_BYTES = 64 * 1024 * 1024


def search(snapshot: Snapshot, *, q: str, limit: int, after_line: int, stream: int | None) -> Matches:
    return _Search(snapshot, q, min(limit, MOST_MATCHES), after_line, stream).run()


class _Search:
    """Goes through the pieces once; a text that straddles two of one line is found too."""

    def __init__(self, snapshot: Snapshot, q: str, limit: int, after_line: int, stream: int | None) -> None:
        self._snapshot = snapshot
        self._wanted = q.encode("utf-8", "replace").lower()
        self._limit = limit
        self._after = after_line
        self._stream = stream
        self._lines: list[Line] = []
        self._last = after_line  # number of the line found last

    def run(self) -> Matches:
        looked_at = 0
        before: tuple[int, bytes] = (-1, b"")  # where the piece before ended, and its last bytes
        for piece in self._snapshot.pieces(self._snapshot.locate(self._after + 1)):
            if len(self._lines) >= self._limit:
                return Matches(self._lines, self._last, False)
            if looked_at > _MOST_BYTES:
                # A line longer than that is searched in its first part only.
                reached = piece.entry.line - (1 if piece.entry.line - 1 > self._after else 0)
                return Matches(self._lines, reached, False)
            if self._stream is not None and piece.entry.stream != self._stream:
                continue
            data = piece.read()
            looked_at += len(data)
            carried = before[1] if before[0] == piece.entry.offset and not piece.entry.fresh else b""
            self._look(piece, data, carried)
            before = piece.end, (carried + data)[-(len(self._wanted) - 1) :] if len(self._wanted) > 1 else b""
        complete = len(self._lines) < self._limit
        return Matches(self._lines, self._snapshot.lines if complete else self._last, complete)

    def _look(self, piece: Piece, data: bytes, carried: bytes) -> None:
        haystack = (carried + data).lower()
        number, counted = piece.entry.line, len(carried)
        position = haystack.find(self._wanted)
        while position >= 0 and len(self._lines) < self._limit:
            if position > counted:
                number += haystack.count(b"\n", counted, position)
                counted = position
            end = haystack.find(b"\n", position + len(self._wanted) - 1)
            if number > self._last:
                self._found(
                    piece, data, number, position - len(carried), end - len(carried) if end >= 0 else -1
                )
            if end < 0:
                return
            position = haystack.find(self._wanted, end)

    def _found(self, piece: Piece, data: bytes, number: int, position: int, end: int) -> None:
        self._last = number
        begin = data.rfind(b"\n", 0, max(0, position)) + 1
        if end < 0 or (begin == 0 and not piece.entry.fresh) or end - begin > LONGEST_LINE:
            self._lines += read_lines(self._snapshot, line=number, lines=1, stream=None).lines
            return
        entry = piece.entry
        self._lines.append(
            make_line(
                number, entry.offset + begin, entry.time, entry.stream, data[begin:end], cut=False, ended=True
            )
        )
