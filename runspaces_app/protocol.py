"""The engine's side of the frames that `runspaces_app.worker.frames` lists.

What comes from a runspace is decoded into these structs; a frame that fits none of them is a
fault of the runspace, which is then closed as broken.
"""

from typing import Any

import msgspec

from .worker.frames import prefixed


class Hello(msgspec.Struct, tag_field="t", tag="hello"):
    pid: int


class Started(msgspec.Struct, tag_field="t", tag="started"):
    """User code runs; `at` is the wall clock, seconds since the epoch."""

    job: str
    attempt: int
    fence: int
    at: float


class Progressed(msgspec.Struct, tag_field="t", tag="progress"):
    job: str
    attempt: int
    fence: int
    percent: float
    message: str
    at: float


class Output(msgspec.Struct):
    """What the output writer counted: all that was written, and how much of it was dropped."""

    bytes: int
    lines: int
    dropped: int
    preview: str = ""


class Ended(msgspec.Struct, tag_field="t", tag="end"):
    """The outcome of an attempt.

    Attributes:
        seq: number within the runspace; acknowledged once the outcome is committed.
        kind: completed, failed or cancelled.
        percent: None where the end itself says it (completed: 100).
        error: type, message, traceback.
        result: JSON text.
        recycle: why the runspace will take no other job, or "".
    """

    seq: int
    job: str
    attempt: int
    fence: int
    started: float
    finished: float
    kind: str
    reason: str = ""
    percent: float | None = None
    message: str = ""
    error: tuple[str, str, str] | None = None
    exit_code: int | None = None
    output: Output | None = None
    recycle: str = ""
    survivors: list[int] = []
    result: str | None = None


class GivenBack(msgspec.Struct, tag_field="t", tag="back"):
    """The job had not begun here and never will."""

    job: str
    attempt: int
    fence: int


class Asked(msgspec.Struct, tag_field="t", tag="ask"):
    """A question of a script; answered by a `reply` frame with the same `n`."""

    n: int
    op: str
    job: str
    attempt: int
    fence: int
    key: str = ""
    value: str = ""
    version: int = 0
    spec: dict[str, Any] = {}


Frame = Hello | Started | Progressed | Ended | GivenBack | Asked

_DECODER = msgspec.json.Decoder(Frame)
_ENCODER = msgspec.json.Encoder()


def decode(body: bytes) -> Frame:
    """One frame of a runspace.

    Raises:
        msgspec.DecodeError: it fits no known kind.
    """
    try:
        frame: Frame = _DECODER.decode(body)
    except RecursionError as exc:
        raise msgspec.DecodeError("it is nested too deeply") from exc
    return frame


def encode(frame: dict[str, Any]) -> bytes:
    """A frame to a runspace; values may be `msgspec.Raw` JSON."""
    return prefixed(_ENCODER.encode(frame))


def spooled(text: bytes) -> Ended:
    """An end frame that a runspace wrote to the spool.

    Raises:
        msgspec.DecodeError: the file is no end frame.
    """
    return msgspec.json.decode(text, type=Ended)
