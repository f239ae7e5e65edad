"""What became of one attempt, as the runspace saw it. Standard library only."""

from dataclasses import dataclass, field
from typing import Any

COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"
LONGEST_TEXT = 64 * 1024


def storable(text: str) -> str:
    """Text that any frame and any database takes: no NUL, no lone surrogate."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def clipped(text: str, limit: int = LONGEST_TEXT) -> str:
    """Storable text of at most `limit` characters.

    The middle goes: the start of a traceback says where it began, its end says what it was.
    """
    text = storable(text)
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


@dataclass
class Outcome:
    """Outcome of an attempt.

    Attributes:
        kind: COMPLETED, FAILED or CANCELLED (ended by the request to stop).
        reason: for FAILED: error, memory or output.
        result: JSON text, or None.
        recycle: why the runspace must be replaced, or "".
        survivors: processes that could not be ended.
    """

    kind: str
    reason: str = ""
    result: str | None = None
    exit_code: int | None = None
    error_type: str = ""
    error_message: str = ""
    error_traceback: str = ""
    recycle: str = ""
    survivors: list[int] = field(default_factory=list)

    @classmethod
    def failed(cls, error_type: str, message: str, *, reason: str = "error", **more: Any) -> "Outcome":
        return cls(
            FAILED, reason, error_type=clipped(error_type, 200), error_message=clipped(message), **more
        )
