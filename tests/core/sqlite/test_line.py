"""The line itself, without a database."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taskhub.core.sqlite.line import Line, LineTimeout, holder
from tests.support import wait_until

pytestmark = pytest.mark.one_database


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Line]]:
    made: list[Line] = []

    def make_line(timeout: float = 20.0) -> Line:
        made.append(Line(str(tmp_path / "run"), timeout=timeout))
        return made[-1]

    yield make_line
    for line in made:
        line.close()


def free(make: Callable[..., Line]) -> bool:
    other = make(timeout=0.01)
    try:
        other.enter()
    except LineTimeout:
        return False
    other.close()
    return True


def waiting() -> int:
    """How many threads wait for a lock, or are about to."""
    return sum(thread.name == "writers-line" for thread in threading.enumerate())


def blocked(folder: Path) -> int:
    """How many requests the kernel has queued at the two locks."""
    inodes = {f":{path.stat().st_ino} " for path in (folder / "run").iterdir()}
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and any(inode in line for inode in inodes) for line in lines)


def test_one_holds_it_at_a_time(make):
    line = make()
    line.enter()
    assert line.held
    assert not free(make)
    line.leave()
    assert free(make)


def test_entering_and_leaving_twice_is_harmless(make):
    line = make()
    line.enter()
    line.enter()
    line.leave()
    line.leave()
    assert free(make)


def test_closing_lets_the_next_one_in_and_the_line_can_be_entered_again(make):
    line = make()
    line.enter()
    line.close()
    assert free(make)
    line.enter()
    assert not free(make)


def test_a_line_nobody_refers_to_any_more_is_free(make, tmp_path):
    line = Line(str(tmp_path / "run"), timeout=1)
    line.enter()
    del line
    assert free(make)


def test_waiting_ends_with_the_time_out_and_leaves_nothing_behind(make):
    holder, late = make(), make(timeout=0.05)
    holder.enter()
    before = time.monotonic()
    with pytest.raises(LineTimeout, match=r"write\.lock: held by another writer"):
        late.enter()
    assert 0.05 <= time.monotonic() - before < 5
    holder.leave()
    wait_until(lambda: waiting() == 0)
    late.enter()
    assert late.held


def test_who_gave_up_does_not_hold_up_those_behind(make):
    holder, gives_up, next_one = make(), make(timeout=0.05), make()
    holder.enter()
    with pytest.raises(LineTimeout):
        gives_up.enter()
    thread = threading.Thread(target=next_one.enter)
    thread.start()
    holder.leave()
    thread.join(10)
    assert next_one.held


def test_writers_come_in_the_order_they_asked(make, tmp_path):
    holder = make()
    holder.enter()
    order: list[int] = []

    def write(number: int) -> None:
        line = make()
        line.enter()
        order.append(number)
        line.leave()

    threads = []
    for number in range(12):
        thread = threading.Thread(target=write, args=(number,))
        thread.start()
        threads.append(thread)
        wait_until(lambda: blocked(tmp_path) == len(threads))
    holder.leave()
    for thread in threads:
        thread.join(10)
    assert order == list(range(12))


def test_who_has_just_written_goes_behind_who_waits(make, tmp_path):
    greedy, patient = make(), make()
    turns: list[str] = []
    greedy.enter()

    def wait() -> None:
        patient.enter()
        turns.append("patient")
        patient.leave()

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: blocked(tmp_path) == 1)
    greedy.leave()
    greedy.enter()
    turns.append("greedy")
    greedy.leave()
    thread.join(10)
    assert turns == ["patient", "greedy"]


def test_a_killed_holder_frees_it(make):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        line = make()
        line.enter()
        os.write(writer, b"x")
        signal.pause()
    os.read(reader, 1)
    assert not free(make)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert free(make)
    os.close(reader)
    os.close(writer)


def test_a_forked_child_neither_frees_it_nor_keeps_it(make):
    line = make()
    line.enter()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        line.leave()
        line.close()
        os.write(writer, b"1" if not line.held else b"0")
        signal.pause()
    assert os.read(reader, 1) == b"1"
    assert not free(make), "the child freed its parent's place"
    line.leave()
    assert free(make), "the child kept its parent's place"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("moment", ["starting", "waiting"])
def test_an_exception_while_waiting_gives_the_place_up(make, monkeypatch, moment):
    holder, interrupted = make(), make()
    holder.enter()
    wait = threading.Event.wait

    def interrupt(self: threading.Event, timeout: float | None = None) -> bool:
        # Starting a thread waits for it without a time limit.
        if timeout is not None or moment == "starting":
            raise KeyboardInterrupt
        return wait(self, timeout)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("taskhub.core.sqlite.line.threading.Event.wait", interrupt)
        interrupted._wait(interrupted._open("write.lock"), "write.lock", time.monotonic() + 10)
    holder.leave()
    wait_until(lambda: waiting() == 0)
    assert free(make)


def test_removed_lock_files_are_made_anew_and_shared_again(make, tmp_path):
    line = make()
    line.enter()
    line.leave()
    for name in ("queue.lock", "write.lock"):
        (tmp_path / "run" / name).unlink()
    other = make()
    other.enter()
    late = threading.Thread(target=line.enter)
    late.start()
    wait_until(lambda: waiting() == 1)
    assert not line.held
    other.leave()
    late.join(10)
    assert line.held


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        Line(str(tmp_path / "file" / "run"), timeout=1).enter()


def test_the_files_are_their_owners_alone(make, tmp_path):
    make().enter()
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "run").iterdir()} == {0o600}


def test_who_may_write_is_known_to_everybody(make, tmp_path):
    folder = str(tmp_path / "run")
    assert holder(folder) == 0
    line = make()
    line.enter()
    assert holder(folder) == os.getpid()
    line.leave()
    assert holder(folder) == 0


def test_it_says_whether_others_stood_before(make):
    mine, theirs = make(), make()
    mine.enter()
    assert not mine.waited
    entering = threading.Thread(target=theirs.enter)
    entering.start()
    wait_until(lambda: theirs.waited, 5, "the other one has met us")
    mine.leave()
    entering.join(5)
    assert theirs.held
    theirs.leave()
    theirs.enter()
    assert not theirs.waited
