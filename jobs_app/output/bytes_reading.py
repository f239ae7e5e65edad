"""Ranges of bytes, and the whole of them for download."""

from collections.abc import Iterator

from .answers import Chunk, Gap
from .snapshot import Snapshot

LARGEST_CHUNK = 1024 * 1024
# Pieces looked at for one answer: a stream that hardly says anything is looked for in several calls.
_MOST_PIECES = 100_000


def read_bytes(
    snapshot: Snapshot, *, offset: int, limit: int, stream: int | None, text: bool, ended: bool
) -> Chunk:
    found: list[bytes] = []
    starts: list[int] = []
    at_end = False
    left = min(limit, LARGEST_CHUNK)
    position = offset
    pieces = snapshot.pieces(offset)
    for _ in range(_MOST_PIECES):
        if left == 0:
            break
        piece = next(pieces, None)
        if piece is None:
            position = max(offset, snapshot.bytes)
            at_end = True
            break
        position = max(offset, piece.entry.offset)
        if stream is not None and piece.entry.stream != stream:
            position = piece.end
            continue
        data = piece.read(position)[:left]
        found.append(data)
        starts.append(position)
        left -= len(data)
        position += len(data)
    taken = b"".join(found)
    open_bytes = _open_bytes(taken) if text and not (at_end and (ended or snapshot.complete)) else 0
    # Where the limit is below one character, half of it is better than standing still.
    if open_bytes and (at_end or open_bytes < len(taken)):
        position = _offset_of(len(taken) - open_bytes, starts, found)
        taken = taken[:-open_bytes]
    return Chunk(offset, position, taken, snapshot.gaps(offset, position))


def _open_bytes(data: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character whose rest is missing."""
    for back, byte in enumerate(reversed(data[-3:]), start=1):
        if byte & 0b1100_0000 != 0b1000_0000:
            length = (
                2 if 0xC2 <= byte < 0xE0 else 3 if 0xE0 <= byte < 0xF0 else 4 if 0xF0 <= byte < 0xF5 else 1
            )
            return back if length > back else 0
    return 0


def _offset_of(index: int, starts: list[int], found: list[bytes]) -> int:
    """The logical offset of a byte of the pieces put together."""
    for start, data in zip(starts, found, strict=True):
        if index < len(data):
            return start + index
        index -= len(data)
    raise IndexError(index)


def download(snapshot: Snapshot, *, stream: int | None) -> Iterator[bytes]:
    """Everything that is kept, with a line that says so where something is not."""
    position = 0
    for piece in snapshot.pieces(0):
        if piece.entry.offset > position:
            yield _note(Gap(position, piece.entry.offset - position))
        position = piece.end
        if stream is None or piece.entry.stream == stream:
            yield piece.read()
    if position < snapshot.bytes:
        yield _note(Gap(position, snapshot.bytes - position))


def _note(gap: Gap) -> bytes:
    return f"\n[Taskhub: {gap.bytes} bytes were dropped here]\n".encode()
