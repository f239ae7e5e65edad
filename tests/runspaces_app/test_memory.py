"""What was measured, thinned out for drawings: every peak stays, gaps stay gaps, one statement each."""

import json
from datetime import timedelta

import pytest

from runspaces_app.models import Runspace, RunspaceSample
from runspaces_app.pages import memory
from tests.support import MINUTE, NOON, make_runspace

pytestmark = pytest.mark.django_db
MB = 1024 * 1024
LIMIT = 100 * MB


def measure(runspace: Runspace, **minutes_ago: float) -> None:
    """Samples as `m<minutes>=MB`; an underscore stands for the point."""
    for name, size in minutes_ago.items():
        back = float(name.removeprefix("m").replace("_", "."))
        RunspaceSample.objects.create(
            runspace=runspace, at=NOON - back * MINUTE, memory_bytes=int(size * MB), threads=2, handles=9
        )


def values(runspace, period, *, now=NOON):
    chart = memory.chart(runspace, period=period, limit=LIMIT, now=now)
    return [value for _, value in json.loads(chart.points)["values"]]


def test_a_line_has_sixty_places_of_two_minutes_and_keeps_the_peak_of_each():
    row = make_runspace()
    measure(row, m117=10, m3=20, m2_5=35.25, m0_2=30, m121=99)
    places = memory.lines([row], now=NOON)[row.pk].split(",")
    assert len(places) == 60
    assert {place: value for place, value in enumerate(places) if value} == {
        0: "10.0",
        57: "35.2",
        58: "30.0",
    }


def test_the_lines_of_many_take_one_statement(django_assert_num_queries):
    rows = [make_runspace() for _ in range(5)]
    for row in rows[1:]:
        measure(row, m1=row.pk)
    with django_assert_num_queries(1):
        lines = memory.lines(rows, now=NOON)
    assert rows[0].pk not in lines and len(lines) == 4
    with django_assert_num_queries(0):
        assert memory.lines([], now=NOON) == {}


@pytest.mark.one_database
def test_the_lines_are_read_along_an_index():
    plan = memory.by_stretch([1, 2], now=NOON).explain()
    assert "USING INDEX sample_runspace_at" in plan, plan


@pytest.mark.parametrize(
    ("period", "shown"), [("1", [50.0]), ("6", [80.0, None, 50.0]), ("24", [80.0, None, 50.0])]
)
def test_a_period_shows_what_lies_within_it(period, shown, django_assert_num_queries):
    row = make_runspace()
    measure(row, m30=50, m90=80, m1500=99)
    with django_assert_num_queries(1):
        assert values(row, period) == shown


def test_an_unknown_period_is_the_shortest():
    assert memory.chart(make_runspace(), period="<b>", limit=LIMIT, now=NOON).period.name == "1"


def test_a_day_has_a_point_for_five_minutes_with_the_most_of_each():
    row = make_runspace()
    for minute in range(10):
        measure(row, **{f"m{20 + minute}": 10 + minute})
    assert values(row, "24") == [19.0, 15.0, 10.0]
    table = memory.chart(row, period="24", limit=LIMIT, now=NOON).table
    assert [point.at for point in table] == sorted((point.at for point in table), reverse=True)
    assert {(point.threads, point.handles) for point in table} == {(2, 9)}


def test_a_stretch_without_measurements_is_a_gap_and_a_short_pause_is_none():
    row = make_runspace()
    measure(row, m10=10, m9_5=11, m8=12, m3=13)
    assert values(row, "1") == [10.0, 11.0, 12.0, None, 13.0]


@pytest.mark.parametrize(("megabytes", "drawn"), [(200, 100), (7, 100), (4, 100), (3.9, None)])
def test_the_limit_is_drawn_unless_it_is_far_above(megabytes, drawn):
    row = make_runspace()
    measure(row, m5=megabytes)
    chart = memory.chart(row, period="1", limit=LIMIT, now=NOON)
    assert json.loads(chart.points)["limit"] == drawn and chart.far is (drawn is None)


def test_a_closed_one_shows_its_own_last_hour():
    row = make_runspace(state="closed", closed_at=NOON - timedelta(hours=5))
    measure(row, m310=40, m10=99)
    assert values(row, "1") == [40.0]


def test_a_chart_has_a_bounded_number_of_points_and_of_table_lines():
    row = make_runspace()
    start = NOON - timedelta(hours=24)
    RunspaceSample.objects.bulk_create(
        RunspaceSample(runspace=row, at=start + number * memory.EVERY, memory_bytes=MB, threads=1, handles=1)
        for number in range(24 * 240)
    )
    assert [len(values(row, period.name)) <= 361 for period in memory.PERIODS] == [True] * 3
    assert len(memory.chart(row, period="24", limit=LIMIT, now=NOON).table) <= memory.TABLE_LINES
    assert len(memory.lines([row], now=NOON)[row.pk].split(",")) == 60
