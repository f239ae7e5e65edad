"""Time zones by their IANA names."""

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from ..errors import UnknownTimezone

# Files that lie among those of zones: whatever the machine is set to, and "nobody has set it yet".
_NO_ZONES = frozenset({"localtime", "Factory"})


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES


@lru_cache(maxsize=1024)
def get(name: str) -> ZoneInfo:
    """The zone of this name.

    Raises:
        UnknownTimezone: the system knows none of that name.
    """
    # Asked before the file is opened: a name is part of a path there.
    if name not in names():
        said = f"expected an IANA name such as Europe/Berlin, got {name[:80]!r}"
        raise UnknownTimezone(f"timezone: {said}", fields={"timezone": said})
    return ZoneInfo(name)
