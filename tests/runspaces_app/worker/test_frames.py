"""Frames between engine and runspace, however the bytes arrive."""

import itertools
import json
import os
import socket
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runspaces_app.worker import frames
from runspaces_app.worker.frames import LARGEST, BrokenFrame, Decoder

pytestmark = pytest.mark.one_database

FRAMES: list[dict[str, Any]] = [
    {"t": "close"}, {"t": "run", "code": "print('\N{SNOWMAN}\\n')", "n": [1, None, True]}, {}, {"t": "x" * 300},
]  # fmt: skip
STREAM = b"".join(map(frames.encode, FRAMES))


def test_a_stream_cut_in_two_at_any_byte_gives_the_same_frames() -> None:
    for cut in range(len(STREAM) + 1):
        decoder = Decoder()
        assert [*decoder.frames(STREAM[:cut]), *decoder.frames(STREAM[cut:])] == FRAMES


def test_a_stream_that_comes_byte_by_byte_gives_each_frame_with_its_last_byte() -> None:
    decoder = Decoder()
    found = [(at, frame) for at in range(len(STREAM)) for frame in decoder.frames(STREAM[at : at + 1])]
    ends = itertools.accumulate(len(frames.encode(frame)) for frame in FRAMES)
    assert found == [(end - 1, frame) for end, frame in zip(ends, FRAMES, strict=True)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_a_stream_cut_anywhere_gives_the_same_frames(cuts: list[int]) -> None:
    decoder, edges = Decoder(), sorted({0, *cuts, len(STREAM)})
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(edges)]
    assert [frame for piece in pieces for frame in decoder.frames(piece)] == FRAMES


def test_the_start_of_a_frame_gives_nothing() -> None:
    whole = frames.encode(FRAMES[1])
    for cut in range(len(whole)):
        assert list(Decoder().frames(whole[:cut])) == []


def test_a_length_beyond_the_largest_is_refused_before_its_body_comes() -> None:
    assert list(Decoder().bodies(struct.pack(">I", LARGEST))) == []
    with pytest.raises(BrokenFrame, match=str(LARGEST + 1)):
        list(Decoder().bodies(struct.pack(">I", LARGEST + 1)))


def test_what_is_no_json_is_an_error_and_no_frame() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        list(Decoder().frames(frames.prefixed(b"not json")))


def test_a_ready_text_is_framed_as_it_is() -> None:
    body = json.dumps(FRAMES[1]).encode()
    assert list(Decoder().bodies(frames.prefixed(body))) == [body]


def test_descriptors_travel_with_their_message() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader, writer = os.pipe()
    try:
        frames.send_with_descriptors(here, {"fork": 7}, [writer])
        message, descriptors = frames.receive_with_descriptors(there, 5)
        assert message == {"fork": 7}
        os.write(descriptors[0], b"through the copy")
        assert os.read(reader, 100) == b"through the copy"
        here.close()
        assert frames.receive_with_descriptors(there, 5) == (None, [])
    finally:
        for descriptor in (reader, writer, *descriptors):
            os.close(descriptor)
        there.close()
