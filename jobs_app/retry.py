"""When a failed attempt is tried again."""

from collections.abc import Callable

LONGEST_SECONDS = 3600.0
# What many jobs asked of one service, and did not get, should not be asked all at once again.
JITTER = 0.25


def delay(attempt: int, *, backoff: float, jitter: bool, chance: Callable[[], float]) -> float:
    """Seconds to wait after this attempt (1 = the first) failed.

    Doubles with each attempt up to an hour; with jitter up to a quarter more, by `chance` (0 to 1).
    """
    waited: float = min(backoff * 2 ** min(attempt - 1, 30), LONGEST_SECONDS)
    return waited * (1 + JITTER * chance()) if jitter else waited


def may_retry(*, reason: str, attempt: int, max_attempts: int, idempotent: bool) -> bool:
    """Whether an attempt that ended for this reason is followed by another.

    A lost attempt may have done its work: it is repeated only for jobs that say it does no harm.
    """
    if attempt >= max_attempts or reason in ("user", "shutdown", "expired"):
        return False
    return idempotent if reason == "lost" else True
