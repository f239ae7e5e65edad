"""Cron expressions: what they may say, when they fire, and how they read in words."""

import re
from collections.abc import Iterator
from copy import copy
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSimError
from cronsim.cronsim import Field

from ..errors import BadSchedule, NeverFires
from . import zones
from .simulation import Simulation
from .wording import plainer

LONGEST = 256

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_ALLOWED = re.compile(r"[0-9A-Za-z*,/#\- \t]*")
_FIELDS = {
    "minute": (Field.MINUTE, 0, 59, "* or numbers from 0 to 59"),
    "hour": (Field.HOUR, 0, 23, "* or numbers from 0 to 23"),
    "day-of-month": (Field.DAY, 1, 31, "* or numbers from 1 to 31, L for the last day"),
    "month": (Field.MONTH, 1, 12, "* or numbers from 1 to 12, JAN to DEC"),
    "weekday": (
        Field.DOW,
        0,
        7,
        "* or numbers from 0 to 7, SUN to SAT, 1#2 for the second Monday, 5L for the last Friday",
    ),
}
# Far enough from any change of the rules to be asked whether a schedule fires at all.
_ANY_DAY = datetime(2025, 1, 1, tzinfo=UTC)


class Schedule:
    """One expression in one time zone. Instances are shared: get them from `parse`.

    Attributes:
        wall_clock: its times are fixed, so each comes once a day however the clock is changed;
            otherwise it follows real time.
    """

    def __init__(self, text: str, zone: ZoneInfo) -> None:
        self.text = text
        self.zone = zone
        self.expression = MACROS.get(text.strip().lower(), text)
        try:
            self._fields = Simulation(self.expression, _ANY_DAY.replace(tzinfo=None))
        except CronSimError as exc:
            raise _never(text) from exc
        parts = self.expression.split()
        self.wall_clock = not parts[0].startswith("*") and not parts[1].startswith("*")

    def __repr__(self) -> str:
        return f"Schedule({self.text!r}, {self.zone.key!r})"

    def next_after(self, moment: datetime) -> datetime | None:
        """First due time strictly after `moment`, or None if none comes within 50 years.

        Args:
            moment: aware, in any zone; the fields are read in the schedule's own.

        Returns:
            An aware UTC datetime on a whole minute. A fixed time inside a gap of the local clock
            moves to the first minute after it; in a repeated hour it counts once, the first time.

        Source: crontab(5) and cron(8) of Debian.
        """
        return next(self.iterate(moment), None)

    def iterate(self, moment: datetime) -> Iterator[datetime]:
        """Due times strictly after `moment` in order, each once, in UTC."""
        last = moment.astimezone(UTC)
        simulation = self._start(last)
        while True:
            try:
                found = next(simulation).astimezone(UTC)
            except (StopIteration, OverflowError, ValueError):
                # 50 years without a match, or the end of the calendar.
                return
            # Two local times of one gap fall together, and a start inside a repeated hour is
            # read as its first pass; comparing on UTC leaves both out.
            if found > last:
                last = found
                yield found

    def count(self, after: datetime, until: datetime) -> int:
        """How many due times lie in (after, until].

        Whole days without a change of the clock are counted by their fields, not walked.
        """
        if until <= after:
            return 0
        local_after, local_until = after.astimezone(self.zone), until.astimezone(self.zone)
        if (local_until.date() - local_after.date()).days < 3:
            return self._walk(after, until)
        first, last = local_after.date() + timedelta(days=1), local_until.date()
        total = self._walk(after, self._midnight(first) - timedelta(seconds=1))
        per_day = len(self._fields.minutes) * len(self._fields.hours)
        day = first
        while day < last:
            start, end = self._midnight(day), self._midnight(day + timedelta(days=1))
            if end - start != timedelta(days=1):
                total += self._walk(start - timedelta(seconds=1), end - timedelta(seconds=1))
            elif day.month in self._fields.months and self._fields.match_day(day):
                total += per_day
            day += timedelta(days=1)
        return total + self._walk(self._midnight(last) - timedelta(seconds=1), until)

    def newest(self, after: datetime, until: datetime, *, limit: int) -> list[datetime]:
        """The last `limit` due times in (after, until], oldest first."""
        span = timedelta(hours=1)
        while True:
            start = max(after, until - span)
            found = list(self._stretch(start, until))
            if len(found) >= limit or start == after:
                return found[-limit:]
            span *= 6

    def names(self, local: datetime) -> bool:
        """Whether the fields name this reading of the local clock, be there such a time or not."""
        fields = self._fields
        return (
            local.minute in fields.minutes
            and local.hour in fields.hours
            and local.month in fields.months
            and bool(fields.match_day(local.date()))
        )

    def words(self) -> str:
        """The expression as a sentence: "At 03:00 on Monday"."""
        try:
            return plainer(self.expression, str(self._fields.explain()))
        except (ValueError, LookupError, TypeError, NotImplementedError):
            # The library's words know fewer forms than its parser.
            return self.expression

    def _start(self, moment: datetime) -> Simulation:
        simulation = copy(self._fields)
        local = moment.astimezone(self.zone).replace(microsecond=0)
        if self.zone.key == "UTC":
            simulation.dt = local.replace(tzinfo=UTC)
        elif self.wall_clock:
            simulation.fixup_tz = self.zone
            simulation.dt = local.replace(tzinfo=None)
        else:
            simulation.dt = local
        return simulation

    def _stretch(self, after: datetime, until: datetime) -> Iterator[datetime]:
        for moment in self.iterate(after):
            if moment > until:
                return
            yield moment

    def _walk(self, after: datetime, until: datetime) -> int:
        return sum(1 for _ in self._stretch(after, until))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)


def parse(text: str, timezone: str = "UTC", *, field: str = "schedule") -> Schedule:
    """The schedule of a cron expression or macro.

    Raises:
        BadSchedule: naming the field of the expression, what it may hold and what it holds.
        NeverFires: no date meets it.
        UnknownTimezone: `timezone` is no IANA name.
    """
    zone = zones.get(timezone)
    if len(text) > LONGEST:
        raise BadSchedule(
            f"{field}: expected at most {LONGEST} characters, got {len(text)}",
            fields={field: f"expected at most {LONGEST} characters, got {len(text)}"},
        )
    return _parsed(text, zone, field)


@lru_cache(maxsize=16_384)
def _parsed(text: str, zone: ZoneInfo, field: str) -> Schedule:
    _check(text, field)
    try:
        schedule = Schedule(text, zone)
    except NeverFires as exc:
        raise _never(text, field) from exc
    if schedule.next_after(_ANY_DAY) is None:
        raise _never(text, field)
    return schedule


def _never(text: str, field: str = "schedule") -> NeverFires:
    said = f"expected a time that comes, got {text!r}, which no date ever meets"
    return NeverFires(f"{field}: {said}", fields={field: said})


def _check(text: str, field: str) -> None:
    """Each field by itself, so that the message names the part that is wrong."""
    expression = text.strip()
    if expression.startswith("@"):
        if expression.lower() not in MACROS:
            raise _bad(field, f"expected one of {', '.join(MACROS)}, got {text!r}")
        return
    stray = _ALLOWED.match(expression)
    if stray is None or stray.end() != len(expression):
        place = stray.end() if stray else 0
        raise _bad(field, f"expected digits, names and * , - / # L, got {expression[place]!r} in {text!r}")
    parts = expression.upper().split()
    if len(parts) != len(_FIELDS):
        raise _bad(
            field,
            f"expected five fields (minute hour day-of-month month weekday), got {len(parts)} in {text!r}",
        )
    for part, (name, (kind, low, high, expected)) in zip(parts, _FIELDS.items(), strict=True):
        for term in part.split(","):
            _check_term(term, name, kind, range(low, high + 1), expected, field)


def _check_term(term: str, name: str, kind: Field, numbers: range, expected: str, field: str) -> None:
    try:
        kind.parse(term)
    except (CronSimError, ValueError, AssertionError, TypeError) as exc:
        outside = [n for n in re.findall(r"(?<!/)(?<!#)\b\d+", term) if int(n) not in numbers]
        if outside:
            said = f"{name}: {outside[0]} is not in {numbers[0]}-{numbers[-1]}"
        elif re.fullmatch(r"\w+-\w+", term):
            said = f"{name}: expected a range from low to high, got {term!r}"
        else:
            said = f"{name}: expected {expected}, got {term!r}"
        raise _bad(field, said) from exc


def _bad(field: str, said: str) -> BadSchedule:
    return BadSchedule(f"{field}: {said}", fields={field: said})
