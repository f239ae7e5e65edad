"""What commands print: nothing a terminal would obey, nothing wider than it."""

import io

import pytest
from django.core.management.base import CommandError

from taskhub.core import console
from taskhub.core.errors import BadInput

pytestmark = pytest.mark.one_database


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("a\u202eb", "a\ufffdb"),
        ("bell\x07", "bell\ufffd"),
        ("tab\there", "tab here"),
        ("\x1b", ""),
        ("\x1b]never ended\nnext", " next"),
    ],
)
def test_a_name_holds_nothing_a_terminal_obeys(text: str, shown: str) -> None:
    assert console.plain(text) == shown


def test_output_keeps_its_colours_and_nothing_else() -> None:
    given = "\x1b[31mred\x1b[0m \x1b[2Jcleared \x1b]0;title\x07\x9b31m\ttab\n"
    assert console.coloured(given) == "\x1b[31mred\x1b[0m cleared 31m\ttab\n"


@pytest.mark.parametrize(
    "sequence", ["\x1b[2J", "\x1b[>4;1m", "\x1b[?25l", "\x1b]0;title\x07", "\x1bc", "\x1bP1$r\x1b\\"]
)
def test_a_sequence_in_two_parts_passes_no_more_than_a_whole_one(sequence: str) -> None:
    for place in range(len(sequence) + 1):
        first, held = console.whole(f"a{sequence[:place]}")
        shown = console.coloured(first) + console.coloured(held + sequence[place:] + "b")
        assert shown == "ab", place


def test_a_colour_in_two_parts_stays_one() -> None:
    first, held = console.whole("a\x1b[3")
    assert (first, console.coloured(held + "1mb")) == ("a", "\x1b[31mb")


def test_text_that_goes_on_is_held_back_only_where_a_sequence_begins() -> None:
    assert console.whole("plain") == ("plain", "")
    assert console.whole("\x1b]" + "x" * 10_000)[1] == ""


def test_the_widest_column_gives_way_but_not_the_first() -> None:
    lines = console.table(("ID", "NAME", "X"), [("0123456789" * 3, "n" * 60, "y")], width=60)
    assert lines[1].startswith("0123456789" * 3 + "  nnn")
    assert lines[1].endswith("\N{HORIZONTAL ELLIPSIS}  y")
    assert len(lines[1]) == 60


def test_columns_that_can_be_spared_go_before_any_gets_too_narrow() -> None:
    heads, row = ("ID", "NAME", "STARTED", "STATE"), ("1" * 36, "n" * 40, "2026-03-10 12:00:00", "completed")
    rows = [row]
    for width in (120, 80, 60):
        lines = console.table(heads, rows, soft=("NAME",), spare=("STARTED",), width=width)
        assert max(map(len, lines)) <= width
        assert ("STARTED" in lines[0]) == (width > 60)
        assert "completed" in lines[1]


def test_a_pipe_gets_everything() -> None:
    lines = console.table(("ID", "NAME"), [("1", "n" * 500)])
    assert lines[1] == "1   " + "n" * 500


def test_characters_of_two_columns_are_counted_so() -> None:
    lines = console.table(
        ("ID", "NAME", "X"), [("1", "\u65e5\u672c\u8a9e" * 5, "y"), ("2", "e\u0301", "z")], width=20
    )
    assert [console.columns(line.rsplit("  ", 1)[0]) for line in lines[1:]] == [17, 17]
    assert console.columns(lines[1]) == 20


def test_json_is_ascii() -> None:
    assert console.as_json({"name": "\u00fc\x9b2J\u202e"}) == '{"name": "\\u00fc\\u009b2J\\u202e"}'


def test_a_bar_is_drawn_where_somebody_looks_and_taken_away() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        bar = console.Bar(stream)
        bar.show(50, "Copying\x1b[2J")
        bar.show(50, "Copying\x1b[2J")
        bar.clear()
    assert pipe.getvalue() == ""
    assert terminal.getvalue().count("50 %  Copying\x1b[K") == 1
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_pairs_need_a_name_and_a_sign() -> None:
    assert console.pairs(["a=1", "b=x=y", "c="], "--param") == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1"):
        with pytest.raises(CommandError, match="--param: expected NAME=VALUE") as caught:
            console.pairs([wrong], "--param")
        assert caught.value.returncode == 2


def test_a_colon_makes_a_value_of_json() -> None:
    given = ["a=1", "b:=1", "c:=[true, null]", "d=x:=y", ":=1"]
    assert console.values(given, "--param") == {"a": "1", "b": 1, "c": [True, None], "d": "x:=y", ":": "1"}
    with pytest.raises(CommandError, match=r"^--param: a: expected JSON, got .* which is 'no'") as refused:
        console.values(["a:=no"], "--param")
    assert refused.value.returncode == 2


def test_a_refusal_is_one_sentence() -> None:
    def refuse() -> None:
        raise BadInput("name: expected text,\ngot \x1b[2J")

    with pytest.raises(CommandError) as caught:
        console.guarded(refuse)
    assert str(caught.value) == "name: expected text, got "
