"""What a cron expression may say, and what is said about one that is wrong."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from tasks_app.errors import BadSchedule, NeverFires, UnknownTimezone
from tasks_app.schedule import cron, preview

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.one_database


def first(text: str, moment: datetime = NEW_YEAR, timezone: str = "UTC") -> str:
    found = cron.parse(text, timezone).next_after(moment)
    assert found is not None
    return found.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-01-01 00:01"),
        ("*/15 * * * *", "2026-01-01 00:15"),
        ("5,10-12 3 * * *", "2026-01-01 03:05"),
        ("0 0 * FEB *", "2026-02-01 00:00"),
        ("0 0 * * mon", "2026-01-05 00:00"),
        ("0 0 * * 7", "2026-01-04 00:00"),
        ("0 0 * * 0", "2026-01-04 00:00"),
        ("0 0 L * *", "2026-01-31 00:00"),
        ("0 0 * * 1#2", "2026-01-12 00:00"),
        ("0 0 * * 5L", "2026-01-30 00:00"),
        ("@hourly", "2026-01-01 01:00"),
        ("@daily", "2026-01-02 00:00"),
        ("@Weekly", "2026-01-04 00:00"),
        ("@monthly", "2026-02-01 00:00"),
        ("@yearly", "2027-01-01 00:00"),
        ("  0   6 * * *  ", "2026-01-01 06:00"),
        # Both days restricted: either will do.
        ("0 0 13 * 5", "2026-01-02 00:00"),
        ("0 0 29 2 1#5", "2028-02-29 00:00"),
        ("0 0 * 2 1#5", "2044-02-29 00:00"),
    ],
)
def test_the_first_due_time_of(text, expected):
    assert first(text) == expected


def test_the_last_day_of_the_month_follows_its_length():
    schedule = cron.parse("0 0 L * *")
    days = [moment.day for moment, _ in zip(schedule.iterate(NEW_YEAR), range(4), strict=False)]
    assert days == [31, 28, 31, 30]


def test_the_31st_leaves_out_short_months():
    schedule = cron.parse("0 0 31 * *")
    months = [moment.month for moment, _ in zip(schedule.iterate(NEW_YEAR), range(4), strict=False)]
    assert months == [1, 3, 5, 7]


def test_a_due_time_is_strictly_after_the_moment():
    assert first("0 6 * * *", NEW_YEAR + timedelta(hours=6)) == "2026-01-02 06:00"
    assert first("0 6 * * *", NEW_YEAR + timedelta(hours=5, minutes=59, microseconds=1)) == "2026-01-01 06:00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("61 * * * *", "minute: 61 is not in 0-59"),
        ("* 24 * * *", "hour: 24 is not in 0-23"),
        ("* * 0 * *", "day-of-month: 0 is not in 1-31"),
        ("* * * 13 *", "month: 13 is not in 1-12"),
        ("* * * * 8", "weekday: 8 is not in 0-7"),
        ("* * * * FRI-SUN", "weekday: expected a range from low to high"),
        ("* * * JANUARY *", "month: expected * or numbers from 1 to 12, JAN to DEC"),
        ("*/0 * * * *", "minute: expected"),
        (",1 * * * *", "minute: expected"),
        ("* * * * 1#6", "weekday: expected"),
        ("* * * *", "expected five fields"),
        ("0 * * * * *", "expected five fields"),
        ("", "expected five fields"),
        ("@reboot", "expected one of @hourly"),
        ("* * * * *; rm", "got ';'"),
        ("\u0661 * * * *", "got '\u0661'"),
        ("* * * * *\0", "got '\\x00'"),
        ("* * * * *\n* * * * *", "got '\\n'"),
        ("*" * 257, "at most 256 characters"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_place(text, said):
    with pytest.raises(BadSchedule) as caught:
        cron.parse(text)
    assert said in str(caught.value)
    assert list(caught.value.fields or {}) == ["schedule"]


@pytest.mark.parametrize(
    "text",
    [
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
        # Day 1 or 29 and the third Monday: the star joins them by AND.
        "0 0 */28 * 1#3",
        "0 0 LW * */7",
    ],
)
def test_what_can_never_fire_is_refused(text):
    with pytest.raises(NeverFires):
        cron.parse(text)


def test_what_never_fires_in_its_zone_is_refused_there_only():
    # The second Sunday in March has no 02:00 in New York, and a wildcard does not move.
    text = "*/20 2 * 3 0#2"
    with pytest.raises(NeverFires):
        cron.parse(text, "America/New_York")
    assert first(text) == "2026-03-08 02:00"


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "EST5EDT4", "\0", "localtime", "Factory", "a" * 5000]
)
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(UnknownTimezone):
        cron.parse("* * * * *", name)


@pytest.mark.parametrize(
    "text",
    [
        "*/1," * 60 + "* * * * *",
        "9" * 256,
        "0-59/1," * 35 + "0 * * *",
        " ".join(["1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18"] * 5),
        "* " * 128,
        "-" * 200,
        "1#1#1#1 * * * 1#1#1",
        "0 0 LW * */7",
        "*/20 2 * 3 0#2",
        "/////////// * * * *",
        "*-*/*-* * * * *",
    ],
)
@pytest.mark.parametrize("timezone", ["UTC", "America/New_York"])
def test_no_text_takes_longer_than_100_ms(text, timezone):
    cron.parse("* * * * *", timezone)
    start = time.process_time()
    with suppress(BadSchedule):
        cron.parse(text, timezone)
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("*/30 * * * 1-5", "Every 30 minutes on Monday through Friday"),
        ("*/15 9-17 * * *", "Every 15 minutes from 09:00 through 17:59"),
        ("*/7 * * * *", "Every seventh minute of every hour"),
        ("0 */6 * * *", "Every 6 hours"),
        ("30 */4 1 * *", "Every 4 hours, at minute 30 on the first day of every month"),
        ("0 */5 * * *", "At minute 0 past every fifth hour"),
        ("0 3 * * 1", "At 03:00 on Monday"),
        ("@daily", "At 00:00 every day"),
        ("0 0 L * *", "At 00:00 on the last day of every month"),
    ],
)
def test_it_reads_in_words(text, words):
    assert cron.parse(text).words() == words


def test_the_preview_gives_utc_and_the_clock_of_the_zone():
    runs = preview.next_runs("0 9 * * *", "Asia/Kolkata", count=2, now=NEW_YEAR)
    assert [run.due_at.isoformat() for run in runs] == [
        "2026-01-01T03:30:00+00:00",
        "2026-01-02T03:30:00+00:00",
    ]
    assert runs[0].local.isoformat() == "2026-01-01T09:00:00+05:30"


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("text", ["*/7 * * * *", "30 1,2 * * *", "0 3 * * 1", "15 */2 L * *"])
def test_counting_days_gives_what_walking_gives(text, timezone):
    schedule = cron.parse(text, timezone)
    after, until = datetime(2026, 2, 27, 11, 3, tzinfo=UTC), datetime(2026, 4, 12, 17, 30, tzinfo=UTC)
    walked = []
    for moment in schedule.iterate(after):
        if moment > until:
            break
        walked.append(moment)
    assert schedule.count(after, until) == len(walked)
    assert schedule.newest(after, until, limit=20) == walked[-20:]


def test_a_year_of_minutes_is_counted_at_once():
    start = time.process_time()
    assert cron.parse("* * * * *").count(NEW_YEAR, NEW_YEAR + timedelta(days=365)) == 365 * 1440
    assert time.process_time() - start < 0.5
