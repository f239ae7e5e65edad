"""What the writer keeps, counts and answers, seen by its two peers."""

import os
import signal
import threading
from functools import partial

import pytest

from jobs_app import output
from runspaces_app.worker.output_folder import folder
from tests.runspaces_app.writer.conftest import job_id, receive, send, settled_down
from tests.support import wait_until

MIB = 1024 * 1024
JOB = job_id(1)


def has(stat):
    return output.stat(JOB, 1) == stat


def printed(size):
    return output.stat(JOB, 1).bytes == size


def test_a_job_that_prints_has_its_output(runspace):
    runspace.begin(JOB)
    runspace.write(b"one\ntwo\n")
    answer = runspace.finish()
    assert (answer["bytes"], answer["lines"], answer["dropped"]) == (8, 2, 0)
    assert (answer["job"], answer["attempt"], answer["preview"]) == (JOB.hex, 1, "one\ntwo\n")
    assert output.stat(JOB, 1) == (8, 2, 0, True)
    assert not runspace.mark.dirty


def test_no_output_no_file(home, runspace):
    runspace.begin(JOB)
    assert runspace.silent()
    assert runspace.finish()["bytes"] == 0
    assert list((home / "output").iterdir()) == []


def test_output_is_readable_while_the_job_runs(runspace):
    runspace.begin(JOB)
    for count in range(1, 20):
        runspace.write(b"line\n")
        wait_until(partial(has, output.OutputStat(5 * count, count, 0, False)))
    runspace.write(b"no line feed")
    wait_until(lambda: output.stat(JOB, 1).bytes == 107)
    last = output.read_lines(JOB, 1, line=20, lines=10).lines
    assert [(line.text, line.ended) for line in last] == [("no line feed", False)]


def test_the_streams_are_told_apart_and_keep_their_order(runspace):
    runspace.begin(JOB)
    written = 0
    for number in range(50):
        runspace.write(b"%d\n" % number, stream=1 + number % 2)
        written += len(b"%d\n" % number)
        # The order between two pipes is the order in which they are read.
        wait_until(partial(printed, written), interval=0.001)
    runspace.finish()
    lines = output.read_lines(JOB, 1, line=1, lines=100).lines
    assert [line.text for line in lines] == [str(number) for number in range(50)]
    assert [line.stream for line in lines] == ["stdout", "stderr"] * 25
    odd = output.read_bytes(JOB, 1, offset=0, limit=MIB, stream="stderr").data
    assert odd == b"".join(b"%d\n" % number for number in range(1, 50, 2))


def test_jobs_one_after_the_other_each_have_their_own(runspace):
    for number in range(300):
        runspace.begin(job_id(number))
        runspace.write(b"%d" % number)
        assert runspace.finish()["bytes"] == len(str(number))
    for number in range(300):
        assert b"".join(output.download(job_id(number), 1)) == b"%d" % number


def test_two_attempts_of_a_job_have_two_outputs(runspace):
    for attempt in (1, 2):
        runspace.begin(JOB, attempt=attempt)
        runspace.write(b"attempt %d" % attempt)
        runspace.finish()
    assert b"".join(output.download(JOB, 2)) == b"attempt 2"


def test_finish_may_be_asked_twice(runspace):
    runspace.begin(JOB)
    runspace.write(b"text")
    assert runspace.finish() == runspace.finish()


def test_a_second_finish_that_comes_late_does_not_end_the_next_job(runspace):
    runspace.begin(JOB)
    first = runspace.mark.read()
    runspace.write(b"one")
    answer = runspace.finish()
    runspace.begin(job_id(2))
    runspace.write(b"two ")
    wait_until(lambda: output.stat(job_id(2), 1).bytes == 4)
    runspace.ask_to_finish(first)
    assert receive(runspace.sock) == answer
    runspace.write(b"three")
    assert runspace.finish()["preview"] == "two three"


def test_finish_may_leave_the_job_out(runspace):
    runspace.begin(JOB)
    runspace.write(b"text")
    send(runspace.sock, {"finish": 1})
    assert receive(runspace.sock)["job"] == JOB.hex


def test_what_comes_after_the_end_is_nobodys(runspace, engine):
    runspace.begin(JOB)
    runspace.write(b"mine")
    runspace.finish()
    runspace.write(b"of somebody left behind")
    settled_down(engine)
    runspace.begin(job_id(2))
    runspace.write(b"next")
    assert runspace.finish()["preview"] == "next"
    assert output.stat(JOB, 1) == (4, 1, 0, True)


def test_silent_and_printing_jobs_are_never_mixed_up(runspace):
    """The race of the dirty byte: thousands of jobs, every other one silent, none waits for the writer."""
    printed = 0
    for number in range(12_000):
        runspace.begin(job_id(number))
        prints = number % 2 == 0
        if prints:
            runspace.write(b"%d\n" % number, stream=1 + number // 2 % 2)
        if runspace.silent():
            assert not prints, f"job {number} printed and was taken for silent"
        else:
            answer = runspace.finish()
            expected = (job_id(number).hex, b"%d\n" % number if prints else b"")
            assert (answer["job"], answer["preview"].encode()) == expected
            printed += prints
    assert printed == 6000
    for number in range(0, 12_000, 97):
        assert b"".join(output.download(job_id(number), 1)) == (b"%d\n" % number if number % 2 == 0 else b"")


def test_a_cap_keeps_the_head_and_the_newest(home, runspace):
    runspace.begin(JOB, cap=10 * MIB)
    line = b"%09d\n"
    total = 4 * MIB * 10
    for start in range(0, total // 10, 10_000):
        runspace.write(b"".join(line % number for number in range(start, min(start + 10_000, total // 10))))
    answer = runspace.finish()
    assert (answer["bytes"], answer["lines"]) == (total, total // 10)
    stat = output.stat(JOB, 1)
    assert stat == output.OutputStat(total, total // 10, answer["dropped"], True)
    assert 8 * MIB < total - stat.dropped <= 10 * MIB

    head = output.read_lines(JOB, 1, line=1, lines=5)
    assert [line.text for line in head.lines] == [f"{number:09}" for number in range(5)]
    kept = output.read_bytes(JOB, 1, offset=2 * MIB - 10, limit=20)
    [gap] = kept.gaps
    assert gap == output.Gap(2 * MIB, answer["dropped"])
    assert output.read_lines(JOB, 1, line=total // 10 - 1, lines=5).lines[-1].text == f"{total // 10 - 1:09}"
    behind = output.read_lines(JOB, 1, line=300_000, lines=2)
    assert behind.gaps == [gap]
    # The first line behind the gap shows what is left of it.
    first, second = behind.lines
    assert first.offset == gap.offset + gap.bytes
    assert second.text == f"{second.number - 1:09}"
    on_disk = sum(file.stat().st_size for file in (home / "output").rglob("*.log"))
    assert on_disk == total - stat.dropped


@pytest.mark.parametrize("cap", [0, 1, 20_480, 100_000])
def test_small_caps_hold(cap, home, runspace):
    runspace.begin(JOB, cap=cap)
    runspace.write(b"0123456789abcdef" * 30_000)
    answer = runspace.finish()
    kept = sum(file.stat().st_size for file in (home / "output").rglob("*.log"))
    assert answer["bytes"] == 480_000
    assert kept == 480_000 - answer["dropped"]
    assert kept <= (max(cap, 20_480) if cap else 0)
    assert (kept > 0) == (cap > 0)


def test_without_a_cap_everything_is_kept(runspace):
    runspace.begin(JOB, cap=-1)
    part = bytes(range(256)) * 4096
    for _ in range(15):
        runspace.write(part)
    assert runspace.finish()["dropped"] == 0
    assert b"".join(output.download(JOB, 1)) == part * 15


def test_streams_that_change_with_every_byte_stay_below_the_cap(home, runspace, engine):
    cap = 200_000
    runspace.begin(JOB, cap=cap)
    for _ in range(20_000):
        runspace.write(b"a", stream=1)
        runspace.write(b"b", stream=2)
    answer = runspace.finish()
    assert answer["bytes"] == 40_000
    assert sum(file.stat().st_size for file in (home / "output").rglob("*.*")) < 1.4 * cap


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 3000,
        b"\xc3" * 100_000,
        b"\n" * 300_000,
        b"\0" * 70_000 + b"\r\n",
        "\u20ac".encode() * 50_000,
    ],
    ids=["binary", "broken utf-8", "only line feeds", "nul", "euro"],
)
def test_any_content_comes_out_as_it_went_in(data, runspace):
    runspace.begin(JOB)
    runspace.write(data)
    answer = runspace.finish()
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    assert (answer["bytes"], answer["lines"]) == (len(data), lines)
    assert "\0" not in answer["preview"]
    assert b"".join(output.download(JOB, 1)) == data
    chunk = output.read_lines(JOB, 1, line=1, lines=10_000)
    assert chunk.total == lines
    assert chunk.lines[0].text == data.split(b"\n")[0][: 64 * 1024].decode("utf-8", "replace")


def test_a_line_without_end_is_cut_and_what_follows_is_found(runspace):
    runspace.begin(JOB, cap=-1)
    for _ in range(30):
        runspace.write(b"x" * MIB)
    runspace.write(b"\nshort\n")
    runspace.finish()
    first, second = output.read_lines(JOB, 1, line=1, lines=5).lines
    assert (len(first.text), first.cut, first.ended) == (64 * 1024, True, True)
    assert (second.number, second.text, second.cut) == (2, "short", False)


def test_a_child_has_pipes_of_its_own(runspace):
    runspace.begin(JOB)
    out, err = runspace.child()
    os.write(out, b"out\n")
    os.write(err, b"err\n")
    os.close(out)
    os.close(err)
    answer = runspace.finish()
    assert (answer["bytes"], answer["lines"]) == (8, 2)


def test_a_pipe_held_open_by_a_grandchild_does_not_hold_up_the_end(runspace):
    runspace.begin(JOB)
    out, err = runspace.child()
    os.write(out, b"text\n")
    assert runspace.finish()["bytes"] == 5
    runspace.begin(job_id(2))
    with pytest.raises(BrokenPipeError):
        os.write(out, b"too late")
    assert runspace.finish()["bytes"] == 0
    os.close(out)
    os.close(err)


def test_the_end_comes_while_data_still_flows(runspace, spawn):
    runspace.begin(JOB, cap=-1)
    out, err = runspace.child()
    flood = spawn("import os, sys\nwhile True: os.write(int(sys.argv[1]), b'x' * 65536)", out)
    os.close(out)
    os.close(err)
    wait_until(lambda: output.stat(JOB, 1).bytes > MIB)
    answer = runspace.finish()
    assert answer["bytes"] > MIB
    assert output.stat(JOB, 1) == (answer["bytes"], 1, 0, True)
    assert flood.wait(10) != 0


def test_a_flood_through_the_runspaces_own_pipe_ends_too(runspace):
    """A thread left behind prints on: the end takes what is there and no more."""
    runspace.begin(JOB)
    stop = threading.Event()

    def print_on():
        while not stop.is_set():
            os.write(runspace.writes[0], b"x" * 4096)

    thread = threading.Thread(target=print_on, name="left behind")
    thread.start()
    try:
        wait_until(lambda: output.stat(JOB, 1).bytes > MIB)
        answer = runspace.finish()
        assert answer["bytes"] == output.stat(JOB, 1).bytes
    finally:
        stop.set()
        thread.join()


def test_many_runspaces_at_once(engine):
    runspaces = [engine.open(number) for number in range(1, 41)]
    for round_number in range(5):
        for runspace in runspaces:
            runspace.begin(job_id(runspace.number * 100 + round_number))
        threads = [
            threading.Thread(target=runspace.write, args=(b"%d\n" % runspace.number * 20_000,), name="writes")
            for runspace in runspaces
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for runspace in runspaces:
            answer = runspace.finish()
            assert answer["lines"] == 20_000
            assert set(answer["preview"].split()[1:]) == {str(runspace.number)}


def test_at_rest_it_costs_nothing(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"text")
    runspace.finish()
    settled_down(engine)
    with open(f"/proc/{engine.process.pid}/status") as file:
        before = [line for line in file if "voluntary_ctxt_switches" in line]
    other = engine.open(2)
    other.begin(job_id(2))
    other.write(b"x")
    other.finish()
    with open(f"/proc/{engine.process.pid}/status") as file:
        after = [line for line in file if "voluntary_ctxt_switches" in line]
    # It woke for what happened in between, a handful of times, and not by a clock.
    woken = int(after[0].split()[1]) - int(before[0].split()[1])
    assert woken < 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_do_not_stop_it(number, engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"before ")
    wait_until(lambda: output.stat(JOB, 1).bytes == 7)
    engine.process.send_signal(number)
    runspace.write(b"after")
    assert runspace.finish()["preview"] == "before after"


def test_the_folder_is_named_by_the_time_in_the_id(home):
    assert folder("/out", JOB, 3) == f"/out/2025/10/20/{JOB}/3"


def test_files_are_the_owners_alone(home, runspace):
    runspace.begin(JOB)
    runspace.write(b"secret")
    runspace.finish()
    for path in (home / "output").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
