"""Memory, threads and handles of a process with its children."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from runspaces_app import measure
from runspaces_app.measure import Measured

pytestmark = pytest.mark.one_database

MEBIBYTE = 1 << 20
# A child with threads, descriptors and memory of its own, then a word that all is there.
GROWN = """
import subprocess, sys, threading
data = b"x" * (SIZE << 20)
for _ in range(THREADS): threading.Thread(target=threading.Event().wait, daemon=True).start()
files = [open("/dev/null") for _ in range(FILES)]
if CHILD: subprocess.Popen([sys.executable, "-c", CHILD], stdin=sys.stdin, stdout=sys.stdout)
print("grown", flush=True)
sys.stdin.read()
"""


def grow(*, size: int, threads: int, files: int, child: str = "") -> str:
    values = {"SIZE": size, "THREADS": threads, "FILES": files, "CHILD": child}
    return "\n".join(f"{name} = {value!r}" for name, value in values.items()) + GROWN


def started(code: str, words: int = 1) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(words):
        assert process.stdout.readline() == b"grown\n"
    return process


@pytest.fixture
def bare() -> Iterator[Measured]:
    """The figures of an interpreter that does nothing."""
    process = started(grow(size=0, threads=0, files=0))
    found = measure.one(process.pid)
    assert found is not None
    yield found
    process.communicate()


def test_memory_threads_and_handles_are_counted(bare: Measured) -> None:
    process = started(grow(size=40, threads=3, files=7))
    found = measure.one(process.pid)
    process.communicate()

    assert found is not None
    assert (found.threads, found.handles) == (bare.threads + 3, bare.handles + 7)
    assert 38 * MEBIBYTE < found.memory - bare.memory < 50 * MEBIBYTE


def test_children_count_as_their_runspace(bare: Measured) -> None:
    process = started(grow(size=10, threads=1, files=1, child=grow(size=30, threads=2, files=5)), words=2)
    found = measure.one(process.pid)
    process.communicate()

    assert found is not None
    assert found.threads == 2 * bare.threads + 3
    assert found.handles >= 2 * bare.handles + 6 - 1
    assert found.memory - bare.memory > 38 * MEBIBYTE


def test_pages_that_two_share_are_not_counted_twice(bare: Measured) -> None:
    """Forked from one parent and untouched since, the memory of all is little more than that of one."""
    code = "import os\ndata = b'x' * (40 << 20)\nfor _ in range(3):\n    if os.fork() == 0: break\n"
    process = started(code + GROWN.replace("SIZE", "0").replace("THREADS", "0").replace("FILES", "0")
                      .replace("CHILD", "''"), words=4)  # fmt: skip
    found = measure.one(process.pid)
    process.communicate()

    assert found is not None
    assert found.memory < bare.memory * 4 + 60 * MEBIBYTE


def test_who_is_gone_is_left_out() -> None:
    gone = subprocess.Popen([sys.executable, "-I", "-c", ""])
    gone.wait()
    living = started(grow(size=0, threads=0, files=0))

    assert measure.one(gone.pid) is None
    assert list(measure.all_of([(1, gone.pid), (2, living.pid)])) == [2]

    living.communicate()
    assert not psutil.pid_exists(living.pid)
