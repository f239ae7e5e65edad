"""What the engine knows of a job it has handed to a runspace."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobs_app import retry
from jobs_app.lifecycle import Claimed, End
from jobs_app.states import JobState, Reason
from runspaces_app.protocol import Ended, Output


@dataclass(eq=False)
class Holding:
    """A claimed job in the hands of a runspace. Times are those of the boot clock, in seconds.

    Attributes:
        begun_boot: when it began to run, as far as known; None while it waits behind another.
        imposed: why the engine itself ends it (time-out, expiry, shutdown), or "".
        cancel_boot: when it was last asked to stop; None if it was not.
        kill_boot: when the engine kills the runspace if the job has not ended.
        take_back_sent: it was asked back because the job before it takes long.
        fault: why the engine ends it as a failure of its own, or "".
    """

    claim: Claimed
    in_process: bool
    begun_boot: float | None = None
    started_at: datetime | None = None
    imposed: str = ""
    cancel_boot: float | None = None
    kill_boot: float | None = None
    killed_now: bool = False
    take_back_sent: bool = False
    overdue: bool = False
    fault: str = ""

    @property
    def uuid(self) -> UUID:
        return UUID(hex=self.claim.job)

    @property
    def key(self) -> tuple[str, int]:
        return self.claim.job, self.claim.attempt

    def cookie(self) -> bytes:
        return f"TASKHUB_JOB_ID={self.claim.public_id}".encode()


def end_of(
    holding: Holding, frame: Ended, *, retry_at: datetime | None, now: datetime, started_at: datetime
) -> End:
    """The end a runspace reported, as it will be written."""
    state, reason, error = _verdict(holding, frame)
    output = frame.output or Output(0, 0, 0)
    return End(
        job=frame.job, attempt=frame.attempt, fence=frame.fence, state=state, reason=reason,
        imposed=bool(holding.imposed), retry_at=retry_at, started_at=started_at, finished_at=max(now, started_at),
        percent=frame.percent, message=frame.message, exit_code=frame.exit_code, output_bytes=output.bytes,
        output_lines=output.lines, output_dropped=output.dropped, output_preview=output.preview,
        survivors=" ".join(map(str, frame.survivors)), error_type=error[0], error_message=error[1],
        error_traceback=error[2], result=frame.result,
    )  # fmt: skip


def _verdict(holding: Holding, frame: Ended) -> tuple[str, str, tuple[str, str, str]]:
    error = frame.error or ("", "", "")
    if holding.imposed:
        return JobState.STOPPED, holding.imposed, (error[0], _WORDS[holding.imposed], error[2])
    if holding.fault:
        return JobState.FAILED, Reason.ERROR, (holding.fault, _WORDS[holding.fault], error[2])
    if frame.kind == "cancelled":
        return JobState.STOPPED, Reason.USER, error
    if frame.kind == "failed":
        return JobState.FAILED, frame.reason or Reason.ERROR, error
    if holding.claim.task is not None and says_failure(frame.result):
        return JobState.FAILED, Reason.ERROR, ("Success", "The result says that it did not succeed.", "")
    return JobState.COMPLETED, "", error


def says_failure(result: str | None) -> bool:
    """Whether a task's result is an object whose `Success` or `success` is false."""
    if not result or not result.startswith("{") or "uccess" not in result:
        return False
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        return False  # numbers or nesting that only the script itself could read
    return value.get("Success") is False or value.get("success") is False


def lost(
    holding: Holding,
    *,
    why: str,
    output: Output | None,
    survivors: str,
    retry_at: datetime | None,
    now: datetime,
) -> End:
    """The end of an attempt whose runspace is gone without having reported one."""
    output = output or Output(0, 0, 0)
    state, reason, text = JobState.FAILED, str(Reason.LOST), why
    if holding.imposed:
        state, reason, text = JobState.STOPPED, holding.imposed, _WORDS[holding.imposed]
    elif holding.fault:
        state, reason, text = JobState.FAILED, Reason.ERROR, _WORDS[holding.fault]
    return End(
        job=holding.claim.job, attempt=holding.claim.attempt, fence=holding.claim.fence, state=state, reason=reason,
        imposed=bool(holding.imposed), retry_at=retry_at, started_at=holding.started_at or now, finished_at=now,
        percent=None, message="", exit_code=None, output_bytes=output.bytes, output_lines=output.lines,
        output_dropped=output.dropped, output_preview=output.preview, survivors=survivors,
        error_type="" if holding.imposed else holding.fault or "Lost", error_message=text, error_traceback="",
        result=None,
    )  # fmt: skip


def may_retry(claim: Claimed, reason: str) -> bool:
    return retry.may_retry(
        reason=reason,
        attempt=claim.attempt,
        max_attempts=claim.max_attempts,
        idempotent=bool(claim.idempotent),
    )


HELD_DATABASE = "HeldDatabase"

_WORDS: dict[str, str] = {
    HELD_DATABASE: "Its open transaction kept everybody else from writing to the database, so it was stopped.",
    Reason.TIMEOUT: "It ran longer than its time-out and was stopped.",
    Reason.EXPIRED: "Its time was over and it was stopped.",
    Reason.SHUTDOWN: "The engine was shut down and stopped it.",
}
