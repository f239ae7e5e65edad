"""The keeper of one engine's runspaces: opens, watches, measures and closes them.

It knows nothing of jobs: what a runspace holds are opaque handles of its caller, newest last.
The engine calls it from its loop; it never blocks and has no thread but those that measure and kill.
"""

import contextlib
import logging
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from taskhub.core import failpoints
from taskhub.core.clock import Clock
from taskhub.core.home import Home

from . import leftovers, measure, recycling, rows, sizing
from .member import CLOSING, ENDED, OPENING, READY, Member
from .models import Runspace
from .process import ForkServer, OutputWriter, RunspaceProcess
from .protocol import Frame, Hello, encode
from .recycling import PoolSettings
from .worker.frames import BrokenFrame

log = logging.getLogger("taskhub.runspaces")

ROWS_EVERY_SECONDS, SAMPLE_EVERY_SECONDS, POOLS_EVERY_SECONDS = 1.0, 15.0, 5.0
OPENING_SECONDS, SETTLE_SECONDS = 20.0, 5.0


class Keeper:
    """All runspaces of one engine.

    Args:
        on_frame: called with each frame of a member.
        on_ended: called once a member's process is gone, its output settled and its leftovers
            killed; `member.held` still names its jobs. Afterwards `forget` is the caller's to call.
        cookie: gives the environment cookie of a handle, by which a job's processes are told.
    """

    def __init__(
        self,
        *,
        selector: selectors.BaseSelector,
        home: Home,
        clock: Clock,
        engine: int,
        on_frame: Callable[[Member, Frame], None],
        on_ended: Callable[[Member], None],
        cookie: Callable[[Any], bytes],
        app_stamp: Callable[[str], str],
        secrets: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._selector = selector
        self._home = home
        self._clock = clock
        self._engine = engine
        self._on_frame = on_frame
        self._on_ended = on_ended
        self._cookie = cookie
        self._app_stamp = app_stamp
        self._secrets = secrets
        self._members: dict[int, Member] = {}
        self._servers: dict[str, ForkServer] = {}
        self._writer: OutputWriter | None = None
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="runspace-watch")
        self._jobs: list[tuple[Member, str, Future[Any]]] = []
        self._closed: list[Member] = []
        self._pauses = recycling.Pauses()
        self._rows_at = self._sample_at = self._pools_at = 0.0
        self.pools: dict[str, PoolSettings] = {}
        self.opening_allowed = True

    # Looking

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def of_pool(self, name: str) -> list[Member]:
        return [m for m in self._members.values() if m.pool.name == name and m.phase != ENDED]

    @property
    def busy(self) -> bool:
        """Whether any member holds a job or is on its way out."""
        return any(m.held or m.phase in (CLOSING, ENDED) for m in self._members.values())

    # Opening and closing

    def start(self) -> None:
        self.load_pools()
        self._start_writer()

    def load_pools(self) -> None:
        self.pools = rows.local_pools()
        for member in self._members.values():
            member.pool = self.pools.get(
                member.pool.name, member.pool._replace(enabled=False, min_runspaces=0)
            )

    def open(self, pool: PoolSettings) -> Member:
        """Start one more runspace; it becomes READY when it says hello."""
        number = next(
            n for n in range(1, len(self._members) + 2) if n not in {m.number for m in self._members.values()}
        )
        now = self._clock.now()
        row = Runspace.objects.create(
            pool=pool.name, engine=self._engine, number=number, pid=0, pid_start=0, opened_at=now, seen_at=now
        )
        process = RunspaceProcess(row.pk, boot_id=self._clock.boot_id(), marks=self._home.marks)
        member = Member(process, pool, number, opened=self._clock.monotonic())
        self._members[row.pk] = member
        server = self._server(pool.kind)
        assert self._writer is not None  # noqa: S101 - `start` came first
        process.start_in(server, self._writer, number=number, grace=pool.grace_seconds)
        self._selector.register(process, selectors.EVENT_READ, lambda mask, m=member: self._readable(m, mask))
        failpoints.hit("runspace.opened")
        return member

    def close(self, member: Member, reason: str, *, broken: bool = False) -> None:
        """Let it end after what it runs; it takes nothing new."""
        if member.phase in (CLOSING, ENDED):
            return
        member.phase, member.close_reason, member.broken = CLOSING, reason, broken
        member.changed = True
        if not member.held:
            member.close_by = self._clock.monotonic() + member.pool.grace_seconds + 2
        self.send(member, _CLOSE)

    def kill(self, member: Member, reason: str, *, broken: bool = False) -> None:
        """End it now, whatever it runs."""
        member.close_reason = member.close_reason or reason
        member.broken = member.broken or broken
        if member.phase != ENDED:
            member.phase = CLOSING
        member.process.kill()

    def send(self, member: Member, data: bytes) -> None:
        if not member.process.send(data):
            self._selector.modify(
                member.process, selectors.EVENT_READ | selectors.EVENT_WRITE,
                lambda mask, m=member: self._readable(m, mask),
            )  # fmt: skip

    def forget(self, member: Member) -> None:
        """The end of its jobs is committed: drop mark file and handles, write its row at the next step."""
        self._members.pop(member.id, None)
        member.process.close()
        self._threads.submit(leftovers.remove_folders, [self._home.work / f".{member.id}", *member.lost])
        self._closed.append(member)

    def give(self, member: Member, handle: Any, *, affinity: str, stamp: str) -> None:
        member.held.append(handle)
        member.affinity = affinity
        member.stamp = member.stamp or stamp
        member.changed = True

    def release(self, member: Member, handle: Any, *, ran: bool) -> None:
        member.held.remove(handle)
        member.jobs_run += ran
        member.free_since = self._clock.monotonic()
        member.changed = True
        if ran and member.phase == READY:
            member.worn = member.worn or self._due_for_recycling(member)
            if member.worn and not member.held:
                self.close(member, member.worn)
        if member.phase == CLOSING and not member.held:
            member.close_by = self._clock.monotonic() + member.pool.grace_seconds + 2

    def _due_for_recycling(self, member: Member) -> str:
        stamp = self._app_stamp(member.affinity) if member.stamp else ""
        return recycling.reason(
            member.pool, jobs_run=member.jobs_run, age=self._clock.monotonic() - member.opened, memory=member.memory,
            stamp=member.stamp, app_stamp=stamp,
        )  # fmt: skip

    # What arrives

    def _readable(self, member: Member, mask: int) -> None:
        if mask & selectors.EVENT_WRITE and member.process.flush():
            self._selector.modify(
                member.process, selectors.EVENT_READ, lambda m_, m=member: self._readable(m, m_)
            )  # fmt: skip
        if not mask & selectors.EVENT_READ:
            return
        try:
            found, there = member.process.read()
        except (ValueError, BrokenFrame) as exc:
            log.error("runspace=%s sent a broken frame: %s", member.id, exc)
            self.kill(member, "sent a broken frame", broken=True)
            return
        for frame in found:
            if isinstance(frame, Hello):
                self._hello(member)
            else:
                self._on_frame(member, frame)
        if not there:
            self._unregister(member)
            self._gone(member)

    def _hello(self, member: Member) -> None:
        if member.phase == OPENING:
            self._pauses.over(member.pool.name)
            member.phase = READY
            member.process.learn_pid()
            member.free_since = self._clock.monotonic()
            member.changed = True

    def _unregister(self, member: Member) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(member.process)

    def _gone(self, member: Member) -> None:
        """Its socket is at the end or its process was collected: settle what it leaves."""
        if member.phase == ENDED:
            return
        if member.phase == OPENING:
            self._failed_to_open(member.pool.name)
        if member.phase in (OPENING, READY):
            member.broken, member.close_reason = True, member.close_reason or "ended by itself"
        member.phase = ENDED
        member.settling = {"writer"}
        member.settle_by = self._clock.monotonic() + SETTLE_SECONDS
        assert self._writer is not None  # noqa: S101
        self._writer.settle(member.id)
        server = self._servers.get(member.pool.kind)
        if server is not None and member.id in server.alive:
            member.settling.add("server")
        member.process.learn_pid()
        if member.held or member.process.alive():
            member.settling.add("sweep")
            cookies = [self._cookie(handle) for handle in member.held[:1]]
            pid, start = member.process.pid, member.process.start
            self._jobs.append(
                (member, "sweep", self._threads.submit(leftovers.end_processes, pid, start, cookies))
            )
        self._maybe_ended(member)

    def _failed_to_open(self, pool: str) -> None:
        wait = self._pauses.failed(pool, now=self._clock.monotonic())
        if wait is not None:
            log.error("pool=%s: a runspace ended before it was ready; the next try is in %.1f s", pool, wait)

    def _settled(self, member: Member | None, what: str) -> None:
        if member is not None and what in member.settling:
            member.settling.discard(what)
            self._maybe_ended(member)

    def _maybe_ended(self, member: Member) -> None:
        if not member.settling:
            self._on_ended(member)

    # Servers and writer

    def _server(self, kind: str) -> ForkServer:
        server = self._servers.get(kind)
        if server is None:
            server = ForkServer(
                kind,
                work=self._home.work,
                spool=self._home.spool,
                secrets=self._secrets() if kind == "django" else None,
            )
            self._servers[kind] = server
            self._selector.register(
                server, selectors.EVENT_READ, lambda _mask, s=server: self._server_says(s)
            )
        return server

    def _server_says(self, server: ForkServer) -> None:
        for message in server.messages():
            if message is None:
                self._selector.unregister(server)
                self._servers.pop(server.kind, None)
                server.close()
                for member in [m for m in self if m.id in server.alive]:
                    self._settled(member, "server")
                    if member.phase == OPENING:
                        self._unregister(member)
                        self._gone(member)
            elif "forked" in message:
                forked = self._members.get(message["forked"])
                if forked is not None:
                    forked.process.pid, forked.process.start = message["pid"], message["start"]
                    forked.changed = True
            elif "exited" in message:
                self._exited(server, message["exited"])
            elif "refused" in message:
                log.error("runspace=%s could not be forked: %s", message["refused"], message["error"])
                self._exited(server, message["refused"])

    def _exited(self, server: ForkServer, runspace: int) -> None:
        server.alive.discard(runspace)
        member = self._members.get(runspace)
        self._settled(member, "server")
        if member is None or member.phase == ENDED:
            return
        # What it said last may still lie in the socket; a child of a script may hold it open.
        self._readable(member, selectors.EVENT_READ)
        self._unregister(member)
        self._gone(member)

    def _start_writer(self) -> None:
        self._writer = OutputWriter(self._home.output)
        self._selector.register(self._writer, selectors.EVENT_READ, lambda _mask: self._writer_says())

    def _writer_says(self) -> None:
        writer = self._writer
        assert writer is not None  # noqa: S101
        for message in writer.messages():
            if message is None:
                log.error("output writer pid=%s is gone; a new one takes over", writer.pid)
                self._selector.unregister(writer)
                writer.close(0)
                self._start_writer()
                for member in self:
                    self._writer_for(member)
                return
            if "settled" in message:
                settled = self._members.get(message["settled"])
                if settled is not None and "writer" in settled.settling:
                    settled.learn_output(message)
                    self._settled(settled, "writer")

    def _writer_for(self, member: Member) -> None:
        assert self._writer is not None  # noqa: S101
        member.process.attach(self._writer)
        if "writer" in member.settling:
            self._writer.settle(member.id)

    # Steps of the loop

    def tick(self, *, waiting: set[str]) -> None:
        """Look after everyone: sizes, ages, dead processes, measures, rows.

        Args:
            waiting: pools that have claimable jobs no runspace is free for.
        """
        now = self._clock.monotonic()
        self._collect_results(now)
        if now >= self._pools_at:
            self._pools_at = now + POOLS_EVERY_SECONDS
            self.load_pools()
        if self.opening_allowed:
            for pool in self.pools.values():
                self._size(pool, now, pool.name in waiting)
        for member in self:
            if member.phase == OPENING and now - member.opened > OPENING_SECONDS:
                self.kill(member, "did not start", broken=True)
                self._gone(member)
            elif member.phase == CLOSING and member.close_by is not None and now > member.close_by:
                member.close_by = now + 5
                self.kill(member, "did not end by itself")
                if not member.process.alive():
                    # Never forked, or gone while a child of a script holds its socket open.
                    self._unregister(member)
                    self._gone(member)
        if now >= self._sample_at:
            self._sample_at = now + SAMPLE_EVERY_SECONDS
            self._measure()
        if now >= self._rows_at:
            self._rows_at = now + ROWS_EVERY_SECONDS
            self._write_rows()

    def next_at(self) -> float:
        """Monotonic time at which `tick` has something to do again."""
        return min(self._rows_at if any(m.changed for m in self._members.values()) or self._closed else self._sample_at,
                   self._sample_at, self._pools_at)  # fmt: skip

    def _size(self, pool: PoolSettings, now: float, wanted: bool) -> None:
        members = self.of_pool(pool.name)
        paused = self._pauses.paused(pool.name, now=now)
        for _ in range(sizing.to_open(pool, members, wanted=wanted and not paused, paused=paused)):
            self.open(pool)
        for member, why in sizing.to_close(pool, members, now=now, worn=self._due_for_recycling):
            self.close(member, why)

    def collect_garbage(self, minute: int, hour: int) -> None:
        """Once an hour each, in its own minute, between jobs."""
        for member in self:
            if (
                member.phase == READY
                and member.collected_hour != hour
                and recycling.collection_minute(member.number) == minute
            ):
                member.collected_hour = hour
                self.send(member, _COLLECT)

    def _collect_results(self, now: float) -> None:
        for entry in list(self._jobs):
            member, kind, future = entry
            if not future.done():
                continue
            self._jobs.remove(entry)
            if kind == "sweep":
                member.survivors = future.result()
                self._settled(member, "sweep")
            else:
                self._measured(future.result())
        for member in self:
            if member.phase == ENDED and member.settling and now > member.settle_by:
                member.settling.clear()
                self._on_ended(member)

    @property
    def pending(self) -> bool:
        """Whether something a thread does is awaited, so that the loop should look again soon."""
        return bool(self._jobs) or any(m.phase == ENDED for m in self._members.values())

    def _measure(self) -> None:
        pids = [(m.id, m.process.pid) for m in self if m.phase in (READY, CLOSING) and m.process.pid]
        if pids:
            self._jobs.append((None, "measure", self._threads.submit(measure.all_of, pids)))  # type: ignore[arg-type]

    def _measured(self, found: dict[int, measure.Measured]) -> None:
        known = {pk: measured for pk, measured in found.items() if pk in self._members}
        for member in map(self._members.__getitem__, known):
            member.memory, member.threads, member.handles = known[member.id]
            member.changed = True
        rows.save_samples(known, now=self._clock.now())

    def _write_rows(self) -> None:
        changed, closed = [m for m in self if m.changed], list(self._closed)
        rows.write(changed, closed, now=self._clock.now())
        # Only now: they are still to be written if the database has gone away.
        for member in changed:
            member.changed = False
        del self._closed[: len(closed)]

    def asked_to_close(self) -> list[Member]:
        """Members whose row says that a person wants them closed now."""
        wanted = set(rows.asked_to_close(self._engine))
        return [m for m in self if m.id in wanted and m.phase != ENDED]

    def abandon(self) -> None:
        """Leave without a word: all others meet the end of their sockets when this process ends."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """The last step: servers and writer end, rows are written. Members must be gone."""
        self._write_rows()
        for server in self._servers.values():
            server.close()
        if self._writer is not None:
            self._writer.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


_CLOSE, _COLLECT = encode({"t": "close"}), encode({"t": "collect"})
