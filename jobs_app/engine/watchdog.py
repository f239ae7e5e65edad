"""Time limits and requests to stop, for jobs in the hands of this engine's runspaces."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, connections

from jobs_app.models import Job
from jobs_app.states import Reason
from runspaces_app.member import ENDED, READY, Member
from runspaces_app.pool import Keeper
from runspaces_app.protocol import encode
from runspaces_app.worker.mark import BEGUN
from taskhub.core.clock import Clock
from taskhub.core.sqlite.base import DatabaseWrapper as SQLite

from . import sql
from .dispatcher import AHEAD_WITHIN_SECONDS, IN_HAND, is_brisk
from .holding import HELD_DATABASE, Holding

# A script that holds the interpreter lock keeps its runspace from saying that it began.
SILENT_START_SECONDS = 1.0
# The runspace itself kills what a child language left; only then the engine kills the runspace.
CHILD_MARGIN_SECONDS = 3.0


class Watchdog:
    """One per engine.

    Args:
        on_begun: called when a mark file tells of a start that the runspace could not report.
    """

    def __init__(
        self, keeper: Keeper, *, engine: int, clock: Clock, on_begun: Callable[[Holding, datetime], None]
    ) -> None:
        self._keeper = keeper
        self._engine = engine
        self._clock = clock
        self._on_begun = on_begun

    def step(self) -> None:
        """Look at every job in hand: too long, too late, not stopped yet, waiting behind a long one."""
        boot = self._clock.boottime()
        for member in self._keeper:
            if not member.held or member.phase == ENDED:
                continue
            holding: Holding = member.held[0]
            if holding.started_at is None:
                self._look_whether_begun(member, holding, boot)
            if len(member.held) > 1:
                self._take_back(member, boot)
            self._limits(member, holding, boot)
            if holding.kill_boot is not None and boot >= holding.kill_boot:
                holding.kill_boot = boot + CHILD_MARGIN_SECONDS
                self._keeper.kill(member, "its job did not stop")

    def next_in(self) -> float:
        """Seconds until a limit of a job in hand may be reached; 60 at most."""
        boot = self._clock.boottime()
        soonest = boot + 60.0
        for member in self._keeper:
            if not member.held or member.phase == ENDED:
                continue
            holding: Holding = member.held[0]
            begun = holding.begun_boot if holding.begun_boot is not None else boot
            if len(member.held) > 1 and not member.held[1].take_back_sent:
                soonest = min(soonest, begun + AHEAD_WITHIN_SECONDS)
            if holding.started_at is None:
                soonest = min(soonest, max(boot, begun) + SILENT_START_SECONDS)
            elif not holding.imposed and not holding.overdue and holding.claim.timeout >= 0:
                soonest = min(soonest, begun + holding.claim.timeout)
            if holding.claim.expires_at is not None and not holding.imposed:
                soonest = min(soonest, boot + (holding.claim.expires_at - self._clock.now()).total_seconds())
            if holding.kill_boot is not None:
                soonest = min(soonest, holding.kill_boot)
        return max(0.0, soonest - boot)

    def read_requests(self) -> None:
        """Pass on to the runspaces which jobs shall stop."""
        # By hand: every wake comes through here.
        connection.ensure_connection()
        rows = sql.run(
            "SELECT uuid, cancel_now FROM jobs_app_job "
            "WHERE engine = ? AND cancel_requested_at IS NOT NULL AND finished_at IS NULL",
            [self._engine],
        ).fetchall()
        wanted = {UUID(hex=sql.hex_of(uuid)): bool(now) for uuid, now in rows}
        if wanted:
            for member in self._keeper:
                for position, holding in enumerate(member.held):
                    if holding.uuid in wanted:
                        self._asked(member, holding, position, now=wanted[holding.uuid])

    def close_asked(self) -> None:
        """End the runspaces that a person wants closed."""
        for member in self._keeper.asked_to_close():
            self._keeper.kill(member, "closed by a person")

    def stop(self, member: Member, holding: Holding, *, imposed: str = "", now: bool = False) -> None:
        """Ask a job in hand to end: at once, or after its pool's grace by force."""
        boot = self._clock.boottime()
        grace = 0.0 if now else member.pool.grace_seconds
        holding.imposed = holding.imposed or imposed
        holding.cancel_boot = holding.cancel_boot if holding.cancel_boot is not None else boot
        kill_boot = boot + grace + (0.2 if holding.in_process else CHILD_MARGIN_SECONDS)
        if holding.kill_boot is None or kill_boot < holding.kill_boot:
            holding.kill_boot = kill_boot
        holding.killed_now = holding.killed_now or now
        self._keeper.send(
            member,
            encode(
                {"t": "cancel", "job": holding.claim.job, "attempt": holding.claim.attempt, "grace": grace}
            ),
        )

    def free_database(self) -> None:
        """After a wait for the right to write that was given up: stop the job of ours that is in the way."""
        wrapper = connections["default"]
        writer = wrapper.writer() if isinstance(wrapper, SQLite) else 0
        for member in self._keeper:
            if writer and member.process.pid == writer and member.held and member.phase != ENDED:
                holding: Holding = member.held[0]
                if holding.cancel_boot is None:
                    holding.fault = HELD_DATABASE
                    self.stop(member, holding)

    def take_back(self, member: Member, holding: Holding) -> None:
        """Ask for a job that has not begun; the answer is `back`, or its end if it was too late."""
        if not holding.take_back_sent:
            holding.take_back_sent = True
            self._keeper.send(member, encode({"t": "back", "job": holding.claim.job}))

    def _asked(self, member: Member, holding: Holding, position: int, *, now: bool) -> None:
        if position > 0:
            self.take_back(member, holding)
        elif holding.cancel_boot is None or (now and not holding.killed_now):
            self.stop(member, holding, now=now)

    def _take_back(self, member: Member, boot: float) -> None:
        first: Holding = member.held[0]
        if first.begun_boot is not None and boot - first.begun_boot >= AHEAD_WITHIN_SECONDS:
            surplus = member.held[1:]
        elif len(member.held) > IN_HAND and not is_brisk(member) and self._another_is_free(member):
            surplus = member.held[IN_HAND:]
        else:
            return
        for holding in surplus:
            self.take_back(member, holding)

    def _another_is_free(self, member: Member) -> bool:
        return any(
            other.phase == READY and not other.held for other in self._keeper.of_pool(member.pool.name)
        )

    def _look_whether_begun(self, member: Member, holding: Holding, boot: float) -> None:
        if holding.begun_boot is None or boot - holding.begun_boot < SILENT_START_SECONDS:
            return
        mark = member.process.mark()
        if (
            mark is not None
            and mark.state == BEGUN
            and (mark.job, mark.attempt) == (holding.uuid, holding.claim.attempt)
        ):
            self._on_begun(holding, self._clock.now() - timedelta(seconds=boot - holding.begun_boot))

    def _limits(self, member: Member, holding: Holding, boot: float) -> None:
        if holding.imposed or holding.cancel_boot is not None:
            return
        claim = holding.claim
        if claim.expires_at is not None and self._clock.now() >= claim.expires_at:
            self.stop(member, holding, imposed=Reason.EXPIRED)
        elif (
            claim.timeout >= 0
            and holding.begun_boot is not None
            and boot - holding.begun_boot >= claim.timeout
        ):
            if claim.kill_on_timeout:
                self.stop(member, holding, imposed=Reason.TIMEOUT)
            elif not holding.overdue:
                Job.objects.filter(pk=holding.uuid, overdue_at__isnull=True).update(
                    overdue_at=self._clock.now()
                )
                holding.overdue = True
