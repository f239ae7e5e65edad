"""The control channel of other languages, and what their processes are given."""

import json
from pathlib import Path
from typing import Any

import pytest

from jobs_app.engine.holding import says_failure
from runspaces_app.worker.child_job import (
    LONGEST_LINE,
    Channel,
    _exit_code,
    _how_it_ended,
    parameters_in_environment,
    prepare,
)
from runspaces_app.worker.progress import Progress
from runspaces_app.worker.results import Emitted

pytestmark = pytest.mark.one_database


class Listening(Channel):
    """A channel with its progress and emitted items at hand."""

    def __init__(self) -> None:
        self.progress, self.emitted = Progress(lambda: None), Emitted()
        super().__init__(self.progress, self.emitted)


@pytest.fixture
def channel() -> Listening:
    return Listening()


WORDS = (
    b'{"progress": 40, "message": "half"}\n{"emit": 1}\n{"result": {"a": "\xe2\x98\x83"}}\n{"emit": [2]}\n'
)


def test_lines_cut_at_any_byte_say_the_same() -> None:
    for cut in range(len(WORDS) + 1):
        channel = Listening()
        channel.feed(WORDS[:cut])
        channel.feed(WORDS[cut:])
        channel.close()
        assert channel.progress.snapshot() == (40, "half")
        assert (channel.result, channel.emitted.text()) == ('{"a":"\N{SNOWMAN}"}', "[1,[2]]")
        assert channel.problem is None


def test_a_last_line_without_its_end_counts(channel: Listening) -> None:
    channel.feed(b'{"result": 5}')
    assert channel.result is None
    channel.close()
    assert channel.result == "5"


@pytest.mark.parametrize(
    "line",
    [
        b"", b"   ", b"not json", b"[1]", b"5", b"null", b'"text"', b'{"unknown": 1}', b'{"progress": "many"}',
        b'{"progress": null}', b'{"progress": 1e999}', b'{"message": ""}', b'{"message": 5}', b'{"progress": [1]}',
        b"\xff\xfe", b'{"message": "half', b"[" * 100_000, b'{"progress": 1' + b"0" * 400 + b"}",
    ],
)  # fmt: skip
def test_what_says_nothing_known_is_passed_over(channel: Listening, line: bytes) -> None:
    channel.feed(line + b"\n" + b'{"result": 1}\n')
    assert (channel.result, channel.problem) == ("1", None)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"result": }', "result_not_json"), (b'{"result": NaN}', "result_not_json"),
        (b'  {"emit": oops}', "result_not_json"), (b'{"result": "\\ud800"}', "result_not_json"),
        (json.dumps({"result": "x" * (1 << 20)}).encode(), "result_too_large"),
        (json.dumps({"emit": "x" * (1 << 20)}).encode(), "result_too_large"),
    ],
)  # fmt: skip
def test_a_result_is_never_lost_without_a_word(channel: Listening, line: bytes, code: str) -> None:
    channel.feed(line + b"\n")
    assert channel.problem is not None
    assert channel.problem.code == code


def test_a_line_that_never_ends_does_not_fill_the_memory(channel: Listening) -> None:
    for _ in range(100):
        channel.feed(b"x" * 100_000)
    assert len(channel._buffer) <= LONGEST_LINE
    assert channel.problem is not None


@pytest.mark.parametrize(
    ("code", "kept", "words"),
    [(1, 1, "exit code 1"), (255, 255, "exit code 255"), (-9, 137, "SIGKILL"), (-15, 143, "SIGTERM"), (-63, 191, "63")],
)  # fmt: skip
def test_a_signal_is_told_as_shells_do(code: int, kept: int, words: str) -> None:
    assert _exit_code(code) == kept
    assert words in _how_it_ended(code)


def test_parameters_as_variables(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "name": "plain", "list": [1, "a"], "none": None, "with space-and.dot": True, "\N{SNOWMAN}": 1,
         "huge": "x" * 200_000, "nul": "a\0b"
    }  # fmt: skip
    found = parameters_in_environment(given, str(tmp_path))
    # All of them are too much for one variable.
    assert json.loads(Path(found.pop("TASKHUB_PARAMETERS_FILE")).read_text()) == given
    assert found == {
        "TASKHUB_PARAM_NAME": "plain", "TASKHUB_PARAM_LIST": '[1, "a"]', "TASKHUB_PARAM_NONE": "null",
        "TASKHUB_PARAM_WITH_SPACE_AND_DOT": "true", "TASKHUB_PARAM__": "1",
    }  # fmt: skip


def test_parameters_of_common_size_are_one_variable_and_none_are_none(tmp_path: Path) -> None:
    found = parameters_in_environment({"days": [1, "ü"]}, str(tmp_path))
    assert json.loads(found["TASKHUB_PARAMETERS"]) == {"days": [1, "ü"]}
    assert parameters_in_environment({}, str(tmp_path)) == {}
    assert list(tmp_path.iterdir()) == []


def test_an_error_told_on_the_channel_is_kept() -> None:
    channel = Channel(Progress(lambda: None), Emitted())
    channel.feed(b'{"error": "no object"}\n{"error": {"type": "RangeError", "message": 5}}\n')
    assert channel.error == {"type": "RangeError", "message": "5"}


def test_the_script_takes_its_place_in_the_command() -> None:
    assert prepare(["sh", "-c", "{script}", "x{script}"], "/a b") == ["sh", "-c", "/a b", "x{script}"]


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        ('{"Success":false}', True), ('{"success":false,"why":1}', True), ('{"Success":true}', False),
        ('{"Success":0}', False), ('{"Success":null}', False), ('{"Success":"false"}', False),
        ('{"SUCCESS":false}', False),
        ('{"deep":{"Success":false}}', False), ('[{"Success":false}]', False), ('"{\\"Success\\":false}"', False),
        ("null", False), (None, False), ("", False), ("{}", False),
        ('{"success":' + "[" * 5000 + "]" * 5000 + "}", False), ('{"success":' + "9" * 5000 + "}", False),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_result_may_say_that_it_did_not_succeed(result: str | None, failed: bool) -> None:
    assert says_failure(result) is failed
