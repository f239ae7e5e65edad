"""Reading beside a writer at full speed: nothing torn, whatever is asked, whatever is dropped meanwhile."""

import random
import threading
import time

import pytest

from jobs_app import output
from tests.runspaces_app.writer.conftest import job_id
from tests.support import wait_until

MIB = 1024 * 1024
JOB = job_id(1)
LINE = 10
# Every thousand lines one on stderr, so that the streams change all the time.
TOTAL = 8_000_000


def line(number):
    return b"%09d\n" % number


class Printing:
    """A job that prints its line numbers, in a thread of this process."""

    def __init__(self, runspace, cap):
        runspace.begin(JOB, cap=cap)
        self._runspace = runspace
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._print, name="prints")
        self._thread.start()

    def _print(self):
        number = 1
        while number < TOTAL and not self._stop.is_set():
            self._runspace.write(b"".join(line(number + k) for k in range(999)))
            wait_until(lambda: not self._runspace.unread(self._runspace.writes[0]), interval=0)
            self._runspace.write(line(number + 999), stream=2)
            wait_until(lambda: not self._runspace.unread(self._runspace.writes[1]), interval=0)
            number += 1000

    def end(self):
        self._stop.set()
        self._thread.join()
        return self._runspace.finish()


@pytest.mark.parametrize("cap", [-1, 10 * MIB, 300_000])
def test_every_answer_is_right_while_the_output_grows(cap, runspace):
    printing = Printing(runspace, cap)
    chance = random.Random(7)  # noqa: S311 - a seed for repeatable places
    asked = 0
    seen = output.OutputStat(0, 0, 0, False)
    until = time.monotonic() + 4
    try:
        wait_until(lambda: output.stat(JOB, 1).bytes > 100_000)
        while time.monotonic() < until:
            before, seen = seen, output.stat(JOB, 1)
            assert seen.bytes >= before.bytes
            assert seen.lines * LINE == seen.bytes or seen.lines == seen.bytes // LINE + 1
            check_bytes(chance.choice([0, chance.randrange(seen.bytes), max(0, seen.bytes - 5000)]), seen)
            check_lines(chance.choice([1, chance.randrange(1, seen.lines), max(1, seen.lines - 50)]), seen)
            asked += 1
    finally:
        answer = printing.end()
    assert asked > 20
    stat = output.stat(JOB, 1)
    assert stat == output.OutputStat(answer["bytes"], answer["lines"], answer["dropped"], True)
    assert stat.lines * LINE == stat.bytes


def check_bytes(offset, seen):
    chunk = output.read_bytes(JOB, 1, offset=offset, limit=50_000)
    assert chunk.data or chunk.gaps
    assert chunk.next_offset - offset == len(chunk.data) + sum(gap.bytes for gap in chunk.gaps)
    position, data = offset, chunk.data
    for gap in [*chunk.gaps, output.Gap(chunk.next_offset, 0)]:
        part, data = data[: gap.offset - position], data[gap.offset - position :]
        first = position // LINE
        expected = b"".join(line(first + k + 1) for k in range(len(part) // LINE + 2))
        assert part == expected[position - first * LINE :][: len(part)]
        position = gap.offset + gap.bytes


def check_lines(number, seen):
    chunk = output.read_lines(JOB, 1, line=number, lines=60)
    # With a small cap all that was listed may be dropped before it is opened: a gap up to the end.
    assert chunk.lines or chunk.gaps
    assert chunk.total >= seen.lines
    for one in chunk.lines:
        assert one.number >= number
        whole = one.offset == (one.number - 1) * LINE
        text = f"{one.number:09}"
        # Shortened where a drop cut into it, or while it comes in.
        assert one.text == text if whole and one.ended else one.text in text
        if one.ended:
            assert one.stream == ("stderr" if one.number % 1000 == 0 else "stdout")


def test_a_download_beside_a_dropping_writer_ends_and_says_what_is_missing(runspace):
    printing = Printing(runspace, 300_000)
    try:
        wait_until(lambda: output.stat(JOB, 1).dropped > 0)
        parts = output.download(JOB, 1)
        data = next(parts)
        size = output.stat(JOB, 1).bytes
        wait_until(lambda: output.stat(JOB, 1).bytes > size + 1_000_000)
        data += b"".join(parts)
    finally:
        printing.end()
    assert data.startswith(line(1))
    assert b"bytes were dropped here]\n" in data


def test_a_follower_by_next_line_misses_and_doubles_nothing(runspace):
    printing = Printing(runspace, -1)
    numbers = []
    following = 1
    try:
        while following < 20_000:
            chunk = output.read_lines(JOB, 1, line=following, lines=500)
            # A line that still grows is left for the next look.
            whole = [one for one in chunk.lines if one.ended]
            numbers += [int(one.text) for one in whole]
            following = whole[-1].number + 1 if whole else following
    finally:
        printing.end()
    assert numbers == list(range(1, following))
