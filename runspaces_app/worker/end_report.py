"""The end of an attempt as a frame, and on disk when no engine is there to take it. Standard library only."""

import os
from typing import Any

from taskhub.core import failpoints

from .frames import to_text
from .outcome import COMPLETED, FAILED, Outcome


def end_frame(
    frame: dict[str, Any],
    outcome: Outcome,
    *,
    sequence: int,
    started: float,
    finished: float,
    percent: float,
    last_word: str | None,
    output: dict[str, Any] | None,
    recycle: str,
) -> bytes:
    """JSON text of the `end` frame for the job of this `run` frame."""
    body: dict[str, Any] = {
        "t": "end",
        "seq": sequence,
        "job": frame["job"],
        "attempt": frame["attempt"],
        "fence": frame["fence"],
        "started": started,
        "finished": finished,
        "kind": outcome.kind,
    }
    # Left out when they say nothing: most jobs end well and in silence.
    if outcome.kind != COMPLETED:
        body |= {"percent": percent, "reason": outcome.reason}
    if last_word is not None:
        body["message"] = last_word
    if outcome.kind == FAILED:
        body |= {"error": [outcome.error_type, outcome.error_message, outcome.error_traceback]}
    if outcome.exit_code is not None:
        body["exit_code"] = outcome.exit_code
    if output is not None:
        body["output"] = output
    if recycle:
        body["recycle"] = recycle
    if outcome.survivors:
        body["survivors"] = outcome.survivors
    if outcome.result is not None:
        body["result"] = outcome.result
    return to_text(body).encode()


def spool(folder: str, runspace: int, kept: dict[int, bytes]) -> None:
    """Write end frames, by sequence number, where the next engine finds them; durable on return."""
    for sequence, body in kept.items():
        final = os.path.join(folder, f"{runspace}-{sequence}.json")
        temporary = f"{final}.{os.getpid()}.tmp"
        with open(temporary, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        failpoints.hit("runspace.spool.before_rename")
        os.rename(temporary, final)
    if kept:
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
