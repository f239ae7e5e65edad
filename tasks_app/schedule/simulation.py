"""cronsim with its wildcard schedules on real time throughout."""

from datetime import UTC

from cronsim import CronSim


class Simulation(CronSim):
    """Debian's rules; see the daylight saving table in the tests.

    A schedule with fixed minutes and hours is read on the local clock, one with a wildcard fires
    at every real minute whose local reading matches. For the latter cronsim leaves real time in
    three places, and so misses minutes where the clock jumps at midnight or by half an hour
    (Santiago, Lord Howe); these are replaced. Everywhere else both give the same.
    """

    def advance_month(self) -> None:
        super().advance_month()
        self._leave_gap()

    def advance_day(self) -> bool:
        moved = super().advance_day()
        self._leave_gap()
        return moved

    def advance_hour(self) -> bool:
        if not self._zoned:
            return super().advance_hour()
        if self.dt.hour in self.hours:
            return False
        while self.dt.hour not in self.hours:
            day = self.dt.day
            self.tick(seconds=3600 - self.dt.minute * 60 - self.dt.second)
            if self.dt.day != day:
                break
        return True

    def advance_minute(self) -> bool:
        if not self._zoned:
            return super().advance_minute()
        if self.dt.minute in self.minutes:
            return False
        self.dt = self.dt.replace(second=0)
        while self.dt.minute not in self.minutes:
            hour = self.dt.hour
            self.tick(seconds=60)
            if self.dt.hour != hour:
                break
        return True

    @property
    def _zoned(self) -> bool:
        return self.dt.tzinfo not in (None, UTC)

    def _leave_gap(self) -> None:
        """A midnight that the local clock skips becomes the first minute that exists."""
        if self._zoned:
            self.dt = self.dt.astimezone(UTC).astimezone(self.dt.tzinfo)
