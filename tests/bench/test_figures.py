"""The arithmetic of the table, and what a page keeps when it is written anew."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.bench import report
from tests.bench.figures import Check, Row, number, percentile

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 100), (0.95, 190), (0.99, 198), (1.0, 200), (0.0, 1), (0.001, 1)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: int):
    assert percentile(range(200, 0, -1), share) == expected


def test_a_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="expected values"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("value", "text"), [(4210.4, "4,210"), (123.4, "123"), (12.34, "12.3"), (0.814, "0.81"), (0, "0.00")]
)
def test_numbers_show_three_digits(value: float, text: str):
    assert number(value) == text


def test_a_missed_goal_says_by_how_much():
    row = Row("drain", "≥ 2 x Peer", checks=[Check("x Peer", 1.5, 2.0, at_least=True)])
    assert row.verdict() == "missed: 1.50 of ≥ 2.00 x Peer: 25.0 % short"


def test_a_ceiling_is_kept_by_what_is_below_it():
    assert Row("wait", "≤ 5 ms", checks=[Check("ms", 4.9, 5.0, at_least=False)]).verdict() == "met"
    assert "2.00 % over" in Row("wait", "", checks=[Check("ms", 5.1, 5.0, at_least=False)]).verdict()


def test_a_measure_that_broke_is_told_as_such():
    row = Row("rest", "", error="BenchError: no Redis")
    results: dict[str, Any] = {"measures": {}}
    report.record(results, "rest", [row], at=NOON, command="bench", runs=1, machine={}, state="idle")
    assert "| rest |  | BenchError: no Redis |  |  | not measured |" in report.render(results, ["rest"], "")


def test_remarks_stay_and_other_measures_keep_their_rows(tmp_path: Path):
    results = report.load(tmp_path)
    for name in ("drain", "rest"):
        row = Row(name, "goal", f"{name} figure", runs={"Taskhub": [1.0, 2.0, 3.0]})
        report.record(
            results, name, [row], at=NOON, command="bench", runs=3, machine={"Processor": "one"}, state="idle"
        )
    report.write(results, ["drain", "rest"], folder=tmp_path)
    page = tmp_path / "README.md"
    page.write_text(
        page.read_text().replace(report.REMARKS_END, "The commit is slow.\n" + report.REMARKS_END)
    )

    results = report.load(tmp_path)
    report.record(
        results,
        "drain",
        [Row("drain", "goal", "new figure")],
        at=NOON,
        command="b",
        runs=1,
        machine={},
        state="idle",
    )
    report.write(results, ["drain", "rest"], folder=tmp_path)

    text = page.read_text()
    assert "The commit is slow." in text
    assert "new figure" in text
    assert "drain figure" not in text
    assert "rest figure" in text
    assert text.count(report.REMARKS_BEGIN) == 1
