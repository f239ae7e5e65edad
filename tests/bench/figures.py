"""Numbers of a measure: medians, percentiles, and whether a goal was met."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed, by nearest rank."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("expected values, got none")
    # Rounded first, or 0.95 x 200 comes out a hair above 190 and takes the next value.
    return ordered[max(0, math.ceil(round(share * len(ordered), 6)) - 1)]


def number(value: float) -> str:
    """Three digits that count, thousands by commas: 4,210, 12.3, 0.81."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Check:
    """One goal: a value and the limit it has to keep.

    Attributes:
        label: what is compared, as `x Celery` or `p95 ms`.
        at_least: the limit is a floor; else a ceiling.
    """

    label: str
    value: float
    limit: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        return f"{number(self.value)} {self.label}"

    def shortfall(self) -> str:
        """By how much it was missed, as `1.10 of ≥ 1.20 x Huey on Redis: 8 % short`."""
        sign = "≥" if self.at_least else "≤"
        off = abs(self.value - self.limit) / self.limit * 100 if self.limit else float("inf")
        return (
            f"{number(self.value)} of {sign} {number(self.limit)} {self.label}: "
            f"{number(off)} % {'short' if self.at_least else 'over'}"
        )


@dataclass
class Row:
    """One line of the table; `runs` keeps the raw figures of every run by name."""

    measure: str
    goal: str
    taskhub: str = ""
    peers: str = ""
    checks: list[Check] = field(default_factory=list)
    runs: dict[str, list[float]] = field(default_factory=dict)
    error: str = ""

    def verdict(self) -> str:
        if self.error:
            return "not measured"
        if not self.checks:
            return "no goal"
        missed = [check.shortfall() for check in self.checks if not check.met]
        return "missed: " + "; ".join(missed) if missed else "met"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Row":
        return Row(**{**data, "checks": [Check(**check) for check in data["checks"]]})
