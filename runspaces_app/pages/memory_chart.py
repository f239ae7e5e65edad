"""The memory of a runspace over time, as points of an SVG drawn by the server."""

from collections.abc import Sequence
from typing import NamedTuple

from runspaces_app.models import RunspaceSample

WIDTH, HEIGHT, TOP = 640, 140, 22
MB = 1024 * 1024


class Chart(NamedTuple):
    """Coordinates within 0 0 640 140; `limit_y` is None when the limit lies far above the values."""

    line: str
    area: str
    limit_y: float | None
    most_y: float
    most_mb: float
    limit_mb: int
    first: RunspaceSample
    last: RunspaceSample
    samples: list[RunspaceSample]


def memory_chart(samples: Sequence[RunspaceSample], *, limit: int) -> Chart | None:
    """None with fewer than two samples: a line needs two points."""
    if len(samples) < 2:
        return None
    first, last = samples[0].at.timestamp(), samples[-1].at.timestamp()
    highest = max(sample.memory_bytes for sample in samples)
    most = max(highest, limit if limit <= 3 * highest else 0, 1) * 1.1
    span = max(last - first, 1.0)

    def x(sample: RunspaceSample) -> float:
        return round((sample.at.timestamp() - first) / span * WIDTH, 1)

    def y(value: float) -> float:
        return round(HEIGHT - value / most * (HEIGHT - TOP), 1)

    points = [f"{x(sample)},{y(sample.memory_bytes)}" for sample in samples]
    return Chart(
        line=" ".join(points),
        area=" ".join([f"0,{HEIGHT}", *points, f"{WIDTH},{HEIGHT}"]),
        limit_y=y(limit) if limit <= most else None,
        most_y=y(highest),
        most_mb=highest / MB,
        limit_mb=limit // MB,
        first=samples[0],
        last=samples[-1],
        samples=list(samples)[-1:-121:-8],
    )
