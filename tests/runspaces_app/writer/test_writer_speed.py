"""A hundred megabytes through one pipe: fast, in little memory, with a reader beside it."""

import threading

import pytest

from jobs_app import output
from tests.runspaces_app.writer.conftest import job_id

JOB = job_id(1)
SIZE = 100_000_000
PRINT = """
import os, sys
line = b'%09d and what is told about it, up to a usual length of some eighty letters\\n'
block = b''.join(line % n for n in range(800))
left = int(sys.argv[2])
while left > 0:
    left -= os.write(int(sys.argv[1]), block[:left])
"""


@pytest.mark.parametrize("cap", [10 * 1024 * 1024, -1])
def test_a_hundred_megabytes(cap, engine, runspace, spawn):
    runspace.begin(JOB, cap=cap)
    before = engine.cpu_ticks()
    printing = spawn(PRINT, runspace.writes[0], SIZE)
    asked = 0
    while printing.poll() is None:
        stat = output.stat(JOB, 1)
        output.read_lines(JOB, 1, line=max(1, stat.lines - 100), lines=100)
        asked += 1
    answer = runspace.finish()
    seconds = (engine.cpu_ticks() - before) / 100
    assert printing.returncode == 0
    assert answer["bytes"] == SIZE
    assert (answer["dropped"] > 0) == (cap > 0)
    assert asked > 5
    # Its own processor time, not the clock on the wall: other processes of this machine do not count.
    assert seconds < 1.0
    with open(f"/proc/{engine.process.pid}/status") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    assert peak < 40_000
    output.remove(JOB)


def test_a_script_never_waits_for_somebody_to_read(engine, runspace):
    """Nobody asks for the output and nobody finishes it; ten times the pipe goes through all the same."""
    runspace.begin(JOB)
    writing = threading.Thread(target=runspace.write, args=(b"x" * 10_000_000,), name="writes")
    writing.start()
    writing.join(30)
    assert not writing.is_alive()
