"""What becomes of a due time whose task still runs."""

from collections.abc import Callable, Sequence

from .misfire import Due

REASON = "overlap"


def decide(due: Sequence[Due], policy: str, *, running: bool) -> list[Due]:
    """The due times with those that may not run beside another marked as skipped.

    Args:
        running: whether the task has a job that has not ended.
    """
    return _POLICIES[policy](due, running)


def asks(policy: str) -> bool:
    """Whether the policy needs to know if the task still runs."""
    return policy != "allow"


def _skip(due: Sequence[Due], running: bool) -> list[Due]:
    decided = []
    for one in due:
        decided.append(one if one.reason or not running else one._replace(reason=REASON))
        running = running or not one.reason
    return decided


def _allow(due: Sequence[Due], running: bool) -> list[Due]:
    return list(due)


_POLICIES: dict[str, Callable[[Sequence[Due], bool], list[Due]]] = {"skip": _skip, "allow": _allow}
POLICIES = tuple(_POLICIES)
