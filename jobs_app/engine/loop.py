"""The engine: one loop that waits, lets every step do a little, and commits what it learned at once.

What runspaces report in a turn is gathered in `Facts` and written in one transaction together with
the claims of new work; only after the commit are ends acknowledged and jobs handed over. A turn
whose transaction failed keeps its facts and tries again: every write is conditional, so doing it
twice changes nothing.
"""

import logging
import selectors
from collections.abc import Callable
from datetime import datetime

from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction

from jobs_app import lifecycle
from jobs_app.lifecycle import Closed, End, Returned
from jobs_app.models import Job
from jobs_app.states import JobState, Reason
from runspaces_app.member import ENDED, OPENING, READY, Member
from runspaces_app.pool import Keeper
from runspaces_app.protocol import encode
from scaffolding import hosting
from taskhub.core import failpoints, wake
from taskhub.core.clock import Clock
from taskhub.core.home import Home

from . import heartbeat, questions, scheduler, sql
from .closing import tell_tasks
from .dispatcher import Dispatcher, Handed
from .holding import Holding
from .housekeeper import Housekeeper
from .reports import Facts, Reports
from .rescuer import Rescuer
from .watchdog import Watchdog

log = logging.getLogger("taskhub.engine")

POLL_SECONDS = 1.0
PENDING_SECONDS = 0.02
PACE_SECONDS = 0.005
# How long `once` waits for a runspace when nothing else is left to do.
PATIENCE_SECONDS = 30.0
DATABASE_AWAY_SECONDS = 0.5
DATABASE_ERRORS = (OperationalError, InterfaceError)


class Engine:
    """The loop and its parts.

    Args:
        once: end when nothing is due, queued or running any more.
        drain: the same without deciding what is due: only what is queued.
    """

    def __init__(self, *, clock: Clock, home: Home, version: str, once: bool = False, drain: bool = False,
                 secrets: Callable[[], int | None] = lambda: None) -> None:  # fmt: skip
        self._clock = clock
        self._once = once or drain
        self._waits_since: float | None = None
        # What `once` could not run: pools whose runspaces did not come up.
        self.gave_up_on: frozenset[str] = frozenset()
        self._decides = not drain
        self._selector = selectors.DefaultSelector()
        self.id = heartbeat.register(clock=clock, home=home, version=version)
        self._reports = Reports(clock=clock, home=home)
        self._keeper = Keeper(
            selector=self._selector, home=home, clock=clock, engine=self.id, on_frame=self._reports.on_frame,
            on_ended=self._reports.on_ended, cookie=Holding.cookie, app_stamp=_stamp_of, secrets=secrets,
        )  # fmt: skip
        self._reports.keeper = self._keeper
        self._dispatcher = Dispatcher(self._keeper, engine=self.id, clock=clock)
        self._watchdog = Watchdog(self._keeper, engine=self.id, clock=clock, on_begun=self._reports.begun)
        self._rescuer = Rescuer(engine=self.id, clock=clock, home=home)
        self._housekeeper = Housekeeper(clock=clock)
        self._reconcile = False
        self._wake = wake.open_receiver()
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self._asked_to_stop = 0
        self._drain_until: float | None = None
        self._leave_by: float | None = None
        self._giving_up = False
        self._poll_at = self._beat_at = self._away_until = self._committed_at = 0.0
        self._crowded = False
        self._look = True
        self._more_timed = False

    # Running

    def run(self) -> None:
        """Turn until told to stop and everything in hand has ended."""
        self._keeper.start()
        log.info("engine=%s runs", self.id)
        orderly = False
        try:
            while self.turn(self._timeout()):
                pass
            orderly = not self._giving_up
        finally:
            if orderly:
                self._shut()
            else:
                self._abandon()

    def request_stop(self) -> None:
        """First call: no new work, what runs gets the drain time. Second: everything ends now. Signal safe."""
        self._asked_to_stop += 1

    def turn(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds, take every step once, commit; False when it is time to leave."""
        self._listen(timeout)
        self._give_way()
        now = self._clock.monotonic()
        try:
            # What has run for too long ends, whether the database answers or not.
            self._watchdog.step()
            if now < self._away_until:
                return not self._gives_up(now)  # the database is away: what arrives is kept
            self._steps(now)
            self._commit()
            self._answer()
            if self._asked_to_stop:
                return self._drain(now)
        except DATABASE_ERRORS as exc:
            self._database_away(exc)
            return not self._gives_up(now)
        return not (self._once and self._idle())

    def _listen(self, timeout: float) -> None:
        for key, mask in self._selector.select(timeout):
            key.data(mask)

    def _give_way(self) -> None:
        """Beside other writers gather for a moment: one commit then serves more, and they get between."""
        until = self._committed_at + (PACE_SECONDS if self._crowded else 0.0)
        while (left := until - self._clock.monotonic()) > 0:
            self._listen(left)

    def _steps(self, now: float) -> None:
        if self._reconcile:
            self._forget_unknown_claims()
        if now >= self._beat_at:
            self._beat_at = now + heartbeat.BEAT_SECONDS
            if not heartbeat.beat(self.id, clock=self._clock):
                # Another engine has settled our jobs: what we hold is no longer ours.
                log.error("engine=%s was taken for dead; leaving", self.id)
                self._asked_to_stop = 2
        polling = now >= self._poll_at
        if self._look or polling:
            self._look = False
            self._watchdog.read_requests()
            if not self._asked_to_stop:
                self._dispatcher.look_again()
        if polling or self._more_timed:
            self._poll_at = now + POLL_SECONDS
            self._watchdog.close_asked()
            if not self._asked_to_stop:
                lifecycle_steps(self._clock.now())
                self._timed()
        self._keeper.tick(waiting=set() if self._asked_to_stop else self._dispatcher.starved)

    def _timed(self) -> None:
        # What works in slices says that there is more; it comes in the next turn.
        done = [self._guarded(step) for step in self._timed_steps()]
        self._more_timed = any(done)
        self._look = self._look or self._more_timed

    def _timed_steps(self) -> list[Callable[[], object]]:
        deciding: list[Callable[[], object]] = [
            lambda: scheduler.decide(clock=self._clock),
            lambda: scheduler.reload(clock=self._clock),
        ]
        return [
            *(deciding if self._decides else [lambda: scheduler.release(clock=self._clock)]),
            self._rescuer.step,
            self._housekeeper.step,
            self._collect_garbage,
        ]

    def _guarded(self, step: Callable[[], object]) -> bool:
        """Take a step; one that fails is logged and tried again later, the others go on."""
        try:
            return bool(step())
        except DATABASE_ERRORS:
            raise
        except Exception:
            log.exception("engine=%s: a step failed", self.id)
            return False

    def _collect_garbage(self) -> None:
        moment = self._clock.now()
        self._keeper.collect_garbage(moment.minute, moment.hour)

    def _timeout(self) -> float:
        """Seconds to wait at most."""
        if self._clock.monotonic() < self._away_until:
            return PENDING_SECONDS
        if (
            self._look
            or self._more_timed
            or self._reports.facts
            or (not self._asked_to_stop and self._dispatcher.wants())
        ):
            return 0.0
        now = self._clock.monotonic()
        soonest = min(self._poll_at, self._beat_at, self._keeper.next_at())
        timeout = max(0.0, min(soonest - now, self._watchdog.next_in()))
        try:
            due = scheduler.next_due(self._clock.now())
        except DATABASE_ERRORS as exc:
            self._database_away(exc)
            return PENDING_SECONDS
        if due is not None:
            until = (due - self._clock.now()).total_seconds()
            if until <= timeout:
                self._poll_at = min(self._poll_at, now + max(0.0, until))
                timeout = max(0.0, until)
        if self._keeper.pending or self._rescuer.busy or self._asked_to_stop:
            timeout = min(timeout, PENDING_SECONDS)
        return timeout

    def _woken(self, _mask: int) -> None:
        self._wake.drain()
        self._look = True

    # Committing

    def _commit(self) -> None:
        facts = self._reports.facts
        claiming = not self._asked_to_stop and self._dispatcher.wants()
        if not facts and not claiming:
            return
        handed: list[Handed] = []
        if claiming or facts.begun or facts.progress or facts.ends or facts.returned:
            now = self._clock.now()
            failpoints.hit("engine.turn.before")
            with transaction.atomic():
                connection.ensure_connection()
                self._write(facts, now)
                if claiming:
                    handed, impossible = self._dispatcher.claim(now)
                    if impossible:
                        tell_tasks(lifecycle.finish(impossible), now=now)
                failpoints.hit("engine.commit.before")
            self._committed_at = self._clock.monotonic()
            self._crowded = sql.met_writers()
            failpoints.hit("engine.commit.after")
            if handed:
                failpoints.hit("engine.claimed")
        self._reports.facts = Facts()
        self._after_commit(facts, handed)

    def _write(self, facts: Facts, now: datetime) -> None:
        if facts.begun:
            lifecycle.begin(list(facts.begun.values()))
        if facts.progress:
            lifecycle.advance(list(facts.progress.values()))
        ends = list(facts.ends.values())
        if facts.returned:
            ends += [_never_began(job, now) for job in lifecycle.give_back(list(facts.returned.values()))]
            self._dispatcher.look_again()
        if ends:
            closed: list[Closed] = lifecycle.finish(ends)
            for one in closed:
                if one.will_retry and one.end.retry_at is not None:
                    wait = max(0.0, (one.end.retry_at - now).total_seconds())
                    self._poll_at = min(self._poll_at, self._clock.monotonic() + wait)
            if any(one.task is not None for one in closed):
                tell_tasks(closed, now=now)
                # A run that ended may make room for one that waits for the limit.
                self._more_timed = True

    def _after_commit(self, facts: Facts, handed: list[Handed]) -> None:
        boot = self._clock.boottime()
        for one in handed:
            member, holding = one.member, one.holding
            if not member.held:
                holding.begun_boot = boot
            self._keeper.give(member, holding, affinity=one.affinity, stamp=one.stamp)
        data: dict[Member, bytes] = {
            m: encode({"t": "ack", "upto": upto}) for m, upto in facts.acknowledge.items()
        }
        for one in handed:
            data[one.member] = data.get(one.member, b"") + one.frame
        for member, frames in data.items():
            if member.phase != ENDED:
                self._keeper.send(member, frames)
        failpoints.hit("engine.sent")
        for one in handed:
            if one.member.phase not in (READY, OPENING):
                # It went away between the choice and the commit; it was never told, so nothing began.
                self._withdraw(one)
        for member in facts.gone:
            self._keeper.forget(member)

    def _withdraw(self, one: Handed) -> None:
        if one.member.phase == ENDED and one.holding in one.member.held:
            self._reports.give_back(one.member, one.holding)

    def _answer(self) -> None:
        while self._reports.questions:
            member, question = self._reports.questions.pop(0)
            # What is asked may have been done though the answer was lost, and must not be done twice.
            reply: dict[str, object] = {"error": "the engine failed; whether it was done is not known"}
            try:
                reply = questions.answer(question, now=self._clock.now())
            except DATABASE_ERRORS:
                raise
            except Exception:
                log.exception("job=%s: its question cannot be answered", question.job)
            finally:
                if member.phase != ENDED:
                    self._keeper.send(member, encode({"t": "reply", "n": question.n, **reply}))

    # Trouble and the end

    def _database_away(self, exc: Exception) -> None:
        log.warning("engine=%s: the database does not answer (%s); trying again", self.id, exc)
        self._reconcile = True
        self._away_until = self._clock.monotonic() + DATABASE_AWAY_SECONDS
        connection.close()
        close_old_connections()
        if "locked" in str(exc):
            self._watchdog.free_database()

    def _gives_up(self, now: float) -> bool:
        """Whether to leave though the database is away: told to stop twice, or once and the drain time is over."""
        if self._asked_to_stop and self._leave_by is None:
            self._leave_by = now + max((m.pool.drain_seconds for m in self._keeper), default=0.0)
        self._giving_up = self._asked_to_stop > 1 or (self._leave_by is not None and now >= self._leave_by)
        return self._giving_up

    def _forget_unknown_claims(self) -> None:
        """After a commit whose answer was lost: rows say we were given jobs that we never handed out."""
        held = {holding.claim.job for member in self._keeper for holding in member.held}
        held |= {job for job, _, _ in self._reports.facts.ends} | set(self._reports.facts.returned)
        rows = Job.objects.filter(
            engine=self.id, state=JobState.QUEUED, runspace__isnull=False, finished_at__isnull=True
        ).values_list("pk", "attempt", "fence")
        unknown = [Returned(pk.hex, attempt, fence) for pk, attempt, fence in rows if pk.hex not in held]
        for job in unknown:
            self._reports.facts.returned[job.job] = job
        self._reconcile = False

    def _drain(self, now: float) -> bool:
        """No new work; what runs gets its pool's drain time, then is stopped. False when all is done."""
        if self._drain_until is None:
            self._keeper.opening_allowed = False
            heartbeat.draining(self.id)
            longest = max((m.pool.drain_seconds for m in self._keeper if m.held), default=0.0)
            self._drain_until = now + longest
            log.info("engine=%s drains for up to %.0f s", self.id, longest)
        for member in self._keeper:
            for holding in member.held[1:]:
                self._watchdog.take_back(member, holding)
            if not member.held and member.phase in (OPENING, READY):
                self._keeper.close(member, "the engine stops")
        if self._asked_to_stop > 1 or now >= self._drain_until:
            self._stop_everything(now=self._asked_to_stop > 1)
        return any(True for _ in self._keeper) or bool(self._reports.facts)

    def _stop_everything(self, *, now: bool) -> None:
        for member in self._keeper:
            if member.phase == ENDED:
                continue
            if not member.held:
                if now:
                    self._keeper.kill(member, "the engine stops")
                continue
            holding: Holding = member.held[0]
            if holding.cancel_boot is None or (now and not holding.killed_now):
                self._watchdog.stop(member, holding, imposed=Reason.SHUTDOWN, now=now)

    def _idle(self) -> bool:
        """For `once`: nothing claimable is left and no runspace holds anything; what stands still is left."""
        waiting = {name for name in self._dispatcher.more | self._dispatcher.starved if self._is_on(name)}
        if self._reports.facts or self._look or self._rescuer.busy or any(m.held for m in self._keeper):
            self._waits_since = None
            return False
        if waiting:
            now = self._clock.monotonic()
            self._waits_since = now if self._waits_since is None else self._waits_since
            if now - self._waits_since < PATIENCE_SECONDS:
                return False
            self.gave_up_on = frozenset(waiting)
        self._asked_to_stop = max(self._asked_to_stop, 1)
        return False

    def _is_on(self, name: str) -> bool:
        pool = self._keeper.pools.get(name)
        return pool is not None and pool.enabled

    def _shut(self) -> None:
        for member in self._keeper:
            self._keeper.kill(member, "the engine stops")
        try:
            self._keeper.stop()
            heartbeat.stopped(self.id, clock=self._clock)
        except DATABASE_ERRORS as exc:
            log.error("engine=%s: the database does not answer at the end (%s)", self.id, exc)
        self._wake.close()
        self._selector.close()
        log.info("engine=%s has ended", self.id)

    def _abandon(self) -> None:
        """Leave at once: runspaces see the end of their sockets, save what they know and follow.

        The row goes on to say that it runs, so that the next engine settles what is in hand.
        """
        self._keeper.abandon()
        log.error("engine=%s has ended and leaves its jobs to the next one", self.id)


def lifecycle_steps(now: datetime) -> None:
    """Rows that move by time alone: retries whose back-off is over, jobs whose time is."""
    connection.ensure_connection()
    # A look first: with nothing due there is no reason to stand in line with those who write.
    if lifecycle.moved_by_time(now=now):
        with transaction.atomic():
            lifecycle.release_retries(now=now)
            lifecycle.expire(now=now)


def _never_began(job: Returned, now: datetime) -> End:
    return lifecycle.ending(
        job.job, job.attempt, job.fence, JobState.STOPPED, Reason.USER, now=now,
        message=lifecycle.BEFORE_START, error_message=lifecycle.BEFORE_START,
    )  # fmt: skip


def _stamp_of(affinity: str) -> str:
    kind, _, name = affinity.partition(":")
    return hosting.stamp(name) if kind == "app" and name else ""
