"""Dead runspaces, dead engines, dead writers, full disks."""

import json
import os
import shutil
import socket

import pytest

from jobs_app import output
from tests.runspaces_app.writer.conftest import job_id, receive, send
from tests.support import wait_until

MIB = 1024 * 1024
JOB = job_id(1)


def test_the_output_of_a_killed_runspace_is_taken_to_its_end(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"x" * 60_000 + b"\n")
    runspace.die()
    assert engine.settle(runspace) == {
        "settled": 1, "job": JOB.hex, "attempt": 1, "bytes": 60_001, "lines": 1, "dropped": 0,
        "preview": "x" * 2047 + "\n",
    }  # fmt: skip
    assert output.stat(JOB, 1).complete


def test_a_killed_runspace_whose_pipe_lives_on_is_settled_within_two_seconds(engine, runspace, spawn):
    runspace.begin(JOB)
    spawn(
        "import os, sys, time\nos.write(int(sys.argv[1]), b'left behind')\ntime.sleep(60)", runspace.writes[0]
    )
    wait_until(lambda: output.stat(JOB, 1).bytes == 11)
    runspace.die()
    assert engine.settle(runspace)["bytes"] == 11


def test_settling_a_silent_or_unknown_runspace_answers_all_the_same(engine, runspace):
    runspace.begin(JOB)
    runspace.die()
    assert engine.settle(runspace)["job"] is None
    again = engine.settle(runspace)
    assert (again["settled"], again["job"], again["bytes"]) == (1, None, 0)


def test_a_runspace_killed_after_its_job_was_finished_tells_that_jobs_figures(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"text")
    runspace.finish()
    runspace.die()
    settled = engine.settle(runspace)
    assert (settled["job"], settled["bytes"], settled["preview"]) == (JOB.hex, 4, "text")


def test_a_runspace_killed_while_it_marked_a_job_is_settled(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"text")
    wait_until(lambda: output.stat(JOB, 1).bytes == 4)
    os.pwrite(runspace.mark_fd, b"\1", 64)  # an odd sequence: torn for ever
    runspace.write(b" more")
    runspace.die()
    assert engine.settle(runspace)["bytes"] == 9


def test_other_runspaces_go_on_while_one_is_settled(engine, runspace):
    other = engine.open(2)
    runspace.begin(JOB)
    runspace.write(b"text")
    runspace.sock.close()  # its pipes stay open: two seconds to wait
    send(engine.control, {"settle": 1})
    for number in range(20):
        other.begin(job_id(100 + number))
        other.write(b"fine")
        assert other.finish()["bytes"] == 4
    assert receive(engine.control)["bytes"] == 4


def test_it_ends_with_its_engine_and_its_pipes(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"last words")
    runspace.die()
    engine.control.close()
    engine.wait()
    assert engine.process.returncode == 0
    assert output.stat(JOB, 1) == (10, 1, 0, True)


def test_without_its_engine_it_serves_a_runspace_that_still_ends_its_job(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"before ")
    wait_until(lambda: output.stat(JOB, 1).bytes == 7)
    engine.control.close()
    runspace.write(b"after")
    assert runspace.finish()["bytes"] == 12
    runspace.die()
    engine.wait()
    assert engine.process.returncode == 0


def test_without_its_engine_a_pipe_held_open_keeps_it_two_seconds(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"text")
    runspace.sock.close()
    engine.control.close()
    engine.wait(timeout=10)
    assert output.stat(JOB, 1) == (4, 1, 0, True)


def test_a_successor_goes_on_behind_a_killed_writer(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"one\ntwo")
    wait_until(lambda: output.stat(JOB, 1).bytes == 7)
    engine.kill()
    runspace.write(b" and a half\n")  # waits in the pipe, whose read end the engine kept
    engine.start()
    runspace.attach(engine)
    answer = runspace.finish()
    assert (answer["bytes"], answer["lines"]) == (19, 2)
    assert [line.text for line in output.read_lines(JOB, 1, line=1, lines=9).lines] == [
        "one",
        "two and a half",
    ]


def test_a_finish_that_a_killed_writer_left_unanswered_can_be_asked_again(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"text\n")
    answer = runspace.finish()
    engine.kill()
    engine.start()
    runspace.attach(engine)
    assert runspace.finish() == answer


@pytest.mark.parametrize("killed_over", [b"", b"\n"])
def test_a_killed_writers_output_is_settled_by_its_successor(engine, runspace, killed_over):
    runspace.begin(JOB)
    runspace.write(b"text" + killed_over)
    wait_until(lambda: output.stat(JOB, 1).bytes >= 4)
    engine.kill()
    runspace.die()
    engine.start()
    runspace.attach(engine)
    settled = engine.settle(runspace)
    assert (settled["job"], settled["bytes"], settled["lines"]) == (JOB.hex, 4 + len(killed_over), 1)


def test_a_folder_that_cannot_be_made_drops_and_counts(engine, runspace, home):
    shutil.rmtree(home / "output", ignore_errors=True)
    (home / "output").write_text("a file in its place")
    runspace.begin(JOB)
    for _ in range(20):
        runspace.write(b"line\n" * 20_000)
    answer = runspace.finish()
    assert (answer["bytes"], answer["lines"], answer["dropped"]) == (2_000_000, 400_000, 2_000_000)
    assert answer["preview"].endswith("line\nline\n")
    assert output.stat(JOB, 1).bytes == 0


def test_a_folder_that_works_again_is_used_again(engine, runspace, home):
    shutil.rmtree(home / "output", ignore_errors=True)
    (home / "output").write_text("a file in its place")
    runspace.begin(JOB)
    runspace.write(b"lost\n")
    wait_until(lambda: not runspace.unread(runspace.writes[0]))
    (home / "output").unlink()

    def kept():
        runspace.write(b"kept\n")
        return output.stat(JOB, 1).bytes

    wait_until(kept)
    answer = runspace.finish()
    chunk = output.read_bytes(JOB, 1, offset=0, limit=MIB)
    [gap] = chunk.gaps
    assert gap == output.Gap(0, answer["dropped"])
    assert len(chunk.data) == answer["bytes"] - answer["dropped"]
    assert output.stat(JOB, 1) == (answer["bytes"], answer["lines"], answer["dropped"], True)
    first = output.read_lines(JOB, 1, line=1, lines=1)
    assert first.lines[0].number == 1 + answer["dropped"] // 5
    assert first.gaps == [gap]


def test_a_disk_that_fills_up_never_stops_a_script(engine, runspace):
    """A limit on the size of files stands in for the disk: both fail in the middle of a write."""
    prlimit(engine.process.pid, 300_000)
    runspace.begin(JOB, cap=-1)
    for number in range(40):
        runspace.write(b"%07d\n" % number * 12_500)
    answer = runspace.finish()
    assert (answer["bytes"], answer["lines"]) == (4_000_000, 500_000)
    assert answer["dropped"] >= 3_000_000
    stat = output.stat(JOB, 1)
    assert stat == output.OutputStat(answer["bytes"], answer["lines"], answer["dropped"], True)
    chunk = output.read_bytes(JOB, 1, offset=0, limit=MIB)
    assert chunk.data.startswith(b"0000000\n")
    assert sum(gap.bytes for gap in chunk.gaps) == answer["dropped"]
    assert chunk.next_offset == answer["bytes"]


def test_the_trouble_is_told_once(engine, runspace, home):
    (home / "output").rmdir()
    (home / "output").write_text("a file in its place")
    runspace.begin(JOB)
    for _ in range(50):
        runspace.write(b"line\n" * 1000)
    runspace.finish()
    runspace.die()
    engine.control.close()
    engine.wait()
    assert engine.complaints.count("output writer:") == 1


@pytest.mark.parametrize(
    "message",
    [b"", b"{", b"[]", b"7", b"null", b'{"open": 5}', b'{"settle": 99}', b'{"finish": 1}', b"\xff" * 60_000],
)
def test_messages_that_make_no_sense_do_not_stop_it(message, engine, runspace):
    if message:
        engine.control.send(message)
        runspace.sock.send(message)
    send(engine.control, {"nothing": 1}, [0, 1, 2])
    runspace.begin(JOB)
    runspace.write(b"text")
    send(runspace.sock, {"finish": 1})
    answer = receive(runspace.sock)
    while answer["bytes"] == 0:  # to an early finish
        answer = receive(runspace.sock)
    assert answer["bytes"] == 4


def test_an_engine_that_does_not_read_holds_nothing_up(engine):
    runspaces = [engine.open(number) for number in range(1, 4)]
    for number in range(400):
        send(engine.control, {"settle": 1000 + number})
    for runspace in runspaces:
        runspace.begin(job_id(runspace.number))
        runspace.write(b"text")
        assert runspace.finish()["bytes"] == 4
    assert [receive(engine.control)["settled"] for _ in range(400)] == list(range(1000, 1400))


def test_opening_a_runspace_again_starts_it_anew(engine, runspace):
    runspace.begin(JOB)
    runspace.write(b"text")
    assert runspace.finish()["bytes"] == 4
    runspace.attach(engine)
    runspace.begin(job_id(2))
    runspace.write(b"more")
    assert runspace.finish()["bytes"] == 4


def prlimit(pid, size):
    import resource

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))


def test_the_answers_fit_a_message():
    """The longest preview, escaped, is far below the 64 KiB of a message."""
    sock, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with sock, other:
        assert len(json.dumps("\ufffd" * 2048)) < 16_384
