"""Reading what scripts have printed, also while they print.

Offsets and line numbers count everything that was written, what has been dropped since included; an
attempt that printed nothing has no files and reads as empty. Streams are "stdout" and "stderr".
"""

import os
import shutil
from collections.abc import Iterator
from uuid import UUID

from runspaces_app.worker import output_folder
from taskhub.core.errors import BadInput
from taskhub.core.home import Home

from . import bytes_reading, line_reading, searching
from .answers import Chunk, Gap, Line, LineChunk, Matches, OutputStat
from .snapshot import Snapshot

__all__ = [
    "Chunk",
    "Gap",
    "Line",
    "LineChunk",
    "Matches",
    "OutputStat",
    "download",
    "read_bytes",
    "read_lines",
    "remove",
    "search",
    "stat",
]

LONGEST_QUERY = 1000
_MOST = 2**63 - 1


def stat(job: UUID, attempt: int) -> OutputStat:
    """How much the attempt has written so far."""
    return _snapshot(job, attempt).stat()


def read_bytes(
    job: UUID,
    attempt: int,
    *,
    offset: int,
    limit: int,
    stream: str | None = None,
    text: bool = False,
    ended: bool = False,
) -> Chunk:
    """Bytes from a logical offset on, at most `limit` and never more than 1 MiB.

    With a stream, the other one's bytes are left out of `data` and count in the offsets all the same.

    Args:
        text: end between two characters of UTF-8; the first bytes of one are left to the next call.
        ended: nothing more comes, so there is nothing to wait for at the end.

    Raises:
        BadInput: a negative number, an unknown stream.
    """
    number = _stream(stream)
    _check(offset=offset, limit=limit)
    return bytes_reading.read_bytes(
        _snapshot(job, attempt), offset=offset, limit=limit, stream=number, text=text, ended=ended
    )


def read_lines(job: UUID, attempt: int, *, line: int, lines: int, stream: str | None = None) -> LineChunk:
    """Lines from a number (first: 1) on, at most `lines`, never more than 10,000 or about 1 MiB of text.

    A line in which something was dropped shows what is left of it. A last line without a line feed is
    shown too; it may grow, so ask for it again when the output has.

    Raises:
        BadInput: a number below its least, an unknown stream.
    """
    number = _stream(stream)
    _check(line=line - 1, lines=lines)
    return line_reading.read_lines(_snapshot(job, attempt), line=line, lines=lines, stream=number)


def search(
    job: UUID, attempt: int, *, q: str, limit: int = 200, after_line: int = 0, stream: str | None = None
) -> Matches:
    """Lines behind `after_line` that hold a text; ASCII letters match without case.

    One call looks at about 64 MiB; `complete` is False when it stopped there or at `limit`.

    Raises:
        BadInput: an empty text, one longer than 1,000 characters or with a line feed, a negative number.
    """
    number = _stream(stream)
    _check(limit=limit, after_line=after_line)
    if not 0 < len(q) <= LONGEST_QUERY or "\n" in q:
        message = f"q: expected 1 to {LONGEST_QUERY} characters in one line, got {len(q)}"
        raise BadInput(message, fields={"q": message})
    return searching.search(_snapshot(job, attempt), q=q, limit=limit, after_line=after_line, stream=number)


def download(job: UUID, attempt: int, *, stream: str | None = None) -> Iterator[bytes]:
    """All that is kept, in parts of at most 64 KiB; a line of text stands where something was dropped.

    Raises:
        BadInput: an unknown stream, at the call, not at the first part.
    """
    number = _stream(stream)
    return bytes_reading.download(_snapshot(job, attempt), stream=number)


def remove(job: UUID) -> None:
    """Delete the output of all attempts of a job, and the folders of its day if they are empty then."""
    root = _root()
    path = output_folder.job_folder(root, job)
    shutil.rmtree(path, ignore_errors=True)
    for _ in ("day", "month", "year"):
        path = os.path.dirname(path)
        try:
            os.rmdir(path)
        except OSError:
            return


def _root() -> str:
    return os.fspath(Home.current().output)


def _snapshot(job: UUID, attempt: int) -> Snapshot:
    return Snapshot(output_folder.folder(_root(), job, attempt))


def _stream(name: str | None) -> int | None:
    if not name:
        return None
    if name not in output_folder.STREAMS:
        message = f"stream: expected stdout or stderr, got {name!r:.100}"
        raise BadInput(message, fields={"stream": message})
    return output_folder.STREAMS[name]


def _check(**numbers: int) -> None:
    for name, number in numbers.items():
        if not 0 <= number <= _MOST:
            least = 1 if name == "line" else 0
            message = f"{name}: expected a whole number from {least} on, got {number + least}"
            raise BadInput(message, fields={name: message})
