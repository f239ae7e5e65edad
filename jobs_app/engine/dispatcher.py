"""Handing waiting jobs to runspaces: who gets what, and what a runspace is told."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.contrib.auth import get_user_model

from jobs_app import lifecycle
from jobs_app.errors import AppDisabled, LanguageNotInstalled
from jobs_app.lifecycle import Claimed, End, Handover
from jobs_app.states import JobState, Reason, trigger_of
from runspaces_app import languages, recycling
from runspaces_app.member import READY, Member
from runspaces_app.pool import Keeper
from runspaces_app.protocol import encode
from runspaces_app.worker import mark
from scaffolding import hosting
from taskhub.core.clock import Clock
from taskhub.core.errors import TaskhubError
from tasks_app.models import Task

from . import sql
from .holding import Holding

log = logging.getLogger("taskhub.engine")

# A job handed ahead is worth it only behind one that is likely to end at once.
AHEAD_WITHIN_SECONDS = 0.05
# In the hands of a runspace whose last job took no longer than this there may be as many as its mark
# file remembers: it ends them faster than one commit each could hand them out.
BRISK_SECONDS = 0.005
IN_HAND, IN_BRISK_HAND = 2, mark.ENTRIES
# With one writer at a time nobody else takes what was seen: a longer look serves several turns.
LOOKED_AT = 64
LEAST_LOOKED_AT = 8
# Source texts up to this size come with the look; longer ones are read at the claim.
SHORT_CODE = 8192


# Which runspaces were free, and which took jobs ahead.
Places = tuple[tuple[int, ...], tuple[int, ...]]


class Spec(NamedTuple):
    """What a job was asked to do; the maps are JSON texts."""

    code: str
    path: str
    parameters: str
    environment: str


class Waiting(NamedTuple):
    """A claimable job, as far as the choice of a runspace needs it."""

    job: str
    affinity: str
    reuse: bool
    app: str
    spec: Spec | None


@dataclass(frozen=True)
class Handed:
    """A claimed job and the frame that starts it, to be sent after the commit."""

    member: Member
    holding: Holding
    frame: bytes
    affinity: str
    stamp: str


class Dispatcher:
    """One per engine. `claim` runs inside the engine's transaction and changes nothing in memory."""

    def __init__(self, keeper: Keeper, *, engine: int, clock: Clock) -> None:
        self._keeper = keeper
        self._engine = engine
        self._clock = clock
        self._names = _Names()
        # Pools that may have claimable jobs left; cleared when a look found fewer than it asked for.
        self.more: set[str] = set()
        # Pools whose waiting jobs found no runspace: the keeper may open another.
        self.starved: set[str] = set()
        self._seen: dict[str, list[Waiting]] = {}
        # The places of a pool that suited none of its waiting jobs.
        self._in_vain: dict[str, Places] = {}

    def look_again(self) -> None:
        """Something may have been queued: look at every pool."""
        self.more |= set(self._keeper.pools)
        self._seen.clear()
        self._in_vain.clear()

    def capacity(self, name: str) -> tuple[list[Member], list[Member]]:
        """Runspaces of a pool that are free, and those that take jobs ahead, once for each they may get.

        The places ahead come with those last that the fewest jobs wait before.
        """
        free, ahead = [], []
        now = self._clock.boottime()
        for member in self._keeper:
            if member.phase != READY or member.worn or member.pool.name != name:
                continue
            in_hand = len(member.held)
            brisk = is_brisk(member)
            if not in_hand:
                free.append(member)
                in_hand = 1 if brisk else IN_HAND
            elif not self._short(member, now):
                continue
            most = min(IN_BRISK_HAND if brisk else IN_HAND, recycling.jobs_left(member.pool, member.jobs_run))
            ahead += [(taken, member) for taken in range(in_hand, most)]
        ahead.sort(key=_jobs_before, reverse=True)
        return free, [member for _, member in ahead]

    def _short(self, member: Member, now: float) -> bool:
        holding: Holding = member.held[0]
        return (
            member.pool.reuse
            and bool(holding.claim.reuse)
            and holding.cancel_boot is None
            and holding.begun_boot is not None
            and now - holding.begun_boot < AHEAD_WITHIN_SECONDS
        )

    def _soon_free(self, member: Member) -> bool:
        if not member.held:
            return True
        begun: float | None = member.held[0].begun_boot
        return begun is None or self._clock.boottime() - begun < AHEAD_WITHIN_SECONDS

    def wants(self) -> bool:
        """Whether a look at the queue could hand something out or make a pool grow."""
        return any(self._room(name) for name in self.more)

    def _room(self, name: str) -> bool:
        free, ahead = self.capacity(name)
        if name not in self.starved:
            return True
        # The same places a second time would only keep the engine turning.
        return bool(free or ahead) and _places(free, ahead) != self._in_vain.get(name)

    def claim(self, now: datetime) -> tuple[list[Handed], list[End]]:
        """Take what fits from the queues of all pools.

        Returns:
            What was handed out, and ends of jobs that cannot even be tried.
        """
        handed: list[Handed] = []
        impossible: list[End] = []
        for name in sorted(self.more & set(self._keeper.pools)):
            free, ahead = self.capacity(name)
            waiting, all_seen = self._look(name, len(free) + len(ahead))
            placed, unplaced = place(waiting, free, ahead)
            growing = bool(unplaced)
            if len(unplaced) > len(placed):
                # A long queue: the second job goes with the first and saves a commit.
                behind, unplaced = place_behind(unplaced, placed)
                placed += behind
            self._seen[name] = unplaced
            if all_seen and not unplaced:
                self.more.discard(name)
            self.starved.discard(name)
            if growing:
                self.starved.add(name)
            if unplaced:
                self._make_room(name, unplaced[0], {member for _, member in placed})
            if placed:
                self._in_vain.pop(name, None)
                got, failed = self._take(placed, now)
                handed += got
                impossible += failed
            elif unplaced:
                self._in_vain[name] = _places(free, ahead)
        return handed, impossible

    def _look(self, name: str, places: int) -> tuple[list[Waiting], bool]:
        """The next claimable jobs of a pool, and whether those are all there are."""
        seen = self._seen.get(name, [])
        if len(seen) > places:
            return seen, False
        limit = LOOKED_AT if sql.is_sqlite() else max(LEAST_LOOKED_AT, 4 * places)
        waiting = _waiting(name, limit)
        return waiting, len(waiting) < limit

    def _make_room(self, name: str, job: Waiting, chosen_now: set[Member]) -> None:
        """None here suits this job: let one that serves others go, so that one for it can come.

        Those that work for others go only if none serves the job's own kind; one without work goes
        also if those of its own kind are busy for longer.
        """
        members = self._keeper.of_pool(name)
        pool = self._keeper.pools[name]
        if len(members) < pool.max_runspaces or any(m.phase != READY for m in members):
            return
        own = [m for m in members if m.affinity in ("", job.affinity)]
        if job.reuse and own:
            idle = any(not m.held and m not in own and m not in chosen_now for m in members)
            if not idle or any(m in chosen_now or self._soon_free(m) for m in own):
                return  # one of its own will be free
        others = [m for m in members if m not in chosen_now and (m.jobs_run or m.held)]
        if others:
            # A free one first, else the one that began its work first.
            leaving = min(
                others, key=lambda m: (len(m.held), m.held[0].begun_boot or 0.0 if m.held else m.free_since)
            )
            self._keeper.close(leaving, f"served {leaving.affinity or 'nobody'}, another is waiting")

    def _take(self, placed: list[tuple[Waiting, Member]], now: datetime) -> tuple[list[Handed], list[End]]:
        handovers = [Handover(job.job, member.id) for job, member in placed]
        claims = {claim.job: claim for claim in lifecycle.claim(handovers, engine=self._engine, now=now)}
        specs = _specs([job.job for job, _ in placed if job.spec is None and job.job in claims])
        handed, impossible = [], []
        # In the order of the queue: of two for one runspace the older is sent, and runs, first.
        for job, member in placed:
            claim = claims.get(job.job)
            if claim is None:
                continue
            try:
                frame, in_process = self._frame(claim, job.spec or specs[claim.job], member)
                stamp = hosting.stamp(job.app) if job.app else ""
            except AppDisabled as exc:
                impossible.append(_not_to_run(claim, str(exc), now))
                continue
            except TaskhubError as exc:
                impossible.append(_cannot_run(claim, exc.code, str(exc), now))
                continue
            except Exception as exc:
                # Put aside with its error: one job that cannot be handed over must not stop the others.
                log.exception("job=%s cannot be handed over", claim.job)
                impossible.append(
                    _cannot_run(claim, type(exc).__name__, f"It could not be started: {exc}", now)
                )
                continue
            handed.append(Handed(member, Holding(claim, in_process), frame, job.affinity, stamp))
        return handed, impossible

    def _frame(self, claim: Claimed, spec: Spec, member: Member) -> tuple[bytes, bool]:
        """The `run` frame.

        Raises:
            AppDisabled: its task's app was switched off while it waited.
            TaskhubError: the script is not there, or nothing here can run its language.
        """
        code, path, parameters, environment = spec
        language = languages.get(claim.language)
        if language.interpreter() is None:
            raise LanguageNotInstalled(f"language: the interpreter of {language.name} is not installed here")
        app = hosting.find(claim.app) if claim.app else None
        if app is not None and claim.task is not None and not app.enabled:
            raise AppDisabled(f"The app {app.name} was disabled before this run began.")
        script = str(hosting.resolve(claim.app, path)) if path else f"script{language.suffix}"
        uuid = f"{claim.job[:8]}-{claim.job[8:12]}-{claim.job[12:16]}-{claim.job[16:20]}-{claim.job[20:]}"
        frame = {
            "t": "run",
            "job": claim.job,
            "uuid": uuid,
            "id": claim.public_id,
            "attempt": claim.attempt,
            "fence": claim.fence,
            "code": code,
            "file": bool(path),
            "script": script,
            "argv": None if language.in_process else language.argv("{script}"),
            "directory": str(app.path) if app is not None else None,
            "parameters": msgspec.Raw(parameters.encode()),
            "environment": msgspec.Raw(environment.encode()),
            "task": self._names.task(claim.task),
            "app": claim.app or None,
            "owner": self._names.user(claim.owner),
            "trigger": trigger_of(claim.trigger, claim.attempt),
            "due_at": claim.due_at.isoformat() if claim.due_at else None,
            "cap": member.pool.output_cap_bytes,
            "reuse": bool(claim.reuse) and member.pool.reuse,
        }
        return encode(frame), language.in_process


def is_brisk(member: Member) -> bool:
    """Whether it may be given more jobs ahead than one."""
    return member.pool.reuse and member.last_seconds <= BRISK_SECONDS


def place(
    waiting: Sequence[Waiting], free: Sequence[Member], ahead: Sequence[Member]
) -> tuple[list[tuple[Waiting, Member]], list[Waiting]]:
    """Match jobs, in their order, with runspaces that may take them.

    A runspace serves one affinity; a fresh one serves any. A job that must not share a process
    takes a fresh one only.

    Returns:
        The pairs, and the jobs that no runspace here may take (none, once every place is taken).
    """
    free_by, fresh = _by_affinity(free)
    ahead_by, _ = _by_affinity(ahead)
    places = len(free) + len(ahead)
    placed: list[tuple[Waiting, Member]] = []
    unplaced: list[Waiting] = []
    for position, job in enumerate(waiting):
        if len(placed) == places:
            unplaced += waiting[position:]
            break
        member: Member | None = None
        if job.reuse:
            member = _pop(free_by.get(job.affinity))
        member = member or _pop(fresh)
        if member is None and job.reuse:
            member = _pop(ahead_by.get(job.affinity))
        if member is None:
            unplaced.append(job)
        else:
            placed.append((job, member))
    return placed, unplaced


def place_behind(
    unplaced: Sequence[Waiting], placed: Sequence[tuple[Waiting, Member]]
) -> tuple[list[tuple[Waiting, Member]], list[Waiting]]:
    """Give runspaces that have just got their first job a second one, ahead of time.

    Returns:
        The further pairs, and what is left.
    """
    open_to: dict[str, list[Member]] = {}
    for job, member in reversed(placed):
        if job.reuse and not member.held and recycling.jobs_left(member.pool, member.jobs_run) > 1:
            open_to.setdefault(job.affinity, []).append(member)
    more: list[tuple[Waiting, Member]] = []
    left: list[Waiting] = []
    for position, job in enumerate(unplaced):
        if not any(open_to.values()):
            left += unplaced[position:]
            break
        behind = _pop(open_to.get(job.affinity)) if job.reuse else None
        if behind is None:
            left.append(job)
        else:
            more.append((job, behind))
    return more, left


def _places(free: Sequence[Member], ahead: Sequence[Member]) -> Places:
    return tuple(member.id for member in free), tuple(member.id for member in ahead)


def _jobs_before(place: tuple[int, Member]) -> int:
    return place[0]


def _by_affinity(members: Sequence[Member]) -> tuple[dict[str, list[Member]], list[Member]]:
    bound: dict[str, list[Member]] = {}
    fresh = []
    for member in members:
        if member.affinity:
            bound.setdefault(member.affinity, []).append(member)
        else:
            fresh.append(member)
    return bound, fresh


def _pop(members: list[Member] | None) -> Member | None:
    return members.pop() if members else None


def _waiting(pool: str, limit: int) -> list[Waiting]:
    # Literals, not parameters: the planner must see that the partial index covers the condition.
    cursor = sql.run(
        "SELECT job.uuid, job.affinity, job.reuse, job.app, "
        "CASE WHEN length(spec.code) <= ? THEN spec.code END, spec.path, spec.parameters, spec.environment "
        "FROM jobs_app_job job JOIN jobs_app_jobspec spec ON spec.job_id = job.uuid "
        "WHERE job.pool = ? AND job.state = 'queued' AND job.runspace IS NULL AND job.held = '' "
        f"ORDER BY job.priority DESC, job.uuid LIMIT ? {sql.locked_rows('job')}",
        [SHORT_CODE, pool, limit],
    )
    return [
        Waiting(sql.hex_of(row[0]), row[1], bool(row[2]), row[3], None if row[4] is None else Spec(*row[4:]))
        for row in cursor.fetchall()
    ]


_SPEC_KEY: sql.Columns = (("v_job", "uuid"),)


def _specs(jobs: Sequence[str]) -> dict[str, Spec]:
    if not jobs:
        return {}
    source, parameters = sql.rows_as_table(_SPEC_KEY, [(job,) for job in jobs])
    cursor = sql.run(
        f"SELECT job_id, code, path, parameters, environment FROM jobs_app_jobspec, {source} WHERE job_id = v_job",
        parameters,
    )
    return {sql.hex_of(row[0]): Spec(*row[1:]) for row in cursor.fetchall()}


def _cannot_run(claim: Claimed, error_type: str, message: str, now: datetime) -> End:
    return lifecycle.ending(
        claim.job, claim.attempt, claim.fence, JobState.FAILED, Reason.ERROR, now=now,
        error_type=error_type, error_message=message,
    )  # fmt: skip


def _not_to_run(claim: Claimed, message: str, now: datetime) -> End:
    return lifecycle.ending(
        claim.job, claim.attempt, claim.fence, JobState.STOPPED, Reason.USER, now=now,
        message=lifecycle.BEFORE_START, error_message=message,
    )  # fmt: skip


class _Names:
    """Names of tasks and users by id; few, and looked up for every job."""

    LONGEST = 10_000

    def __init__(self) -> None:
        self._tasks: dict[int, str | None] = {}
        self._users: dict[int, str | None] = {}

    def task(self, pk: int | None) -> str | None:
        return self._cached(
            self._tasks, pk, lambda: Task.objects.filter(pk=pk or 0).values_list("name", flat=True).first()
        )

    def user(self, pk: int | None) -> str | None:
        return self._cached(self._users, pk, lambda: _user_name(pk or 0))

    def _cached(
        self, known: dict[int, str | None], pk: int | None, look: Callable[[], str | None]
    ) -> str | None:
        if pk is None:
            return None
        if pk not in known:
            if len(known) > self.LONGEST:
                known.clear()
            known[pk] = look()
        return known[pk]


def _user_name(pk: int) -> str | None:
    return get_user_model().objects.filter(pk=pk).values_list("username", flat=True).first()
