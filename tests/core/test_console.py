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
    ],
)
def test_a_name_holds_nothing_a_terminal_obeys(text: str, shown: str) -> None:
    assert console.plain(text) == shown


def test_output_keeps_its_colours_and_nothing_else() -> None:
    given = "\x1b[31mred\x1b[0m \x1b[2Jcleared \x1b]0;title\x07\x9b31m\ttab\n"
    assert console.coloured(given) == "\x1b[31mred\x1b[0m cleared 31m\ttab\n"


def test_the_widest_column_gives_way_but_not_the_first() -> None:
    lines = console.table(("ID", "NAME", "X"), [("0123456789" * 3, "n" * 60, "y")], width=60)
    assert lines[1].startswith("0123456789" * 3 + "  nnn")
    assert lines[1].endswith("\N{HORIZONTAL ELLIPSIS}  y")
    assert len(lines[1]) == 60


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
        with pytest.raises(CommandError, match="--param: expected NAME=VALUE"):
            console.pairs([wrong], "--param")


def test_a_refusal_is_one_sentence() -> None:
    def refuse() -> None:
        raise BadInput("name: expected text,\ngot \x1b[2J")

    with pytest.raises(CommandError) as caught:
        console.guarded(refuse)
    assert str(caught.value) == "name: expected text, got "
