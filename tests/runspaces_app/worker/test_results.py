"""What a script may give back, and what is said of the rest."""

import datetime
import json
import math
import pathlib
import sys
import uuid
from collections import OrderedDict, deque
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runspaces_app.worker.results import DEEPEST, LIMIT, BadResult, Emitted, checked_text, to_json

pytestmark = pytest.mark.one_database

ZONE = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None), (0, 0), (False, False), ("", ""), ([], []), ({}, {}), (-0.5, -0.5), (10**40, 10**40),
        ((1, 2), [1, 2]), (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        ({1: "a", None: "b", False: "c"}, {"1": "a", "null": "b", "false": "c"}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, 678), "2026-01-02T03:04:05.000678"),
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=ZONE), "2026-01-02T03:04:00+05:30"),
        (datetime.time(3, 4), "03:04:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Decimal("1.50"), "1.50"), (Decimal("NaN"), "NaN"), (Decimal("1E+3"), "1E+3"),
        (pathlib.Path("/a") / "b", "/a/b"), (pathlib.PureWindowsPath("c:\\x"), "c:\\x"),
        (frozenset([7]), [7]), ({"deep": [{Decimal("2")}]}, {"deep": [["2"]]}),
        ("\N{SNOWMAN}\x00\n\"", "\N{SNOWMAN}\x00\n\""),
    ],
)  # fmt: skip
def test_what_survives_and_as_what(value: Any, kept: Any) -> None:
    assert json.loads(to_json(value)) == kept


def test_a_set_is_a_list_of_all_its_members() -> None:
    assert sorted(json.loads(to_json({3, 1, 2}))) == [1, 2, 3]


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


def test_as_many_levels_as_every_reader_takes() -> None:
    assert json.loads(to_json(deep(DEEPEST - 1))) == deep(DEEPEST - 1)
    # Brackets in texts are no levels, and neither are many beside each other.
    assert to_json(["[{" * 1000, '\\"[' * 1000, [[]] * 1000])
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(20_000)
        for value in (deep(DEEPEST), {"a": deep(DEEPEST)}, deep(5_000)):
            with pytest.raises(BadResult, match="more than 500 levels"):
                to_json(value)
    finally:
        sys.setrecursionlimit(limit)


class Rude:
    def __repr__(self) -> str:
        return "x" * 10_000


@pytest.mark.parametrize(
    "value",
    [
        math.nan, math.inf, -math.inf, [math.nan], {"a": -math.inf}, object(), b"bytes", 1j, {(1, 2): 3}, {b"k": 1},
        print, deque([1]), Rude(), {Rude()}, "\ud800", {"\ud800": 1}, deep(100_000), endless(), datetime.timedelta(1),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_json_is_named(value: Any) -> None:
    with pytest.raises(BadResult) as refused:
        to_json(value)
    assert refused.value.code == "result_not_json"
    assert str(refused.value).startswith("result: expected a value that is JSON, got ")
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("letter", ["x", "\N{SNOWMAN}", "\N{GRINNING FACE}"])
def test_the_limit_is_one_mebibyte_of_utf8(letter: str) -> None:
    most = (LIMIT - 2) // len(letter.encode())
    assert len(to_json(letter * most).encode()) <= LIMIT
    with pytest.raises(BadResult, match=f"at most {LIMIT} bytes") as refused:
        to_json(letter * (most + 1))
    assert refused.value.code == "result_too_large"


def test_the_limit_counts_what_escapes_make_of_a_text() -> None:
    with pytest.raises(BadResult) as refused:
        to_json("\x00" * (LIMIT // 6 + 1))
    assert refused.value.code == "result_too_large"


TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES)
def test_json_comes_back_as_it_went_in(value: Any) -> None:
    assert json.loads(to_json(value)) == value
    assert json.loads(checked_text(json.dumps(value))) == value


@pytest.mark.parametrize(
    "text", ["", "{", "{'a': 1}", "NaN", "[Infinity]", '"\\ud800"', "1 2", "[" * 100_000]
)
def test_text_of_other_languages_is_held_to_the_same_rules(text: str) -> None:
    with pytest.raises(BadResult) as refused:
        checked_text(text)
    assert refused.value.code == "result_not_json"


def test_text_of_other_languages_that_is_too_large() -> None:
    with pytest.raises(BadResult) as refused:
        checked_text('"' + "x" * LIMIT + '"')
    assert refused.value.code == "result_too_large"


@pytest.mark.parametrize("items", [[0], [None], [[]], [1, "two", {"three": [3]}]])
def test_emitted_items_are_a_list_even_of_one(items: list[Any]) -> None:
    emitted = Emitted()
    for item in items:
        emitted.add(to_json(item))
    assert emitted
    assert json.loads(emitted.text()) == items


def test_nothing_emitted_is_no_list() -> None:
    assert not Emitted()


def test_what_was_emitted_does_not_change_any_more() -> None:
    emitted, item = Emitted(), [1]
    emitted.add(to_json(item))
    item.append(2)
    assert emitted.text() == "[[1]]"


def test_emitted_items_may_fill_the_limit_to_the_byte_and_no_further() -> None:
    emitted = Emitted()
    for _ in range(15):
        emitted.add(to_json("x" * (65_536 - 3)))
    emitted.add(to_json("x" * (65_536 - 3 - 1)))
    assert len(emitted.text()) == LIMIT
    emitted.add("1")
    with pytest.raises(BadResult) as refused:
        emitted.text()
    assert refused.value.code == "result_too_large"


def test_a_script_that_emits_for_ever_does_not_fill_the_memory() -> None:
    emitted = Emitted()
    for _ in range(100):
        emitted.add(to_json("x" * (LIMIT // 2)))
    assert sum(map(len, emitted._items)) <= LIMIT
