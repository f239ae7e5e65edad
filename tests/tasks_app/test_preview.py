"""The next runs, with a word on times that the local clock skips or shows twice."""

from datetime import UTC, datetime

import pytest

from tasks_app.schedule import preview
from tests.support import NOON

NEW_YORK = "America/New_York"
SPRING = datetime(2026, 3, 8, 0, 30, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


def notes(text, now, zone=NEW_YORK, count=5):
    runs = preview.next_runs(text, zone, count=count, now=now)
    return {f"{run.local:%d %H:%M%z}": run.note for run in runs if run.note}


@pytest.mark.parametrize(
    ("text", "zone", "now", "expected"),
    [
        ("30 2 * * *", NEW_YORK, SPRING,
         {"08 03:00-0400": "02:30 does not exist on 2026-03-08, runs at 03:00"}),
        ("0 2,3 * * *", NEW_YORK, SPRING,
         {"08 03:00-0400": "02:00 does not exist on 2026-03-08, runs at 03:00"}),
        ("0,30 2,3 * * *", NEW_YORK, SPRING,
         {"08 03:00-0400": "02:00, 02:30 do not exist on 2026-03-08, run at 03:00"}),
        ("0 3 * * *", NEW_YORK, SPRING, {}),
        ("30 1 * * *", NEW_YORK, SPRING, {}),
        ("0 * * * *", NEW_YORK, datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
         {"08 03:00-0400": "02:00 does not exist on 2026-03-08, the clock goes on at 03:00"}),
        ("*/20 2 * * *", NEW_YORK, SPRING,
         {"09 02:00-0400": "02:00, 02:20, 02:40 do not exist on 2026-03-08, the clock goes on at 03:00"}),
        ("* 2 * * *", NEW_YORK, SPRING,
         {"09 02:00-0400": "02:00, 02:01, 02:02 and 57 more do not exist on 2026-03-08, "
                           "the clock goes on at 03:00"}),
        ("30 1 * * *", NEW_YORK, AUTUMN,
         {"01 01:30-0400": "01:30 happens twice on 2026-11-01, runs at the first"}),
        ("30 2 * * *", NEW_YORK, AUTUMN, {}),
        ("0 * * * *", NEW_YORK, datetime(2026, 11, 1, 4, 30, tzinfo=UTC),
         {"01 01:00-0400": "01:00 happens twice on 2026-11-01, this is the first",
          "01 01:00-0500": "01:00 happens twice on 2026-11-01, this is the second"}),
        ("15 2 * * *", "Australia/Lord_Howe", datetime(2026, 10, 2, tzinfo=UTC),
         {"04 02:30+1100": "02:15 does not exist on 2026-10-04, runs at 02:30"}),
        ("0 0 * * *", "America/Santiago", datetime(2026, 9, 5, tzinfo=UTC),
         {"06 01:00-0300": "00:00 does not exist on 2026-09-06, runs at 01:00"}),
        ("30 1 * * *", "Antarctica/Troll", datetime(2026, 3, 28, tzinfo=UTC),
         {"29 03:00+0200": "01:30 does not exist on 2026-03-29, runs at 03:00"}),
        ("30 2 * * *", "UTC", SPRING, {}),
    ],
)  # fmt: skip
def test_skipped_and_doubled_times_are_marked(text, zone, now, expected):
    assert notes(text, now, zone) == expected


def test_a_run_shows_utc_and_the_local_clock():
    (run,) = preview.next_runs("0 9 * * *", "Europe/Berlin", count=1, now=NOON)
    assert (run.due_at.hour, run.local.hour, run.note) == (8, 9, "")


def test_runs_far_apart_and_schedules_that_end_have_no_notes():
    assert notes("0 0 29 2 *", NOON, count=3) == {}
    assert len(preview.next_runs("* * * * *", "UTC", count=10_000, now=NOON)) == preview.MOST
