"""Ids that sort by age."""

import os
import threading
from datetime import UTC, datetime
from uuid import UUID

_RANDOM_BITS = 74
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1
# A clock corrected by less than this keeps the order; one that was set back further is followed,
# for the id also says when.
_HELD_MS = 10_000

_lock = threading.Lock()
_last_ms = 0
_last_random = 0


def uuid7(now: datetime | None = None) -> UUID:
    """A UUID of version 7, greater than all this process made before.

    Args:
        now: aware; the moment it tells. If the clock was set back by more than ten seconds the id
            follows the clock and the order starts anew.

    Source: RFC 9562, 5.7, with the monotonic random of 6.2, method 2.
    """
    global _last_ms, _last_random
    moment = now if now is not None else datetime.now(UTC)
    milliseconds = int(moment.timestamp() * 1000)
    with _lock:
        if milliseconds > _last_ms or milliseconds < _last_ms - _HELD_MS:
            _last_ms, _last_random = milliseconds, _fresh()
        else:
            _last_random += 1 + int.from_bytes(os.urandom(4), "big")
            if _last_random > _RANDOM_MASK:
                _last_ms, _last_random = _last_ms + 1, _fresh()
        return _assemble(_last_ms, _last_random)


def time_of(uuid: UUID) -> datetime:
    """The moment a UUID of version 7 tells, to the millisecond."""
    return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC)


def _fresh() -> int:
    """A start with its top bit clear, so that many may follow within the same millisecond."""
    return int.from_bytes(os.urandom(10), "big") & (_RANDOM_MASK >> 1)


def _assemble(milliseconds: int, random: int) -> UUID:
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def _forget() -> None:
    """A forked child must not count on from where its parent does."""
    global _lock, _last_ms, _last_random
    _lock = threading.Lock()
    _last_ms = _last_random = 0


os.register_at_fork(after_in_child=_forget)
