"""Following an output: in order, without loss, with what is missing told where it is missing."""

import io
import json
from uuid import uuid4

import pytest

from jobs_app import output
from jobs_app.commands.following import Tail, _standing, outcome
from jobs_app.output import Chunk, Gap
from tests.support import make_job

pytestmark = pytest.mark.one_database


class Both(io.StringIO):
    """A terminal, or the file behind it, that output and notes share, so that their order shows."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[Chunk]]:
    """The ranges of each attempt, as the reader of outputs gives them one after the other."""
    attempts: dict[int, list[Chunk]] = {}

    def read_bytes(_job: object, attempt: int, *, offset: int, limit: int) -> Chunk:
        found = [chunk for chunk in attempts.get(attempt, []) if chunk.offset == offset]
        return found[0] if found else Chunk(offset, offset, b"", [])

    monkeypatch.setattr(output, "read_bytes", read_bytes)
    return attempts


@pytest.mark.django_db
def test_a_job_that_has_its_runspace_waits_for_nothing() -> None:
    assert _standing(make_job(state="queued")) == "queued, waits for runspace"
    assert _standing(make_job(state="queued", runspace=4)) == "queued"


def test_a_gap_is_told_between_what_came_before_and_after_it(written: dict[int, list[Chunk]]) -> None:
    written[1] = [Chunk(0, 112, b"before\nafter\n", [Gap(7, 99)]), Chunk(112, 118, b"last\n", [Gap(117, 1)])]
    shown = Both(terminal=True)
    Tail(uuid4(), attempt=1, out=shown, notes=shown).print_new(1)
    assert shown.getvalue() == (
        "before\n[99 bytes are kept no more]\nafter\nlast\n[1 bytes are kept no more]\n"
    )


def test_attempts_follow_each_other_and_nothing_is_printed_twice(written: dict[int, list[Chunk]]) -> None:
    written[1] = [Chunk(0, 4, b"one\n", [])]
    shown = Both(terminal=True)
    tail = Tail(uuid4(), attempt=1, out=shown, notes=shown)
    tail.print_new(1)
    tail.print_new(1)
    written[1].append(Chunk(4, 9, b"more\n", []))
    written[3] = [Chunk(0, 6, b"three\n", [])]
    tail.print_new(3)
    assert shown.getvalue() == "one\nmore\n[attempt 2]\n[attempt 3]\nthree\n"


def test_a_character_in_two_parts_is_shown_whole(written: dict[int, list[Chunk]]) -> None:
    text = "ü\u20ac\U0001f600".encode()
    written[1] = [Chunk(at, at + 1, text[at : at + 1], []) for at in range(len(text))]
    for as_json in (False, True):
        shown = Both(terminal=True)
        Tail(uuid4(), attempt=1, out=shown, notes=shown, as_json=as_json).print_new(1)
        said = shown.getvalue()
        if as_json:
            said = "".join(json.loads(line)["text"] for line in said.splitlines())
        assert said == text.decode()


def test_a_pipe_gets_the_bytes_as_they_were(written: dict[int, list[Chunk]]) -> None:
    written[1] = [Chunk(0, 8, b"\xff\x1b[2J\r\n\0", [])]
    raw = io.BytesIO()
    pipe = io.TextIOWrapper(raw)
    Tail(uuid4(), attempt=1, out=pipe, notes=io.StringIO()).print_new(1)
    assert raw.getvalue() == b"\xff\x1b[2J\r\n\0"


def test_what_is_in_the_way_is_taken_away_before_anything_is_printed(written: dict[int, list[Chunk]]) -> None:
    written[1] = [Chunk(0, 4, b"one\n", [])]
    shown = Both(terminal=True)
    tail = Tail(uuid4(), attempt=1, out=shown, notes=shown, before=lambda: print(end="|", file=shown))
    tail.print_new(1)
    tail.print_new(1)
    assert shown.getvalue() == "|one\n"


@pytest.mark.django_db
def test_the_line_of_a_time_out_has_its_words_and_no_empty_part():
    job = make_job(state="stopped", reason="timeout", error_message="It ran too long.")
    assert outcome(job).endswith("was stopped (timeout) after 60.0 s: It ran too long.")
