"""YAML from files people write."""

import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskhub.core.errors import BadInput
from taskhub.core.guards.yaml import LIMIT, BadYaml, load

pytestmark = pytest.mark.one_database


def read(text: str | bytes) -> object:
    return load(text, source="tasks.yaml")


def test_plain_values_come_through():
    text = "a: 1\nb: [x, 2.5, true, ~]\nc:\n  d: 2026-03-10\n  e: |\n    two\n    lines\n"
    assert read(text) == {
        "a": 1,
        "b": ["x", 2.5, True, None],
        "c": {"d": datetime.date(2026, 3, 10), "e": "two\nlines\n"},
    }


@pytest.mark.parametrize("text", ["", "# nothing", "---\n", b"", "\ufeff"])
def test_an_empty_file_is_none(text):
    assert read(text) is None


def test_anchors_and_merges_work():
    text = "base: &b {x: 1, y: 2}\none:\n  <<: *b\n  y: 3\ntwo: *b\n"
    assert read(text) == {"base": {"x": 1, "y": 2}, "one": {"x": 1, "y": 3}, "two": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3", 3, "a: expected to be given once"),
        ("x:\n  - k: 1\n    k: 2", 3, "k: expected to be given once"),
        ("a: [1, 2", 1, "expected YAML"),
        ("a: 1\n\tb: 2", 2, "expected YAML"),
        ("a: 1\n---\nb: 2", 2, "another document"),
        ("a: *nowhere", 1, "undefined alias"),
        ("a:\n  schedule: * * * * *", 2, r"a text that begins with \* needs quotes"),
        ("- schedule: {cron: */5 * * * *}", 1, r"a text that begins with \* needs quotes"),
        ("schedule: @daily", 1, "a text that begins with @ needs quotes"),
        ("a: &a [1, *a]", 1, r"\*a within itself"),
        (
            "a: 1\nb: !!python/object/apply:os.system ['true']",
            2,
            "the tag tag:yaml.org,2002:python/object/apply:os.system",
        ),
        ("!!python/name:os.system", 1, "the tag"),
        ("!!python/object/new:type {}", 1, "the tag"),
        ("a: !custom x", 1, "the tag !custom"),
        ("!!binary aGk=", 1, "the tag"),
        ("!!set {a}", 1, "the tag"),
        ("a:\n  b: .nan", 2, "expected a finite number, got .nan"),
        ("a: -.inf", 1, "expected a finite number"),
        ("a: 9223372036854775808", 1, "expected a whole number of 64 bits"),
        ("a: 1" + "0" * 10_000, 1, "expected a whole number of 64 bits"),
        ("a: 0b_", 1, "expected a whole number of 64 bits"),
        ("a: 2026-13-45", 1, "expected a date that exists"),
        ("!!int foo", 1, "expected a whole number"),
        ("!!float bar", 1, "expected a finite number"),
        ("!!bool x", 1, "expected true or false"),
        ("!!timestamp q", 1, "expected a date"),
        ("!!map x", 1, "expected a map"),
        ("!!seq {a: 1}", 1, "expected YAML"),
        ("? [a]\n: 1", 1, "expected a name"),
        ("? {a: 1}\n: 1", 1, "expected a name"),
        ("<<: 3", 1, "expected YAML"),
        ('a: "\\0"', 1, "a text without NUL"),
        ('a: "\\ud800"', 1, "expected YAML"),
    ],
)
def test_mistakes_are_refused_with_file_and_line(text, line, said):
    with pytest.raises(BadYaml, match=said) as refused:
        read(text)
    assert (refused.value.source, refused.value.line) == ("tasks.yaml", line)
    assert str(refused.value).startswith(f"tasks.yaml, line {line}: ")


@pytest.mark.parametrize("text", ["a: \0", b"\xff\xfe", b"a: \xff", "a: \udc80"])
def test_bytes_that_are_no_text_are_refused_with_the_file(text):
    with pytest.raises(BadYaml, match=r"^tasks\.yaml"):
        read(text)


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, levels)]
    return "\n".join(lines)


def merge_bomb(levels: int) -> str:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {{<<: [" + ", ".join([f"*a{n - 1}"] * 9) + "]}" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        bomb(12),
        merge_bomb(12),
        "[" * 100_000,
        "{" * 100_000,
        "- " * 5_000,
        "? " * 5_000,
        "[{a: " * 1_000,
        "- 1\n" * 200_000,
        "&a " * 1000,
        "!!map " * 1000,
    ],
    ids=["aliases", "merges", "lists", "maps", "dashes", "keys", "mixed", "wide", "anchors", "tags"],
)
def test_bombs_are_refused_before_they_are_built(text):
    before = time.process_time()
    with pytest.raises(BadYaml):
        read(text)
    assert time.process_time() - before < 5


def test_64_levels_are_read_and_no_more():
    read("[" * 64 + "]" * 64)
    with pytest.raises(BadYaml, match="at most 64 levels"):
        read("[" * 65 + "]" * 65)


def test_a_file_over_the_limit_is_refused():
    with pytest.raises(BadYaml, match=f"at most {LIMIT} bytes"):
        read("#" + "x" * LIMIT)


def test_it_is_bad_input_with_a_code_of_its_own():
    assert issubclass(BadYaml, BadInput)
    assert BadYaml.code == "bad_yaml"


@given(st.text(st.sampled_from("ab:- \n[]{}&*!?|>'\"#%@`,.~<0123456789\t\\\0\ud800"), max_size=40))
def test_whatever_comes_is_read_or_refused(text):
    try:
        read(text)
    except BadYaml as exc:
        assert exc.problem


@given(st.binary(max_size=60))
def test_whatever_bytes_come_are_read_or_refused(raw):
    try:
        read(raw)
    except BadYaml as exc:
        assert exc.problem
