"""What becomes of a due time whose task still runs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .misfire import Due

REASON = "overlap"
# Runs of one task that may wait behind each other.
MOST_WAITING = 100


class Standing(NamedTuple):
    """What a task has under way.

    Attributes:
        running: whether it has a job that has not ended and does not wait for another one of it.
        waiting: how many of its jobs wait for another one of it.
    """

    running: bool = False
    waiting: int = 0


IDLE = Standing()


def decide(due: Sequence[Due], policy: str, *, standing: Standing) -> list[Due]:
    """The due times as they shall run: at once, behind a run of the same task, or not at all."""
    return _POLICIES[policy](due, standing)


def asks(policy: str) -> bool:
    """Whether the policy needs to know what the task has under way."""
    return policy != "allow"


def _skip(due: Sequence[Due], standing: Standing) -> list[Due]:
    return _queue(due, standing, most=0)


def _queue_one(due: Sequence[Due], standing: Standing) -> list[Due]:
    return _queue(due, standing, most=1)


def _queue_all(due: Sequence[Due], standing: Standing) -> list[Due]:
    return _queue(due, standing, most=MOST_WAITING)


def _queue(due: Sequence[Due], standing: Standing, *, most: int) -> list[Due]:
    """One at a time; up to `most` wait for their turn, further ones are skipped."""
    busy, waiting = standing.running or standing.waiting > 0, standing.waiting
    decided = []
    for one in due:
        if one.reason or not busy:
            decided.append(one)
        elif waiting < most:
            decided.append(one._replace(waits=True))
            waiting += 1
        else:
            decided.append(one._replace(reason=REASON))
        busy = busy or not one.reason
    return decided


def _cancel_previous(due: Sequence[Due], standing: Standing) -> list[Due]:
    """Only the newest runs, once all before it have been stopped."""
    busy = standing.running or standing.waiting > 0
    newest = max((one.due_at for one in due if not one.reason), default=None)
    return [
        one
        if one.reason
        else one._replace(waits=busy)
        if one.due_at == newest
        else one._replace(reason=REASON)
        for one in due
    ]


def _allow(due: Sequence[Due], standing: Standing) -> list[Due]:
    return list(due)


CANCEL_PREVIOUS = "cancel_previous"
_POLICIES: dict[str, Callable[[Sequence[Due], Standing], list[Due]]] = {
    "skip": _skip,
    "queue_one": _queue_one,
    "queue_all": _queue_all,
    CANCEL_PREVIOUS: _cancel_previous,
    "allow": _allow,
}
POLICIES = tuple(_POLICIES)
