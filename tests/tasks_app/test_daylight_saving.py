"""Debian cron's rules where the local clock jumps, as a table, by chance, and against a walk."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from tasks_app.errors import NeverFires
from tasks_app.schedule import cron

pytestmark = pytest.mark.one_database

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"
SPRING, AUTUMN = "2026-03-08", "2026-11-01"
EVERY_HOUR_SPRING = ["00:00-05", "01:00-05", *[f"{hour:02}:00-04" for hour in range(3, 24)]]
EVERY_HOUR_AUTUMN = ["00:00-04", "01:00-04", *[f"{hour:02}:00-05" for hour in range(1, 24)]]

# schedule, zone, local day, every due time of that day with its offset
TABLE = [
    ("30 2 * * *", NEW_YORK, SPRING, ["03:00-04"]),
    ("30 2 * * *", NEW_YORK, AUTUMN, ["02:30-05"]),
    ("30 1 * * *", NEW_YORK, SPRING, ["01:30-05"]),
    ("30 1 * * *", NEW_YORK, AUTUMN, ["01:30-04"]),
    ("0 3 * * *", NEW_YORK, SPRING, ["03:00-04"]),
    ("0 3 * * *", NEW_YORK, AUTUMN, ["03:00-05"]),
    ("0 * * * *", NEW_YORK, SPRING, EVERY_HOUR_SPRING),
    ("0 * * * *", NEW_YORK, AUTUMN, EVERY_HOUR_AUTUMN),
    ("* 2 * * *", NEW_YORK, SPRING, []),
    ("*/20 2 * * *", NEW_YORK, SPRING, []),
    ("*/20 2 * * *", NEW_YORK, AUTUMN, ["02:00-05", "02:20-05", "02:40-05"]),
    ("0 2,3 * * *", NEW_YORK, SPRING, ["03:00-04"]),
    ("0 2,3 * * *", NEW_YORK, AUTUMN, ["02:00-05", "03:00-05"]),
    ("0,30 2,3 * * *", NEW_YORK, SPRING, ["03:00-04", "03:30-04"]),
    ("0,30 2,3 * * *", NEW_YORK, AUTUMN, ["02:00-05", "02:30-05", "03:00-05", "03:30-05"]),
    ("15 */2 * * *", NEW_YORK, SPRING, ["00:15-05", *[f"{hour:02}:15-04" for hour in range(4, 24, 2)]]),
    ("15 */2 * * *", NEW_YORK, AUTUMN, ["00:15-04", *[f"{hour:02}:15-05" for hour in range(2, 24, 2)]]),
    ("15 2 * * *", LORD_HOWE, "2026-10-04", ["02:30+11"]),
    ("15 2 * * *", LORD_HOWE, "2026-04-05", ["02:15+10:30"]),
    ("0 0 * * *", "America/Santiago", "2026-09-06", ["01:00-03"]),
    ("30 1 * * *", "Antarctica/Troll", "2026-03-29", ["03:00+02"]),
]
CHANGES = {
    NEW_YORK: [SPRING, AUTUMN],
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "Antarctica/Troll": ["2026-03-29", "2026-10-25"],
    LORD_HOWE: ["2026-10-03", "2026-04-04"],
    "America/Santiago": ["2026-09-06", "2026-04-05"],
    "America/Havana": ["2026-03-08", "2026-11-01"],
    "UTC": ["2026-06-01"],
}


@pytest.mark.parametrize(("text", "zone", "day", "expected"), TABLE)
def test_the_due_times_of_a_day_on_which_the_clock_changes(text, zone, day, expected):
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    found = []
    for due in cron.parse(text, zone).iterate(start.astimezone(UTC) - timedelta(minutes=1)):
        local = due.astimezone(ZoneInfo(zone))
        if local.date() != start.date():
            break
        found.append(local.isoformat()[11:16] + local.isoformat()[19:].removesuffix(":00"))
    assert found == expected


def test_each_half_hour_of_a_change_is_one_due_time():
    half_hours = cron.parse("*/30 * * * *", NEW_YORK)
    spring = half_hours.next_after(datetime(2026, 3, 8, 6, 30, tzinfo=UTC))
    assert spring == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    autumn = half_hours.iterate(datetime(2026, 11, 1, 4, 59, tzinfo=UTC))
    assert [next(autumn) for _ in range(4)] == [
        datetime(2026, 11, 1, 5, tzinfo=UTC) + index * timedelta(minutes=30) for index in range(4)
    ]


def test_inside_the_second_pass_of_a_repeated_hour_the_first_does_not_come_back():
    # 01:10 at UTC-5; the only 01:30 of that day lies 40 minutes back.
    moment = datetime(2026, 11, 1, 6, 10, tzinfo=UTC)
    assert cron.parse("30 1 * * *", NEW_YORK).next_after(moment) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


def test_by_chance_it_says_what_cronsim_says():
    chance = random.Random(20260308)  # noqa: S311 - the same draw each time
    compared = 0
    while compared < 1500:
        text, zone, moment = _triple(chance, [NEW_YORK, "Europe/Berlin", "Antarctica/Troll", "UTC"])
        found = _parsed(text, zone)
        if found is None:
            continue
        simulated = CronSim(text, moment.astimezone(ZoneInfo(zone)))
        expected = next(due for due in (each.astimezone(UTC) for each in simulated) if due > moment)
        assert found.next_after(moment) == expected, (text, zone, moment)
        compared += 1


def test_by_chance_a_wildcard_fires_at_each_minute_that_matches():
    chance = random.Random(20261101)  # noqa: S311 - the same draw each time
    compared = 0
    while compared < 600:
        text, zone, moment = _triple(chance, list(CHANGES), wildcard=True)
        found = _parsed(text, zone)
        if found is None:
            continue
        expected = _walk(text, ZoneInfo(zone), moment)
        due = found.next_after(moment)
        if expected is None:
            assert due is None or due > moment + timedelta(days=2), (text, zone, moment)
        else:
            assert due == expected, (text, zone, moment)
        compared += 1


def _parsed(text: str, zone: str) -> cron.Schedule | None:
    try:
        return cron.parse(text, zone)
    except NeverFires:
        return None


def _triple(chance: random.Random, zones: list[str], wildcard: bool = False) -> tuple[str, str, datetime]:
    def field(low: int, high: int, star: float) -> str:
        drawn = chance.random()
        if drawn < star:
            return chance.choice(["*", "*", f"*/{chance.randint(2, high)}"])
        start = chance.randint(low, high)
        if drawn < star + 0.2:
            return f"{start}-{chance.randint(start, high)}"
        return ",".join(str(chance.randint(low, high)) for _ in range(chance.randint(1, 3)))

    text = " ".join([
        field(0, 59, 1 if wildcard else 0.2), field(0, chance.choice([4, 23]), 0.3),
        field(1, 28, 0.7), field(1, 12, 0.8), field(0, 7, 0.7),
    ])  # fmt: skip
    zone = chance.choice(zones)
    day = datetime.fromisoformat(chance.choice(CHANGES[zone])).replace(tzinfo=UTC)
    return text, zone, day + timedelta(minutes=chance.randint(-1440, 2880))


def _walk(text: str, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """The first minute of the next two days whose local reading matches, looked at one by one."""
    fields = CronSim(text, datetime(2025, 1, 1))
    for minutes in range(1, 2881):
        due = moment.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
        local = due.astimezone(zone)
        if (
            local.minute in fields.minutes
            and local.hour in fields.hours
            and local.month in fields.months
            and fields.match_day(local.date())
        ):
            return due
    return None
