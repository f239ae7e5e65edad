"""`progress` as scripts see it: by value, by range and ticks, by expected time.

Standard library only.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from .outcome import storable

NOT_STARTED, RUNNING, COMPLETED, FAILED, CANCELLED = (
    "Not started", "Running", "Completed", "Failed", "Cancelled",
)  # fmt: skip
LONGEST_MESSAGE = 500


class Progress:
    """Percent and message of the running job; every change goes to the engine by itself.

    Args:
        changed: called after each change.
        monotonic: seconds, for `over`.
    """

    def __init__(self, changed: Callable[[], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._changed = changed
        self._monotonic = monotonic
        self._percent = 0.0
        self._message = RUNNING
        self._decimals = 0
        self._step = 0.0
        self._limit = 100.0
        self._ticks_left = 0
        self._over: tuple[float, float, float] | None = None
        self._open = True
        self._last_word: tuple[str, str] | None = None

    @property
    def percent_complete(self) -> float:
        """0 to 100; whole numbers unless `decimals` asks for more. Set values are clamped."""
        # Cut, not rounded: 99.96 must not read as 100 while a tick is still to come.
        scale = 10**self._decimals
        return float(math.floor(self._now() * scale + 1e-6) / scale)

    @percent_complete.setter
    def percent_complete(self, value: float) -> None:
        self._check_open()
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
            raise ValueError(f"percent_complete: expected a number from 0 to 100, got {value!r}")
        self._over = None
        self._ticks_left = 0
        self._percent = float(min(100, max(0, value)))
        self._changed()

    @property
    def status_message(self) -> str:
        return self._message

    @status_message.setter
    def status_message(self, text: str) -> None:
        self._check_open()
        self._say(text)
        self._changed()

    @property
    def decimals(self) -> int:
        """How many digits after the point `percent_complete` shows; 0 at first."""
        return self._decimals

    @decimals.setter
    def decimals(self, count: int) -> None:
        self._check_open()
        if count not in range(7):
            raise ValueError(f"decimals: expected 0 to 6, got {count!r}")
        self._decimals = count
        self._changed()

    def complete(self, message: str = COMPLETED) -> None:
        self._check_open()
        self._finish(100.0, message)
        self._last_word = ("completed", self._message)

    def fail(self, message: str = FAILED) -> None:
        """Say that it failed; keeps the percent and does not end the job."""
        self._check_open()
        self._finish(self._now(), message)
        self._last_word = ("failed", self._message)

    def cancel(self, message: str = CANCELLED) -> None:
        """Say that it was cancelled; keeps the percent and does not end the job."""
        self._check_open()
        self._finish(self._now(), message)
        self._last_word = ("cancelled", self._message)

    def reset(self) -> None:
        self._check_open()
        self._finish(0.0, NOT_STARTED)

    def range(self, start: int, end: int, steps: int = 1, max: float = 100) -> Iterator[int]:
        """Numbers from `start` up to, without, `end`, moving the percent from here to `max`.

        Walk it with `for`, or call `tick()` once a number yourself.

        Raises:
            ValueError: `max` is below the present value or above 100, or `steps` is 0.
        """
        self._check_open()
        numbers = range(start, end, steps)
        self._plan(len(numbers), max)
        return self._walk(numbers)

    def tick(self) -> None:
        """One step of the range laid out last."""
        self._check_open()
        if self._ticks_left <= 0:
            return
        self._ticks_left -= 1
        # The last tick lands on the limit itself, whatever the sum of the steps rounds to.
        self._percent = self._limit - self._step * self._ticks_left
        self._changed()

    def over(self, seconds: float, max: float = 100) -> None:
        """Move by the clock: reach just below `max` after so many seconds, wherever the script is."""
        self._check_open()
        if not seconds > 0:
            raise ValueError(f"over: expected seconds above 0, got {seconds!r}")
        self._check_limit(max)
        self._over = (self._monotonic(), float(seconds), float(max))
        self._changed()

    @property
    def moves_by_itself(self) -> bool:
        return self._over is not None

    def snapshot(self) -> tuple[float, str]:
        return self.percent_complete, self._message

    def close(self, kind: str) -> str | None:
        """The job has ended as `kind`: later calls are errors.

        Returns:
            The script's own word for that end (`complete("All copied")`), None if it gave none.
        """
        self._percent, self._over, self._open = self._now(), None, False
        if kind == "completed":
            self._percent = 100.0
        return self._last_word[1] if self._last_word and self._last_word[0] == kind else None

    def _now(self) -> float:
        if self._over is None:
            return self._percent
        begun, seconds, limit = self._over
        share = min((self._monotonic() - begun) / seconds, 0.99)
        return self._percent + (limit - self._percent) * share

    def _walk(self, numbers: Any) -> Iterator[int]:
        for number in numbers:
            yield number
            self.tick()

    def _plan(self, count: int, limit: float) -> None:
        self._check_limit(limit)
        self._percent, self._over = self._now(), None
        self._limit, self._ticks_left = float(limit), count
        self._step = (self._limit - self._percent) / count if count else 0.0

    def _check_limit(self, limit: float) -> None:
        if not self._now() <= limit <= 100:
            raise ValueError(f"max: expected {self.percent_complete:g} to 100, got {limit!r}")

    def _say(self, text: str) -> None:
        self._last_word = None
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"status_message: expected a text that is not blank, got {text!r}")
        self._message = storable(text[:LONGEST_MESSAGE])

    def _finish(self, percent: float, message: str) -> None:
        self._say(message)
        self._percent, self._over, self._ticks_left = percent, None, 0
        self._changed()

    def _check_open(self) -> None:
        if not self._open:
            raise RuntimeError("progress: there is no running job")
