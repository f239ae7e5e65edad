"""Ranges of bytes, and the whole of them for download."""

from collections.abc import Iterator

from .answers import Chunk, Gap
from .snapshot import Snapshot

LARGEST_CHUNK = 1024 * 1024
# Pieces looked at for one answer: a stream that hardly says anything is looked for in several calls.
_MOST_PIECES = 100_000


def read_bytes(snapshot: Snapshot, *, offset: int, limit: int, stream: int | None) -> Chunk:
    found: list[bytes] = []
    left = min(limit, LARGEST_CHUNK)
    position = offset
    pieces = snapshot.pieces(offset)
    for _ in range(_MOST_PIECES):
        if left == 0:
            break
        piece = next(pieces, None)
        if piece is None:
            position = max(offset, snapshot.bytes)
            break
        position = max(offset, piece.entry.offset)
        if stream is not None and piece.entry.stream != stream:
            position = piece.end
            continue
        data = piece.read(position)[:left]
        found.append(data)
        left -= len(data)
        position += len(data)
    return Chunk(offset, position, b"".join(found), snapshot.gaps(offset, position))


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
