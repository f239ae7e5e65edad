"""Waiting for a job at a terminal: its output as it comes, or how far it is."""

import sys
import time
from collections.abc import Callable
from typing import BinaryIO, TextIO
from uuid import UUID

from django.db import connection

from jobs_app import output
from jobs_app.models import Job
from jobs_app.output import Chunk
from jobs_app.states import JobState
from taskhub.core.console import Bar, coloured

LOOK_SECONDS = 0.1
CHUNK_BYTES = 256 * 1024


class Tail:
    """Prints the output of a job from where it stands, attempt by attempt.

    To a terminal without what it would obey; to a pipe or file byte by byte as it was written.
    """

    def __init__(self, job: UUID, *, attempt: int, offset: int = 0, out: TextIO, notes: TextIO) -> None:
        self._job = job
        self._attempt = attempt
        self._offset = offset
        self._out = out
        self._notes = notes
        self._bytes: BinaryIO | None = None if out.isatty() else getattr(out, "buffer", None)
        self._half = b""

    def print_new(self, attempt: int) -> bool:
        """Print what has come by now, of this attempt and of those before it; False if nothing was new."""
        new = False
        while True:
            new = self._drain() or new
            if self._attempt >= attempt:
                return new
            self._attempt, self._offset, self._half = self._attempt + 1, 0, b""
            self._note(f"attempt {self._attempt}")

    def _drain(self) -> bool:
        new = False
        while True:
            chunk = output.read_bytes(self._job, self._attempt, offset=self._offset, limit=CHUNK_BYTES)
            if chunk.next_offset == self._offset:
                return new
            self._print(chunk)
            self._offset, new = chunk.next_offset, True

    def _print(self, chunk: Chunk) -> None:
        for gap in chunk.gaps:
            self._note(f"{gap.bytes} bytes are kept no more")
        if self._bytes is not None:
            self._bytes.write(chunk.data)
            self._bytes.flush()
            return
        # A character may be cut in two by the end of the chunk.
        data = self._half + chunk.data
        text = data.decode("utf-8", "replace")
        self._half = b""
        if text.endswith("\N{REPLACEMENT CHARACTER}") and (cut := _cut(data)):
            data, self._half = data[:-cut], data[-cut:]
            text = data.decode("utf-8", "replace")
        self._out.write(coloured(text))
        self._out.flush()

    def _note(self, words: str) -> None:
        self._notes.write(f"[{words}]\n")
        self._notes.flush()


def _cut(data: bytes) -> int:
    """How many bytes at the end begin a character that is not complete."""
    for back in range(1, min(4, len(data)) + 1):
        first = data[-back]
        if first >= 0xC0:
            needed = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return back if back < needed else 0
        if first < 0x80:
            return 0
    return 0


def wait(
    job: UUID,
    *,
    tail: Tail | None = None,
    notes: TextIO = sys.stderr,
    sleep: Callable[[float], None] = time.sleep,
) -> Job:
    """Wait for the end of a job, with its output or a bar, and return its row.

    Raises:
        Job.DoesNotExist: it was removed meanwhile.
    """
    bar = Bar(notes)
    while True:
        row = Job.objects.get(pk=job)
        if tail is not None:
            bar.clear()
            tail.print_new(row.attempt)
        if row.is_terminal:
            bar.clear()
            return row
        if tail is None:
            bar.show(row.percent, f"{_standing(row)}  {row.status_message}")
        # No transaction is left open while nobody looks at it.
        connection.close_if_unusable_or_obsolete()
        sleep(LOOK_SECONDS)


def _standing(job: Job) -> str:
    if job.is_stopping:
        return "stopping"
    return f"queued, waits for {job.waiting_for}" if job.state == JobState.QUEUED else str(job.state)


def exit_code(job: Job) -> int:
    """0 if it completed; else the script's own exit code, or 1 if it has none that a shell can tell."""
    if job.state == JobState.COMPLETED:
        return 0
    return job.exit_code if job.exit_code is not None and 1 <= job.exit_code <= 255 else 1


def outcome(job: Job) -> str:
    """How it ended, in a line."""
    said = {"completed": "completed", "failed": "failed", "stopped": "was stopped"}[str(job.state)]
    why = f" ({job.reason})" if job.reason else ""
    error = f": {job.error_type}: {job.error_message}" if job.error_type or job.error_message else ""
    took = f" after {job.duration:.1f} s" if job.duration is not None else ""
    return f"{job.name} {said}{why}{took}{error}"
