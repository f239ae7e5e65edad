"""What runspaces report, gathered as facts until the engine commits them."""

import logging
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from jobs_app import retry
from jobs_app.lifecycle import Advanced, Begun, End, Returned
from jobs_app.states import JobState
from runspaces_app.leftovers import put_aside
from runspaces_app.member import Member
from runspaces_app.pool import Keeper
from runspaces_app.protocol import Asked, Ended, Frame, GivenBack, Hello, Progressed, Started
from taskhub.core.clock import Clock
from taskhub.core.home import Home

from .holding import Holding, end_of, lost, may_retry

log = logging.getLogger("taskhub.engine")


@dataclass
class Facts:
    """What was learned and is not committed yet."""

    begun: dict[str, Begun] = field(default_factory=dict)
    progress: dict[str, Advanced] = field(default_factory=dict)
    ends: dict[tuple[str, int, int], End] = field(default_factory=dict)
    returned: dict[str, Returned] = field(default_factory=dict)
    acknowledge: dict[Member, int] = field(default_factory=dict)
    gone: list[Member] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.begun or self.progress or self.ends or self.returned or self.gone or self.acknowledge
        )


class Reports:
    """One per engine; the keeper calls `on_frame` and `on_ended`, the loop takes the facts.

    Attributes:
        facts: learned and not committed.
        questions: of scripts, not answered.
    """

    keeper: Keeper

    def __init__(self, *, clock: Clock, home: Home) -> None:
        self._clock = clock
        self._home = home
        self.facts = Facts()
        self.questions: list[tuple[Member, Asked]] = []

    def on_frame(self, member: Member, frame: Frame) -> None:
        if isinstance(frame, Asked):
            self.questions.append((member, frame))
            return
        if isinstance(frame, Hello):
            return  # the keeper's affair
        holding = _held(member, frame.job, frame.attempt)
        if isinstance(frame, Ended):
            self._acknowledge(member, frame.seq)
        if holding is None:
            log.warning("job=%s runspace=%s: a frame of an attempt that is over", frame.job, member.id)
            return
        if isinstance(frame, Ended):
            self._ended(member, holding, frame)
        elif isinstance(frame, Started):
            self.begun(holding, _moment(frame.at))
        elif isinstance(frame, Progressed):
            self.facts.progress[frame.job] = Advanced(
                frame.job, frame.fence, frame.percent, frame.message, _moment(frame.at)
            )
        elif isinstance(frame, GivenBack):
            self.facts.returned[frame.job] = Returned(frame.job, frame.attempt, frame.fence)
            self.keeper.release(member, holding, ran=False)

    def _acknowledge(self, member: Member, sequence: int) -> None:
        self.facts.acknowledge[member] = max(sequence, self.facts.acknowledge.get(member, 0))

    def begun(self, holding: Holding, started: datetime) -> None:
        claim = holding.claim
        holding.started_at = started
        holding.begun_boot = self._clock.boottime() - max(0.0, (self._clock.now() - started).total_seconds())
        self.facts.begun[claim.job] = Begun(claim.job, claim.attempt, claim.fence, started)

    def _ended(self, member: Member, holding: Holding, frame: Ended) -> None:
        now = self._clock.now()
        # The wall clock of start and end may step between them; the end is never before the start.
        started = min(_moment(frame.started), now)
        finished = min(max(_moment(frame.finished), started), now)
        end = end_of(holding, frame, retry_at=None, now=finished, started_at=started)
        if end.state != JobState.COMPLETED and may_retry(holding.claim, end.reason):
            end = end._replace(retry_at=self._retry_at(holding))
        self.facts.begun.pop(frame.job, None)
        self.facts.progress.pop(frame.job, None)
        self.facts.ends[frame.job, frame.attempt, frame.fence] = end
        member.last_seconds = frame.finished - frame.started
        self.keeper.release(member, holding, ran=True)
        if member.held:
            member.held[0].begun_boot = self._clock.boottime()
        if frame.recycle:
            # It takes nothing more; what it was given ahead has not begun and never will.
            for ahead in list(member.held):
                self.give_back(member, ahead)
            self.keeper.close(member, frame.recycle)

    def give_back(self, member: Member, holding: Holding) -> None:
        claim = holding.claim
        self.facts.returned[claim.job] = Returned(claim.job, claim.attempt, claim.fence)
        self.keeper.release(member, holding, ran=False)

    def _retry_at(self, holding: Holding) -> datetime:
        claim = holding.claim
        wait = retry.delay(claim.attempt, backoff=claim.backoff, jitter=claim.jitter, chance=random.random)
        return self._clock.now() + timedelta(seconds=wait)

    def on_ended(self, member: Member) -> None:
        """A runspace is gone with its leftovers: what it held is lost, or has not begun."""
        mark = member.process.mark()
        now = self._clock.now()
        for holding in list(member.held):
            claim = holding.claim
            begun = mark is None or any(
                (a.job.hex, a.attempt, a.fence) == (claim.job, claim.attempt, claim.fence) for a in mark.begun
            )
            if not begun:
                self.give_back(member, holding)
                continue
            output = member.output if member.job == claim.job else None
            survivors = " ".join(map(str, member.survivors))
            why = f"Its runspace ended while it ran ({member.close_reason or 'no reason known'})."
            end = lost(holding, why=why, output=output, survivors=survivors, retry_at=None, now=now)
            if may_retry(claim, end.reason):
                end = end._replace(retry_at=self._retry_at(holding))
            self.facts.begun.pop(claim.job, None)
            self.facts.progress.pop(claim.job, None)
            self.facts.ends[claim.job, claim.attempt, claim.fence] = end
            member.lost.append(put_aside(self._home.work, holding.uuid, claim.fence))
            self.keeper.release(member, holding, ran=True)
        self.facts.gone.append(member)


def _held(member: Member, job: str, attempt: int) -> Holding | None:
    return next((holding for holding in member.held if holding.key == (job, attempt)), None)


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
