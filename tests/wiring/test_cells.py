"""How values are told to people."""

import pytest

from taskhub import cells

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "5 s"), (5.5, "5.5 s"), (60, "1 min"), (90, "1 min 30 s"), (600, "10 min"), (3600, "1 h"),
     (5400, "1 h 30 min"), (86_400, "1 d"), (90_000, "1 d 1 h"), (0, "0 ms")],
)  # fmt: skip
def test_a_limit_is_told_without_parts_that_are_nothing(seconds, said):
    assert cells.limit(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, cells.NOTHING),
        (0.0002, "< 1 ms"),
        (0.0123, "12 ms"),
        (3.44, "3.4 s"),
        (245, "4 min 05 s"),
        (7380, "2 h 03 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_duration_is_told_with_as_much_as_matters(seconds, said):
    assert cells.duration(seconds) == said


@pytest.mark.parametrize(
    "text", ["[" * 5000 + "]" * 5000, "9" * 5000, "{"], ids=["deep", "long number", "no JSON"]
)
def test_what_cannot_be_laid_out_is_shown_as_it_is(text):
    assert cells.pretty_json(text) == (text, False)
