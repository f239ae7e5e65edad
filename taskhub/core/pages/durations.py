"""Numbers of seconds as people say them."""

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def in_words(seconds: float) -> str:
    """A number of seconds in its two largest units: 1 day, 1 hour 30 minutes; "no limit" for -1.

    "" below a minute, where the number itself says as much.
    """
    if seconds == -1:
        return "no limit"
    if seconds < 60:
        return ""
    left, said = int(seconds), []
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            said.append(f"{count:,} {name}" if count == 1 else f"{count:,} {name}s")
    return " ".join(said[:2])
