"""Identifiers that sort by age."""

import os
import threading
import time
from datetime import datetime
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7(now: datetime | None = None) -> UUID:
    """A UUIDv7: 48 bits of milliseconds, then bits that grow within a process, then chance.

    Source: RFC 9562, section 5.7, with the counter of section 6.2 (method 1).
    """
    global _last
    milliseconds = int((time.time() if now is None else now.timestamp()) * 1000)
    with _lock:
        # The 12 bits behind the version count ids of the same millisecond; an overflow borrows from the next.
        stamp = max(milliseconds << 12, _last + 1)
        _last = stamp
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=value)
