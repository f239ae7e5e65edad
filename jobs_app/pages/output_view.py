"""A stretch of a job's output as it stands when the page is asked for."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.http import QueryDict

from jobs_app import output
from jobs_app.models import Job
from jobs_app.states import JobState

from .ansi import Run, runs

LINES = 500
STREAMS = {"": "All", "stdout": "Output", "stderr": "Errors"}


class Shown(NamedTuple):
    """One line, or a gap before the line `number` if `gap` counts bytes that are kept no more."""

    number: int
    time: datetime | None
    is_error: bool
    runs: list[Run]
    cut: bool = False
    gap: int = 0


class OutputView(NamedTuple):
    """What the output panel shows.

    Attributes:
        first, last: numbers of the first and last line shown; 0 if none is.
        is_last: no attempt came after it, so it may still grow.
        total: lines of the whole attempt.
        earlier, later: line to ask for to go on in that direction; None where there is nothing.
        at_end: the last line is in it.
        words: why there is nothing to see; "" if there is something.
    """

    attempt: int
    attempts: list[int]
    is_last: bool
    stream: str
    lines: list[Shown]
    first: int
    last: int
    total: int
    bytes: int
    dropped: int
    earlier: int | None
    later: int | None
    at_end: bool
    words: str


class Tabs(NamedTuple):
    """The attempts of a job, and the one that is shown."""

    attempt: int
    attempts: list[int]


def tabs(job: Job, asked: QueryDict) -> Tabs:
    """The last attempt is shown unless `?attempt=` asks for another."""
    attempt = _number(asked.get("attempt"), least=1, most=job.attempt) or job.attempt
    return Tabs(attempt, list(range(1, job.attempt + 1)))


def view(job: Job, asked: QueryDict) -> OutputView:
    """The end of the output, or from the line on that `?line=` asks for; anything odd counts as not asked."""
    attempt, attempts = tabs(job, asked)
    stream = asked.get("stream", "")
    stream = stream if stream in STREAMS else ""
    written = output.stat(job.uuid, attempt)
    last_page = max(1, written.lines - LINES + 1)
    line = _number(asked.get("line"), least=1, most=max(1, written.lines)) or last_page
    shown, behind = _lines(job.uuid, attempt, line, stream) if written.lines else ([], 1)
    numbers = [item.number for item in shown if not item.gap]
    first, last = (numbers[0], numbers[-1]) if numbers else (0, 0)
    later = behind if line < behind <= written.lines else None
    return OutputView(
        attempt=attempt,
        attempts=attempts,
        is_last=attempt == job.attempt,
        stream=stream,
        lines=shown,
        first=first,
        last=last,
        total=written.lines,
        bytes=written.bytes,
        dropped=written.dropped,
        earlier=max(1, line - LINES) if line > 1 else None,
        later=later,
        at_end=later is None,
        words="" if shown else _why_empty(job, written, stream),
    )


def _lines(job: UUID, attempt: int, line: int, stream: str) -> tuple[list[Shown], int]:
    """The lines with the gaps among them, and the number of the line behind them."""
    chunk = output.read_lines(job, attempt, line=line, lines=LINES, stream=stream or None)
    shown: list[Shown] = []
    gaps = sorted(chunk.gaps)
    for entry in chunk.lines:
        while gaps and gaps[0].offset <= entry.offset:
            shown.append(Shown(entry.number, None, False, [], gap=gaps.pop(0).bytes))
        # Behind a carriage return stands the end of the line, whole.
        cut = entry.cut and "\r" not in entry.text
        shown.append(Shown(entry.number, entry.time, entry.stream == "stderr", runs(entry.text), cut))
    shown.extend(Shown(chunk.next_line, None, False, [], gap=gap.bytes) for gap in gaps)
    return shown, chunk.next_line


def _why_empty(job: Job, written: output.OutputStat, stream: str) -> str:
    if written.lines:
        return "Nothing was written to this stream here."
    if job.state == JobState.CREATED:
        return "The job has not been started."
    if job.state == JobState.QUEUED:
        return "The job waits; it has written nothing yet."
    if job.state == JobState.RUNNING:
        return "No output yet."
    if job.output_bytes:
        return "The output was removed."
    return "This job wrote no output."


def _number(text: str | None, *, least: int, most: int) -> int | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return min(max(int(text), least), most)
