"""Waiting for a job at a terminal: its output as it comes, or how far it is."""

import codecs
import sys
import time
from collections.abc import Callable
from typing import BinaryIO, TextIO
from uuid import UUID

from django.db import connection

from jobs_app import output
from jobs_app.engine import heartbeat
from jobs_app.models import Engine, Job
from jobs_app.output import Chunk
from jobs_app.states import JobState
from taskhub.core.clock import SYSTEM, Clock
from taskhub.core.console import Bar, as_json, coloured, whole

LOOK_SECONDS = 0.1
HINT_SECONDS = 2.0
CHUNK_BYTES = 256 * 1024


class Tail:
    """Prints the output of a job from where it stands, attempt by attempt.

    To a terminal without what it would obey; to a pipe or file byte by byte as it was written.

    Args:
        offset: where to begin in `attempt`, in bytes.
        as_json: print ranges instead, an object a line, with where to go on.
        before: called before anything is printed.
    """

    def __init__(
        self,
        job: UUID,
        *,
        attempt: int,
        offset: int = 0,
        out: TextIO,
        notes: TextIO,
        as_json: bool = False,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._job = job
        self._attempt = attempt
        self._offset = offset
        self._out = out
        self._notes = notes
        self._as_json = as_json
        self._before = before
        self._bytes: BinaryIO | None = None if out.isatty() or as_json else getattr(out, "buffer", None)
        self._restart()

    def _restart(self) -> None:
        self.at_line_start = True
        self._half = ""
        # A character may be cut in two by the end of a range.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def print_new(self, attempt: int) -> None:
        """Print what has come by now, of this attempt and of those before it."""
        self._drain()
        while self._attempt < attempt:
            self._attempt, self._offset = self._attempt + 1, 0
            self._restart()
            self._note(f"attempt {self._attempt}")
            self._drain()

    def _drain(self) -> None:
        while True:
            chunk = output.read_bytes(self._job, self._attempt, offset=self._offset, limit=CHUNK_BYTES)
            if chunk.next_offset == self._offset:
                return
            self._before()
            if self._as_json:
                self._print_range(chunk)
            else:
                self._print(chunk)
            self._offset = chunk.next_offset

    def _print_range(self, chunk: Chunk) -> None:
        shown = {
            "attempt": self._attempt,
            "offset": chunk.offset,
            "next_offset": chunk.next_offset,
            "gaps": [gap._asdict() for gap in chunk.gaps],
            "text": self._decoder.decode(chunk.data),
        }
        self._out.write(as_json(shown) + "\n")
        self._out.flush()

    def _print(self, chunk: Chunk) -> None:
        done, left_out = 0, 0
        for gap in chunk.gaps:
            # Where it stands among the bytes that are kept.
            place = gap.offset - chunk.offset - left_out
            self._write(chunk.data[done:place])
            self._note(f"{gap.bytes} bytes are kept no more")
            done, left_out = place, left_out + gap.bytes
        self._write(chunk.data[done:])

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self.at_line_start = data.endswith(b"\n")
        if self._bytes is not None:
            self._bytes.write(data)
            self._bytes.flush()
            return
        text, self._half = whole(self._half + self._decoder.decode(data))
        self._out.write(coloured(text))
        self._out.flush()

    def _note(self, words: str) -> None:
        if self._as_json:
            return
        self._before()
        self._notes.write(f"[{words}]\n")
        self._notes.flush()


def wait(
    job: UUID,
    *,
    tail: Callable[[Bar], Tail] | None = None,
    notes: TextIO | None = None,
    clock: Clock = SYSTEM,
) -> Job:
    """Wait for the end of a job, with its output, and a bar where a person waits; return its row.

    Args:
        tail: makes what prints the output; gets the bar that is out of its way.

    Raises:
        Job.DoesNotExist: it was removed meanwhile.
    """
    notes = notes or sys.stderr
    bar = Bar(notes)
    printer = tail(bar) if tail is not None else None
    hint_at: float | None = clock.monotonic() + HINT_SECONDS
    while True:
        row = Job.objects.get(pk=job)
        if printer is not None:
            printer.print_new(row.attempt)
        if row.is_terminal:
            bar.clear()
            return row
        if printer is None or printer.at_line_start:
            bar.show(row.percent, f"{_standing(row)}  {row.status_message}")
        if hint_at is not None and clock.monotonic() >= hint_at:
            hint_at = None
            if row.state == JobState.QUEUED and not engine_lives(clock):
                bar.clear()
                notes.write("No engine runs at the moment; `taskhub up` starts one.\n")
                notes.flush()
        # No connection that has died is asked again.
        connection.close_if_unusable_or_obsolete()
        time.sleep(LOOK_SECONDS)


def engine_lives(clock: Clock) -> bool:
    """Whether anything would start a job that is queued."""
    engines = Engine.objects.filter(state=Engine.State.RUNNING)
    return any(not heartbeat.is_dead(engine, clock=clock) for engine in engines)


def _standing(job: Job) -> str:
    if job.is_stopping:
        return "stopping"
    # One that has a runspace already waits for nothing, and starts in a moment.
    return f"queued, waits for {job.waiting_for}" if job.waiting_for else str(job.state)


def exit_code(job: Job) -> int:
    """0 if it completed; else the script's own exit code, or 1 if it has none that a shell can tell."""
    if job.state == JobState.COMPLETED:
        return 0
    return job.exit_code if job.exit_code is not None and 1 <= job.exit_code <= 255 else 1


def outcome(job: Job) -> str:
    """How it ended, in a line."""
    end = {"completed": "completed", "failed": "failed", "stopped": "was stopped"}[str(job.state)]
    why = f" ({job.reason})" if job.reason else ""
    error = "".join(f": {said}" for said in (job.error_type, job.error_message) if said)
    took = f" after {job.duration:.1f} s" if job.duration is not None else ""
    return f"{job.name} {end}{why}{took}{error}"
