"""Reading back what a killed writer has left of an attempt, to go on behind it. Standard library only."""

import os
from typing import NamedTuple

from ..worker.output_folder import DATA, END, ENTRY, INDEX, entries, segment_name, segment_offsets

_TAIL = 2048


class Found(NamedTuple):
    """State of an output at the place where its writer stopped.

    Attributes:
        segments: (start, bytes, bytes of index) of each.
        size: logical offset behind the last byte.
        line: number of the line the next byte belongs to.
        fresh: whether that byte is its first.
        stream: of the last byte.
        tail: the last bytes.
        complete: the writer had finished it.
    """

    segments: list[tuple[int, int, int]]
    size: int
    line: int
    fresh: bool
    stream: int
    tail: bytes
    complete: bool


def found_in(folder: str) -> Found | None:
    """What lies in an attempt's folder; None if nothing does."""
    try:
        starts = segment_offsets(os.listdir(folder))
        segments = [(start, *_sizes(os.path.join(folder, segment_name(start)))) for start in starts]
        # Killed before the first entry of a segment: the one before tells.
        while segments and not segments[-1][2]:
            _remove(folder, segments.pop()[0])
        if not segments:
            return None
        start = segments[-1][0]
        name = os.path.join(folder, segment_name(start))
        with open(name + DATA, "rb") as file:
            data = file.read()
        with open(name + INDEX, "rb") as file:
            index = entries(file.read())
        if not data:
            # Killed before its first byte; the next segment will have the same name.
            _remove(folder, segments.pop()[0])
    except OSError:
        return None
    if index[-1].stream == END:
        total, lines, _, _, fresh = index[-1]
        return Found(segments, total, lines + fresh, fresh, 0, data[-_TAIL:], True)
    end = start + len(data)
    last = [entry for entry in index if entry.offset <= end][-1]
    behind = data[last.offset - start :]
    return Found(
        segments,
        end,
        last.line + behind.count(b"\n"),
        behind.endswith(b"\n") if behind else last.fresh,
        last.stream,
        data[-_TAIL:],
        False,
    )


def _sizes(name: str) -> tuple[int, int]:
    return os.stat(name + DATA).st_size, os.stat(name + INDEX).st_size // ENTRY.size * ENTRY.size


def _remove(folder: str, start: int) -> None:
    for suffix in (DATA, INDEX):
        os.unlink(os.path.join(folder, segment_name(start)) + suffix)
