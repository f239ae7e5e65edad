"""JSON from outside."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskhub.core.errors import BadInput, TooLarge
from taskhub.core.guards.json import check_text, check_value, parse

pytestmark = pytest.mark.one_database

LIMIT = 2 * 1024 * 1024
VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8", min_codepoint=1)), inner)
    ),
    max_leaves=30,
)


@given(VALUES)
def test_what_json_can_say_comes_through_unchanged(value):
    assert parse(json.dumps(value).encode(), limit=LIMIT) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode(), limit=LIMIT) == value


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(raw):
    try:
        parse(raw, limit=LIMIT)
    except BadInput as exc:
        assert str(exc)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "body: expected JSON"),
        ("nul", "body: expected JSON"),
        ("{'a': 1}", "body: expected JSON"),
        ("[1,]", "body: expected JSON"),
        ("[]]", "body: expected JSON"),
        ('{"a": 1} {}', "line 1, column 10"),
        ('{"a": 1, "b": {"c": 2, "c": 3}}', "c: expected to be given once"),
        ('{"a": NaN}', "a: expected a finite number, got nan"),
        ('{"a": [1, Infinity]}', r"a\[1\]: expected a finite number, got inf"),
        ("[-Infinity]", "finite number, got -inf"),
        ("[1e999]", "finite number, got inf"),
        ('{"a": {"b": 9223372036854775808}}', r"a\.b: expected a whole number of 64 bits"),
        ('{"a": -9223372036854775809}', "a: expected a whole number of 64 bits"),
        ("9" * 100_000, "body: expected a whole number of 64 bits"),
        ('{"a": "x\\u0000y"}', "a: expected a text without NUL, got one at character 1"),
        ('{"a\\u0000": 1}', "a text without NUL"),
        ('{"a": ["\\ud800"]}', r"a\[0\]: expected a text without lone surrogates"),
        ('{"\\udfff": 1}', "a text without lone surrogates"),
        ('"a\nb"', "body: expected JSON"),
    ],
)
def test_what_is_wrong_is_refused_by_name(text, said):
    with pytest.raises(BadInput, match=said):
        parse(text.encode(), limit=LIMIT)


def test_the_edges_of_64_bits_are_numbers():
    assert parse(b"[9223372036854775807, -9223372036854775808]", limit=LIMIT) == [2**63 - 1, -(2**63)]


def test_a_pair_of_surrogates_is_a_character():
    assert parse(b'"\\ud83d\\ude00"', limit=LIMIT) == "\N{GRINNING FACE}"


@pytest.mark.parametrize("raw", [b'"\xff"', b"\xfe\xff\x00{", '{"a": 1}'.encode("utf-16"), b'"\xed\xa0\x80"'])
def test_other_bytes_than_utf_8_are_refused(raw):
    with pytest.raises(BadInput, match="expected UTF-8"):
        parse(raw, limit=LIMIT)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_64_levels_are_read_and_no_more(opening, closing):
    levels = 64 // opening.count("[" if opening[0] == "[" and "{" not in opening else "{")
    levels = 64 if opening in ("[", '{"a":') else 32
    parse((opening * levels + "1" + closing * levels).encode(), limit=LIMIT)
    with pytest.raises(BadInput, match="expected at most 64 levels"):
        parse((opening * (levels + 1) + "1" + closing * (levels + 1)).encode(), limit=LIMIT)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        '{"a":' * 300_000,
        "[" * 900_000 + "]" * 900_000,
        '[{"a":' * 300_000,
        '["' + "[" * 1_000_000,
    ],
    ids=["lists", "objects", "closed", "mixed", "in an open string"],
)
def test_depth_never_reaches_the_recursion_of_a_parser(text):
    with pytest.raises(BadInput):
        parse(text.encode(), limit=LIMIT)


def test_brackets_in_strings_do_not_count():
    text = json.dumps({"a": "[" * 1000 + '\\"' + "{" * 1000, '"[': "]"})
    assert parse(text.encode(), limit=LIMIT) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        '"\\"' * 400_000,
        '\\"' * 900_000,
        '"' * 2_000_000,
        "]" * 2_000_000,
        "[]" * 1_000_000,
        '{"a":1}' * 250_000,
    ],
    ids=["open strings", "escapes outside", "quotes", "closings", "pairs", "objects"],
)
def test_no_text_of_the_allowed_size_takes_long(text):
    before = time.process_time()
    with pytest.raises(BadInput):
        parse(text.encode(), limit=LIMIT)
    assert time.process_time() - before < 3


def test_longer_than_the_limit_is_too_large():
    with pytest.raises(TooLarge, match="expected at most 10 bytes, got 12"):
        parse(b'"0123456789"', limit=10)
    assert parse(b'"01234567"', limit=10) == "01234567"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": {1: 2}}, "p.a: expected names that are texts, got int"),
        ({"a": object()}, "p.a: expected a value that JSON knows, got object"),
        ({"a": b"x"}, "p.a: expected a value that JSON knows, got bytes"),
        ([2**63], "p.0.: expected a whole number of 64 bits"),
        ([float("nan")], "p.0.: expected a finite number"),
        ("\0", "p: expected a text without NUL"),
        ({"\ud800": 1}, "p: expected a text without lone surrogates"),
    ],
)
def test_values_that_json_does_not_know_are_refused(value, said):
    with pytest.raises(BadInput, match=said):
        check_value(value, "p", limit_bytes=1000)


def test_a_value_may_take_as_many_bytes_as_allowed():
    check_value("é" * 49, "p", limit_bytes=100)
    with pytest.raises(TooLarge) as refused:
        check_value("é" * 50, "p", limit_bytes=100)
    assert refused.value.fields == {"p": "expected at most 100 bytes, got more"}


def test_a_value_that_repeats_itself_is_not_written_out():
    value: list[Any] = ["x"]
    for _ in range(40):
        value = [value] * 10
    with pytest.raises(TooLarge):
        check_value(value, "p", limit_bytes=256 * 1024)


def test_a_value_within_itself_is_too_deep():
    value: list[Any] = []
    value.append(value)
    with pytest.raises(BadInput, match="p: expected at most 64 levels"):
        check_value(value, "p", limit_bytes=1000)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "name: expected a text, got int"),
        (None, "name: expected a text, got null"),
        ("x" * 11, "name: expected at most 10 characters, got 11"),
        ("a\0", "name: expected a text without NUL, got one at character 1"),
        ("\udcff", "name: expected a text without lone surrogates"),
        ("  ", "name: expected a text that is not blank"),
    ],
)
def test_texts_are_checked_by_name(value, said):
    with pytest.raises(BadInput, match=said) as refused:
        check_text(value, "name", max_length=10, blank=False)
    assert list(refused.value.fields) == ["name"]


def test_a_good_text_comes_back():
    assert check_text("", "name", max_length=10) == ""
    assert check_text(" a é ", "name", max_length=10, blank=False) == " a é "


def test_names_of_fields_cannot_carry_anything_into_a_message():
    with pytest.raises(BadInput) as refused:
        parse(b'{"a\\n\\u001b[31m": NaN}', limit=LIMIT)
    assert str(refused.value).isprintable()
