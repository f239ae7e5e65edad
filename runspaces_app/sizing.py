"""How many runspaces a pool should have. Plain decisions over what the engine knows of them."""

from collections.abc import Callable, Sequence

from . import recycling
from .member import CLOSING, OPENING, READY, Member
from .recycling import PoolSettings

# A runspace on its way out still counts against the maximum, but not so strictly that one that
# takes its time to leave keeps its successor out.
LEAVING_BESIDE = 2


def to_open(pool: PoolSettings, members: Sequence[Member], *, wanted: bool, paused: bool) -> int:
    """How many to open now: up to the minimum at once, beyond it one after the other.

    Args:
        members: all of the pool that have not ended.
        wanted: whether jobs wait that none of them is free for.
        paused: whether the last ones failed to come up.
    """
    if not pool.enabled or paused:
        return 0
    staying = [member for member in members if member.phase != CLOSING]
    target = pool.min_runspaces
    if wanted and not any(member.phase == OPENING for member in staying):
        target = max(target, len(staying) + 1)
    room = min(pool.max_runspaces - len(staying), pool.max_runspaces + LEAVING_BESIDE - len(members))
    return max(0, min(target - len(staying), room))


def to_close(
    pool: PoolSettings, members: Sequence[Member], *, now: float, worn: Callable[[Member], str]
) -> list[tuple[Member, str]]:
    """Which to close now, and why.

    Args:
        now: monotonic seconds.
        worn: why a member that is free should not take another job, or "".
    """
    staying = [member for member in members if member.phase != CLOSING]
    if not pool.enabled:
        return [(member, "the pool is switched off") for member in staying]
    closing: list[tuple[Member, str]] = []
    count = len(staying)
    for member in staying:
        if member.phase != READY or member.held:
            continue
        idle = now - member.free_since
        why = worn(member)
        if not why and (count > pool.max_runspaces or recycling.too_many(pool, open_count=count, idle=idle)):
            why = f"without work for {idle:.0f} s"
        if why:
            count -= 1
            closing.append((member, why))
    return closing
