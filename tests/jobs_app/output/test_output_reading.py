"""Reading of outputs beside what the model says: errors, limits, speed, removal."""

import os
import time
import tracemalloc
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from jobs_app import output
from jobs_app.output.line_reading import LONGEST_LINE
from runspaces_app.writing.output import Output
from taskhub.core.errors import BadInput
from tests.jobs_app.output.conftest import JOB

MIB = 1024 * 1024


def test_an_attempt_without_output_reads_as_empty(home):
    assert output.stat(JOB, 1) == output.OutputStat(0, 0, 0, False)
    assert output.read_bytes(JOB, 1, offset=0, limit=10) == output.Chunk(0, 0, b"", [])
    assert output.read_lines(JOB, 1, line=1, lines=10) == output.LineChunk([], [], 1, 0)
    assert output.search(JOB, 1, q="x") == output.Matches([], 0, True)
    assert list(output.download(JOB, 1)) == []
    output.remove(JOB)


def test_any_uuid_is_a_job_that_printed_nothing(home):
    assert output.stat(uuid4(), 1).bytes == 0


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: output.read_bytes(JOB, 1, offset=-1, limit=1), "offset"),
        (lambda: output.read_bytes(JOB, 1, offset=2**63, limit=1), "offset"),
        (lambda: output.read_bytes(JOB, 1, offset=0, limit=-5), "limit"),
        (lambda: output.read_bytes(JOB, 1, offset=0, limit=1, stream="both"), "stream"),
        (lambda: output.read_lines(JOB, 1, line=0, lines=1), "line"),
        (lambda: output.read_lines(JOB, 1, line=1, lines=-1), "lines"),
        (lambda: output.read_lines(JOB, 1, line=1, lines=1, stream="x"), "stream"),
        (lambda: output.search(JOB, 1, q=""), "q"),
        (lambda: output.search(JOB, 1, q="x" * 1001), "q"),
        (lambda: output.search(JOB, 1, q="a\nb"), "q"),
        (lambda: output.search(JOB, 1, q="a", limit=-1), "limit"),
        (lambda: output.search(JOB, 1, q="a", after_line=-1), "after_line"),
        (lambda: output.download(JOB, 1, stream="x"), "stream"),
    ],
)
def test_bad_input_names_its_field(call, field, home):
    with pytest.raises(BadInput) as caught:
        call()
    assert list(caught.value.fields or {}) == [field]
    assert "expected" in str(caught.value)


def test_text_read_in_pieces_is_never_cut_inside_a_character(written):
    one = written()
    words = "a\u00e9\u20ac\U0001f600 " * 20
    data = words.encode()
    for number in range(0, len(data), 7):
        one.write(data[number : number + 7])
        one.write(b"!", stream=2)

    def read(limit, **more):
        offset, parts, waits = 0, [], 0
        while waits < 2:
            chunk = output.read_bytes(JOB, 1, offset=offset, limit=limit, stream="stdout", text=True, **more)
            parts.append(chunk.data.decode())
            waits, offset = waits + (chunk.next_offset == offset), chunk.next_offset
        return "".join(parts)

    assert read(4) == read(5) == read(64) == read(10_000) == words
    # Of a character that is not whole yet the reader waits for the rest, unless none will come.
    one.write("\u20ac".encode()[:2])
    assert read(64) == words
    last = output.read_bytes(JOB, 1, offset=0, limit=10_000, stream="stdout", text=True, ended=True)
    assert last.data == data + b"\xe2\x82"
    one.write("\u20ac".encode()[2:])
    assert read(64) == words + "\u20ac"


@pytest.mark.parametrize(
    "data", [b"\x80\x80\x80\x80ab", b"ab\xff", b"\xc0\xc1", b"\xf5", b"a\x80\x80\x80\x80"]
)
def test_bytes_that_are_no_text_hold_no_reader_up(written, data):
    written().write(data)
    assert output.read_bytes(JOB, 1, offset=0, limit=100, text=True).data == data
    one_by_one = [output.read_bytes(JOB, 1, offset=n, limit=1, text=True).data for n in range(len(data))]
    assert b"".join(one_by_one) == data


def test_a_line_tells_when_it_came(written):
    one = written()
    one.write(b"first\n", after=0)
    one.write(b"second\n", after=2_000_000)
    lines = output.read_lines(JOB, 1, line=1, lines=2).lines
    assert lines[0].time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (lines[1].time - lines[0].time).total_seconds() == 2


def test_a_range_of_bytes_is_never_longer_than_a_mebibyte(written):
    written().write(b"x" * 3 * MIB)
    chunk = output.read_bytes(JOB, 1, offset=10, limit=10 * MIB)
    assert (len(chunk.data), chunk.next_offset) == (MIB, MIB + 10)


def test_a_range_of_lines_ends_when_its_text_is_long(written):
    written().write((b"y" * 50_000 + b"\n") * 60)
    numbers, following = [], 1
    while following <= 60:
        chunk = output.read_lines(JOB, 1, line=following, lines=1000)
        numbers += [line.number for line in chunk.lines]
        following = chunk.next_line
    assert numbers == list(range(1, 61))


def test_a_long_line_takes_little_memory_and_time(written):
    one = written()
    for _ in range(100):
        one.write(b"z" * MIB)
    one.write(b"\nend")
    tracemalloc.start()
    began = time.perf_counter()
    first, second = output.read_lines(JOB, 1, line=1, lines=10).lines
    spent = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(first.text), first.cut, first.ended) == (LONGEST_LINE, True, True)
    assert (second.text, second.cut, second.ended) == ("end", False, False)
    assert peak < 2 * MIB
    assert spent < 1


@pytest.mark.parametrize("end", [b"", b"\r", b"\n"])
def test_a_long_line_that_is_overwritten_keeps_what_a_terminal_shows(written, end):
    one = written()
    for part in range(30):
        one.write(b"".join(b"\r%d of 29999" % (part * 1000 + step) for step in range(1000)))
    one.write(end)
    line = output.read_lines(JOB, 1, line=1, lines=1).lines[0]
    assert line.cut
    assert len(line.text) == LONGEST_LINE
    assert line.text.startswith("\r0 of 29999\r1 of")
    assert line.text.endswith("\r29999 of 29999")


def test_what_overwrote_the_middle_of_a_long_line_does_not_stand_for_its_end(written):
    one = written()
    one.write(b"a" * LONGEST_LINE + b"b\rmiddle")
    for _ in range(10):
        one.write(b"z" * LONGEST_LINE)
    line = output.read_lines(JOB, 1, line=1, lines=1).lines[0]
    assert (line.text, line.cut) == ("a" * LONGEST_LINE, True)


def test_the_millionth_line_of_a_gigabyte_is_served_in_fifty_milliseconds(written):
    one = written()
    line = b"%09d " + b"x" * 69 + b"\n"
    # A thousand different blocks would only cost time: the index is what is tried.
    block = b"".join(line % number for number in range(13_108))
    for _ in range(1000):
        one.write(block)
    assert one.output.bytes > 1_000_000_000
    times = []
    for number in (1, 1_000_000, 7_654_321, 13_000_000):
        for _ in range(3):
            began = time.perf_counter()
            found = output.read_lines(JOB, 1, line=number, lines=100)
            times.append(time.perf_counter() - began)
            assert found.lines[0].text.startswith(f"{(number - 1) % 13_108:09} ")
            assert found.lines[0].number == number
    # The best of three: other processes of this machine are no business of the index.
    assert max(min(times[place : place + 3]) for place in range(0, len(times), 3)) < 0.05
    output.remove(JOB)


def test_a_search_goes_on_where_it_stopped(written):
    written().write(
        b"".join(b"%d needle\n" % number if number % 7 == 0 else b"hay\n" for number in range(1, 1000))
    )
    numbers, after = [], 0
    while True:
        found = output.search(JOB, 1, q="NEEDLE", limit=10, after_line=after)
        numbers += [line.number for line in found.lines]
        after = found.after_line
        if found.complete:
            break
    assert numbers == list(range(7, 1000, 7))


def test_a_search_through_more_than_one_call_may_take_ends(written):
    one = written()
    for _ in range(150):
        one.write(b"h" * MIB if one.output.bytes < 70 * MIB else b"hay\n" * (MIB // 4))
    one.write(b"needle\n")
    found, calls = output.search(JOB, 1, q="needle"), 1
    while not found.complete:
        found, calls = output.search(JOB, 1, q="needle", after_line=found.after_line), calls + 1
    assert [line.text for line in found.lines] == ["needle"]
    assert 1 < calls < 6


def test_a_stream_that_says_little_is_found(written):
    one = written()
    for number in range(200):
        one.write(b"noise\n" * 5000)
        if number in (50, 150):
            one.write(b"problem %d\n" % number, stream=2)
    chunk = output.read_lines(JOB, 1, line=1, lines=10, stream="stderr")
    assert [line.text for line in chunk.lines] == ["problem 50", "problem 150"]
    assert (
        output.read_bytes(JOB, 1, offset=0, limit=100, stream="stderr").data == b"problem 50\nproblem 150\n"
    )


def test_a_download_says_where_something_was_dropped(written):
    one = written(cap=100_000)
    one.write(b"0123456789" * 50_000)
    one.finish()
    data = b"".join(output.download(JOB, 1))
    dropped = output.stat(JOB, 1).dropped
    assert data.count(b"\n[Taskhub: %d bytes were dropped here]\n" % dropped) == 1


def test_remove_takes_all_attempts_and_the_empty_day(home, written):
    for attempt in (1, 2):
        written(attempt=attempt).write(b"text")
    output.remove(JOB)
    assert list((home / "output").iterdir()) == []


def test_remove_leaves_other_jobs_of_the_day_alone(home, written):
    one = written()
    one.write(b"text")
    other = os.path.join(os.path.dirname(os.path.dirname(one.path)), "another")
    os.makedirs(other)
    output.remove(JOB)
    assert not os.path.exists(one.path)
    assert os.path.isdir(other)


def test_a_half_written_entry_is_not_read(written):
    one = written()
    one.write(b"text\n")
    with open(os.path.join(one.path, "0" * 20 + ".idx"), "ab") as file:
        file.write(b"\0" * 17)
    assert output.stat(JOB, 1) == output.OutputStat(5, 1, 0, False)


def test_an_entry_whose_bytes_never_came_says_nothing(written):
    """A writer killed between the two writes."""
    one = written()
    one.write(b"text", stream=1)
    index = os.path.join(one.path, "0" * 20 + ".idx")
    with open(index, "rb") as file:
        before = file.read()
    one.write(b"x", stream=2)
    os.truncate(os.path.join(one.path, "0" * 20 + ".log"), 4)
    assert os.path.getsize(index) > len(before)
    assert output.stat(JOB, 1) == output.OutputStat(4, 1, 0, False)
    [line] = output.read_lines(JOB, 1, line=1, lines=10).lines
    assert (line.text, line.stream) == ("text", "stdout")


def test_a_segment_without_an_entry_yet_is_not_there_yet(written):
    one = written()
    one.write(b"text\n")
    for suffix in ("idx", "log"):
        with open(os.path.join(one.path, f"{5:020}.{suffix}"), "wb"):
            pass
    assert output.stat(JOB, 1).bytes == 5
    resumed = Output(one.path, -1)
    assert resumed.resume()
    assert (resumed.bytes, resumed.lines) == (5, 1)


def test_foreign_files_in_the_folder_are_passed_over(written):
    one = written()
    one.write(b"text\n")
    for name in ("notes.txt", "x.log", "1234.log", "0" * 20 + ".bak"):
        with open(os.path.join(one.path, name), "w") as file:
            file.write("foreign")
    assert b"".join(output.download(JOB, 1)) == b"text\n"
