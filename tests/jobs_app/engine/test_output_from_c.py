"""What C code prints while it holds the interpreter's lock never waits for anybody to read."""

from collections.abc import Callable

import pytest

from jobs_app import output
from jobs_app.models import Job

from .conftest import EngineInTest

pytestmark = pytest.mark.one_database

Submit = Callable[..., Job]

SIZE = 24 * 1024 * 1024
LINE = 64
# `PyDLL` keeps the lock while it calls: no thread of the runspace can run until the call is over.
LIBRARY = f"import ctypes\nlibc = ctypes.PyDLL(None)\nline = b'x' * {LINE - 1} + b'\\n'\n"
WAYS = {
    "write": LIBRARY + f"data = line * ({SIZE} // {LINE})\nat = ctypes.create_string_buffer(data, len(data))\n"
    "done = 0\nwhile done < len(data): done += libc.write(1, ctypes.byref(at, done), len(data) - done)\n",
    "printf": LIBRARY + f"for _ in range({SIZE} // {LINE}): libc.printf(b'%s', line)\n",
    "puts, not flushed": LIBRARY + f"line = line[:-1]\nfor _ in range({SIZE} // {LINE}): libc.puts(line)\n",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_any_amount_goes_through_and_is_counted(engine: EngineInTest, submit: Submit, way: str) -> None:
    job = submit(WAYS[way] + "'done'")

    engine.run(job, timeout=60)

    assert (job.state, job.result) == ("completed", '"done"'), job.error_message
    assert (job.output_bytes, job.output_lines) == (SIZE, SIZE // LINE)
    assert job.output_dropped > 0
    kept = output.read_bytes(job.uuid, 1, offset=SIZE - LINE, limit=LINE).data
    assert kept == b"x" * (LINE - 1) + b"\n"


def test_a_reader_is_told_the_gap_and_finds_lines_behind_it(engine: EngineInTest, submit: Submit) -> None:
    number = SIZE // LINE
    job = submit(LIBRARY + f"for n in range({number}): libc.printf(b'%063d\\n', ctypes.c_int(n))")

    engine.run(job, timeout=60)

    at, kept, missing = 0, 0, 0
    while at < SIZE:
        chunk = output.read_bytes(job.uuid, 1, offset=at, limit=SIZE)
        assert chunk.next_offset > at
        at, kept = chunk.next_offset, kept + len(chunk.data)
        missing += sum(gap.bytes for gap in chunk.gaps)
    assert (missing, kept + missing) == (job.output_dropped, SIZE)
    (last,) = output.read_lines(job.uuid, 1, line=number, lines=1).lines
    assert (last.number, int(last.text)) == (number, number - 1)
