"""What the readers of outputs answer with."""

from datetime import datetime
from typing import NamedTuple


class OutputStat(NamedTuple):
    """How much an attempt has written so far.

    Attributes:
        bytes: all that was written, the dropped part too.
        lines: all lines, the dropped ones and a last one without a line feed too.
        dropped: bytes that are kept no more.
        complete: the writer has said that nothing more comes. False for an attempt without output.
    """

    bytes: int
    lines: int
    dropped: int
    complete: bool


class Gap(NamedTuple):
    """Bytes from `offset` on that were written but are kept no more."""

    offset: int
    bytes: int


class Chunk(NamedTuple):
    """A range of bytes.

    Attributes:
        offset: where it begins.
        next_offset: where to go on; equal to the bytes of the output when that was its end.
        data: the kept bytes of the range, of the stream asked for.
        gaps: the dropped parts of the range.
    """

    offset: int
    next_offset: int
    data: bytes
    gaps: list[Gap]


class Line(NamedTuple):
    """One line.

    Attributes:
        number: counted from 1 over everything that was written.
        offset: of its first kept byte.
        time: UTC; when it came, to a quarter of a second or 64 KiB.
        stream: "stdout" or "stderr".
        text: without its line feed; bytes that are no UTF-8 became U+FFFD.
        cut: the line is longer than `text`, which is its beginning; where carriage returns overwrite it,
            the last part it was overwritten with stands at the end of `text`.
        ended: no more of it will come.
    """

    number: int
    offset: int
    time: datetime
    stream: str
    text: str
    cut: bool
    ended: bool


class LineChunk(NamedTuple):
    """A range of lines.

    Attributes:
        gaps: the dropped parts among them.
        next_line: where to go on.
        total: lines of the whole output.
    """

    lines: list[Line]
    gaps: list[Gap]
    next_line: int
    total: int


class Matches(NamedTuple):
    """Lines that hold what was looked for.

    Attributes:
        after_line: where to go on (pass it as `after_line`).
        complete: the whole output was searched.
    """

    lines: list[Line]
    after_line: int
    complete: bool
