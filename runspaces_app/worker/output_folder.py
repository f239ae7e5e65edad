"""Where the output of an attempt lies and what its files hold. Standard library only.

A folder per attempt, `<yyyy>/<mm>/<dd>/<job uuid>/<attempt>/`, with two files for each segment:

    00000000000001048576.log    the bytes, named by the logical offset of the first
    00000000000001048576.idx    entries of 32 bytes, in the order of their offsets

Offsets and line numbers count every byte that was written, the dropped ones too: where one segment
ends before the next begins, the bytes between were dropped. Stdout and stderr share one sequence;
an entry stands at each change between them. A line is a run of bytes of one stream up to and with
its line feed, or up to where the other stream begins or the output ends. Lines count from 1.

An entry is written before the bytes it describes, so a reader that takes the length of the bytes
first and the entries afterwards never meets a byte whose stream it does not know. Entries that point
behind the last byte of their segment say nothing.
"""

import os
import struct
import time
from typing import NamedTuple
from uuid import UUID

SEGMENT_BYTES = 1024 * 1024
HEAD_SEGMENTS = 2
ENTRY_EVERY_BYTES = 64 * 1024
ENTRY_EVERY_MICROSECONDS = 250_000

DATA, INDEX = ".log", ".idx"
END, STDOUT, STDERR = 0, 1, 2
STREAMS = {"stdout": STDOUT, "stderr": STDERR}

# A power of two: an entry never straddles two pages, so a reader beside the writer sees it whole.
ENTRY = struct.Struct("<QQqB?6x")


class Entry(NamedTuple):
    """One place in the output.

    Attributes:
        offset: logical offset of a byte.
        line: number of the line that holds this byte; in an END entry the count of lines.
        time: microseconds since 1970 when the byte came.
        stream: STDOUT, STDERR, or END: nothing more comes, `offset` is the number of bytes.
        fresh: the byte is the first of its line.
    """

    offset: int
    line: int
    time: int
    stream: int
    fresh: bool


def folder(root: str | os.PathLike[str], job: UUID, attempt: int) -> str:
    """Path of an attempt's folder below `root`; it exists only if something was written."""
    return os.path.join(job_folder(root, job), str(int(attempt)))


def job_folder(root: str | os.PathLike[str], job: UUID) -> str:
    """Path of the folder that holds all attempts of a job; its date is that of the job's UUIDv7, in UTC."""
    day = time.gmtime((job.int >> 80) / 1000)
    return os.path.join(
        os.fspath(root), f"{day.tm_year:04}", f"{day.tm_mon:02}", f"{day.tm_mday:02}", str(job)
    )


def segment_name(offset: int) -> str:
    """Name of a segment's files without their suffix."""
    return f"{offset:020}"


def segment_offsets(names: list[str]) -> list[int]:
    """Offsets of the segments among the names of a folder, ascending."""
    return sorted(
        int(name[:20]) for name in names if len(name) == 24 and name.endswith(DATA) and name[:20].isdigit()
    )


def entries(data: bytes) -> list[Entry]:
    """Entries of an index file; a last one that is only half there is left out."""
    whole = len(data) - len(data) % ENTRY.size
    return [Entry(*fields) for fields in ENTRY.iter_unpack(data[:whole])]
