"""Whatever is written in whatever pieces: every reading equals that of a plain list of bytes."""

import shutil
from contextlib import ExitStack
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs_app import output
from runspaces_app.writing import output as writing
from tests.jobs_app.output.conftest import JOB, Written
from tests.jobs_app.output.model import Model

WRITES = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 2]),
        st.lists(
            st.sampled_from([b"\n", b"a", b"bc", b"\xff", b"\xc3\xa4", b"0123456789" * 3, b"\0"]),
            min_size=1,
            max_size=12,
        ).map(b"".join),
        st.sampled_from([0, 1000, 300_000]),
    ),
    max_size=14,
)
SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
STREAMS = [None, "stdout", "stderr"]


@pytest.fixture
def small():
    """Segments and entries of a few bytes, so that short texts cross their borders."""

    def of(weight):
        stack = ExitStack()
        for name, value in {
            "SEGMENT_BYTES": 64,
            "ENTRY_EVERY_BYTES": 16,
            "SMALLEST_SEGMENT": 16,
            "INDEX_WEIGHT": weight,
        }.items():
            stack.enter_context(patch.object(writing, name, value))
        return stack

    return of


@SETTINGS
@given(writes=WRITES, weight=st.sampled_from([0, 5]), finished=st.booleans(), data=st.data())
def test_everything_kept_reads_like_a_plain_file(home, small, writes, weight, finished, data):
    with small(weight):
        written = make(home, writes, finished=finished)
    model = Model([(stream, text) for stream, text, _ in writes])
    lines = model.lines()
    size = len(model.data)

    assert output.stat(JOB, 1) == (size, len(lines), 0, finished and size > 0)
    assert (written.output.bytes, written.output.lines) == (size, len(lines))

    stream = data.draw(st.sampled_from(STREAMS))
    offset = data.draw(st.integers(0, size + 3))
    limit = data.draw(st.integers(0, size + 3))
    chunk = output.read_bytes(JOB, 1, offset=offset, limit=limit, stream=stream)
    assert chunk.data == model.bytes_of(offset, chunk.next_offset, stream)
    assert chunk.gaps == []
    if stream is None:
        assert chunk.next_offset == (max(offset, min(offset + limit, size)) if limit else offset)
    else:
        assert len(chunk.data) <= limit
        assert len(chunk.data) == limit or chunk.next_offset == max(offset, size)
    assert b"".join(output.download(JOB, 1, stream=stream)) == model.bytes_of(0, size, stream)

    first = data.draw(st.integers(1, len(lines) + 3))
    count = data.draw(st.integers(0, len(lines) + 3))
    found = output.read_lines(JOB, 1, line=first, lines=count, stream=stream)
    wanted = [line for line in lines[first - 1 :] if stream in (None, line.stream)][:count]
    assert [as_model(line) for line in found.lines] == [shown(line, finished) for line in wanted]
    assert (found.gaps, found.total) == ([], len(lines))
    if len(wanted) == count:
        assert found.next_line == (wanted[-1].number + 1 if wanted else first)
    else:
        assert found.next_line == max(first, len(lines) + 1)


@SETTINGS
@given(writes=WRITES, cap=st.integers(0, 400), data=st.data())
def test_a_capped_output_tells_every_gap(home, small, writes, cap, data):
    with small(0):
        written = make(home, writes, cap=cap)
    model = Model([(stream, text) for stream, text, _ in writes])
    lines = model.lines()
    size = len(model.data)
    effective = max(cap, 80) if cap else 0
    segment = min(64, effective // 5)

    stat = output.stat(JOB, 1)
    if cap == 0:
        assert stat == output.OutputStat(0, 0, 0, False)
        assert (written.output.bytes, written.output.lines, written.output.dropped) == (
            size,
            len(lines),
            size,
        )
        return
    assert stat == output.OutputStat(size, len(lines), written.output.dropped, False)
    assert size - stat.dropped <= effective
    assert size - stat.dropped >= min(size, (effective // segment - 1) * segment)

    stream = data.draw(st.sampled_from(STREAMS))
    chunk = output.read_bytes(JOB, 1, offset=0, limit=size, stream=stream)
    kept = kept_ranges(chunk.gaps, size)
    assert chunk.data == b"".join(model.bytes_of(begin, end, stream) for begin, end in kept)
    assert sum(gap.bytes for gap in chunk.gaps) == stat.dropped
    assert kept == [] or (kept[0] == (0, kept[0][1]) and kept[0][1] >= min(size, 2 * segment))

    offset = data.draw(st.integers(0, size))
    part = output.read_bytes(JOB, 1, offset=offset, limit=size)
    assert part.data == b"".join(
        model.bytes_of(max(begin, offset), end) for begin, end in kept if end > offset
    )

    first = data.draw(st.integers(1, len(lines) + 1))
    found = output.read_lines(JOB, 1, line=first, lines=1000, stream=stream)
    wanted = []
    for line in lines[first - 1 :]:
        whole = range(line.offset, line.end)
        places = [place for place in whole if any(begin <= place < end for begin, end in kept)]
        if places and stream in (None, line.stream):
            text = bytes(model.data[place] for place in places).removesuffix(b"\n")
            wanted.append((line.number, places[0], text))
    assert [(line.number, line.offset, line.text) for line in found.lines] == [
        (number, place, text.decode("utf-8", "replace")) for number, place, text in wanted
    ]


@SETTINGS
@given(writes=WRITES, cap=st.sampled_from([-1, 100]), cuts=st.sets(st.integers(0, 13)))
def test_a_new_writer_goes_on_where_a_killed_one_stopped(home, small, writes, cap, cuts):
    shutil.rmtree(home / "output", ignore_errors=True)
    with small(0):
        written = Written(home, cap=cap)
        for number, (stream, text, after) in enumerate(writes):
            if number in cuts:
                clock = written.clock
                written.kill()
                written = Written(home, cap=cap)
                written.output.resume()
                written.clock = clock
            written.write(text, stream, after)
        written.kill()
    model = Model([(stream, text) for stream, text, _ in writes])
    stat = output.stat(JOB, 1)
    assert stat == output.OutputStat(len(model.data), len(model.lines()), written.output.dropped, False)
    chunk = output.read_bytes(JOB, 1, offset=0, limit=stat.bytes)
    kept = kept_ranges(chunk.gaps, stat.bytes)
    assert chunk.data == b"".join(model.bytes_of(begin, end) for begin, end in kept)
    if cap < 0:
        assert [as_model(line) for line in output.read_lines(JOB, 1, line=1, lines=1000).lines] == [
            shown(line, False) for line in model.lines()
        ]


@SETTINGS
@given(
    writes=WRITES,
    q=st.sampled_from(["a", "A", "bc", "9012", "aa", "\u00e4", "0123456789012"]),
    data=st.data(),
)
def test_a_search_finds_each_line_with_the_text_once(home, small, writes, q, data):
    with small(0):
        make(home, writes)
    after = data.draw(st.integers(0, 5))
    stream = data.draw(st.sampled_from(STREAMS))
    lines = Model([(of, text) for of, text, _ in writes]).lines()
    found = output.search(JOB, 1, q=q, after_line=after, stream=stream)
    assert [as_model(line) for line in found.lines] == [
        shown(line, False)
        for line in lines[after:]
        if q.lower().encode() in line.data.lower() and stream in (None, line.stream)
    ]
    assert found.complete


def make(home, writes, *, cap=-1, finished=False):
    shutil.rmtree(home / "output", ignore_errors=True)
    written = Written(home, cap=cap)
    for stream, text, after in writes:
        written.write(text, stream, after)
    if finished:
        written.finish()
    written.kill()
    return written


def kept_ranges(gaps, size):
    found, position = [], 0
    for gap in gaps:
        if gap.offset > position:
            found.append((position, gap.offset))
        position = gap.offset + gap.bytes
    return [*found, (position, size)] if size > position else found


def as_model(line):
    return line.number, line.stream, line.offset, line.text, line.ended


def shown(line, finished):
    return line.number, line.stream, line.offset, line.data.decode("utf-8", "replace"), line.ended or finished
