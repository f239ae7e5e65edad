"""Server-sent events of one job: what differs from what the client has seen.

Nothing is queued for anybody: an event tells how things are now, and its id says what its reader
has seen by then. So a reconnect goes on from there, and whatever was missed in between is told once.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from rest_framework.utils.encoders import JSONEncoder

from .watching import Seen

KEEP_ALIVE = b": still here\n\n"
# Before the id of the last event; whoever comes back with it has seen all.
END = "end-"


class Point(NamedTuple):
    """What a client has seen, as the id of an event spells it."""

    attempt: int
    state: str
    progress: int
    bytes: int

    @classmethod
    def of(cls, seen: Seen) -> "Point":
        stopping = "+" if seen.stopping and not seen.ended else ""
        return cls(
            seen.attempt, seen.state + stopping, int(seen.progress_at.timestamp() * 1_000_000), seen.bytes
        )

    @classmethod
    def parse(cls, text: str) -> "Point | None":
        """The point of an id of ours; None for any other text."""
        parts = text.split("-")
        numbers = [
            part for part in (*parts[:1], *parts[2:]) if part.isascii() and part.isdigit() and len(part) < 20
        ]
        if len(parts) != 4 or len(numbers) != 3:
            return None
        return cls(int(parts[0]), parts[1], int(parts[2]), int(parts[3]))

    def __str__(self) -> str:
        return f"{self.attempt}-{self.state}-{self.progress}-{self.bytes}"


# Where every stream begins; whoever comes back with it has seen nothing.
START = Point(0, "open", 0, 0)


def opening(seen: Seen) -> bytes:
    """The first event of a stream that does not resume another one; it says nothing of the state."""
    return event("open", {"id": seen.public_id, "uuid": seen.uuid}, id=str(START))


def news(seen: Seen, told: Point) -> Iterator[bytes]:
    """The events that bring a client from what it was told to how things are; the end is not among them."""
    now = Point.of(seen)
    if (told.attempt, told.state) != (now.attempt, now.state):
        told = told._replace(attempt=now.attempt, state=now.state)
        stopping = now.state.endswith("+")
        yield event(
            "state",
            {"state": seen.state, "reason": seen.reason, "attempt": seen.attempt, "stopping": stopping},
            id=str(told),
        )
    if told.progress != now.progress:
        told = told._replace(progress=now.progress)
        yield event(
            "progress",
            {
                "percent_complete": seen.percent,
                "status_message": seen.message,
                "last_updated_at": seen.progress_at,
            },
            id=str(told),
        )
    if told.bytes != now.bytes:
        yield event(
            "output", {"bytes": seen.bytes, "lines": seen.lines, "dropped": seen.dropped}, id=str(now)
        )


def ending(seen: Seen, more: dict[str, Any]) -> bytes:
    """The last event."""
    data = {"state": seen.state, "reason": seen.reason, "finished_at": seen.finished_at, **more}
    return event("end", data, id=END + str(Point.of(seen)))


def event(name: str, data: Any, *, id: str) -> bytes:
    """One event of the stream."""
    text = json.dumps(data, cls=JSONEncoder, separators=(",", ":"))
    return f"event: {name}\nid: {id}\ndata: {text}\n\n".encode()
