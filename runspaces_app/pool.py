"""The keeper of one engine's runspaces: opens, watches, measures and closes them.

It knows nothing of jobs: what a runspace holds are opaque handles of its caller, newest last.
The engine calls it from its loop; it never blocks and has no thread but those that measure and kill.
"""

import logging
import selectors
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from taskhub.core import failpoints
from taskhub.core.clock import Clock
from taskhub.core.home import Home

from . import measure, recycling
from .models import Pool, Runspace, RunspaceSample
from .process import ForkServer, OutputWriter, RunspaceProcess
from .protocol import Frame, Hello, Output
from .recycling import PoolSettings
from .worker import processes
from .worker.frames import BrokenFrame

log = logging.getLogger("taskhub.runspaces")

OPENING, READY, CLOSING, ENDED = "opening", "ready", "closing", "ended"
ROWS_EVERY_SECONDS = 1.0
SAMPLE_EVERY_SECONDS = 15.0
POOLS_EVERY_SECONDS = 5.0
OPENING_SECONDS = 20.0
SETTLE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(eq=False)
class Member:
    """One runspace under care.

    Attributes:
        held: handles of the jobs it was given and has not answered for, oldest first.
        affinity: whose jobs it serves; "" until its first.
        lost: jobs that went down with it; their work folders are removed with it.
    """

    process: RunspaceProcess
    pool: PoolSettings
    number: int
    opened: float
    phase: str = OPENING
    held: list[Any] = field(default_factory=list)
    affinity: str = ""
    stamp: str = ""
    jobs_run: int = 0
    free_since: float = 0.0
    memory: int = 0
    threads: int = 0
    handles: int = 0
    close_reason: str = ""
    broken: bool = False
    close_by: float | None = None
    collected_hour: int = -1
    changed: bool = False
    job: str | None = None
    output: Output | None = None
    survivors: list[int] = field(default_factory=list)
    settling: set[str] = field(default_factory=set)
    lost: list[UUID] = field(default_factory=list)
    settle_by: float = 0.0

    @property
    def id(self) -> int:
        return self.process.runspace


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
        # Pools whose runspaces died before they were ready: (failures in a row, not before).
        self._failing: dict[str, tuple[int, float]] = {}
        self._rows_at = self._sample_at = self._pools_at = 0.0
        self.pools: dict[str, PoolSettings] = {}
        self.opening_allowed = True

    # Looking

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def of_pool(self, name: str) -> list[Member]:
        return [m for m in self._members.values() if m.pool.name == name and m.phase != ENDED]

    def free(self, name: str) -> list[Member]:
        return [m for m in self._members.values() if m.phase == READY and not m.held and m.pool.name == name]

    @property
    def busy(self) -> bool:
        """Whether any member holds a job or is on its way out."""
        return any(m.held or m.phase in (CLOSING, ENDED) for m in self._members.values())

    # Opening and closing

    def start(self) -> None:
        self.load_pools()
        self._start_writer()

    def load_pools(self) -> None:
        fields = PoolSettings._fields
        self.pools = {
            row[0]: PoolSettings(*row) for row in Pool.objects.filter(backend="local").values_list(*fields)
        }
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
        folders = [self._home.work / f".{member.id}", *(self._home.work / str(job) for job in member.lost)]
        self._threads.submit(remove_folders, folders)
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
        if ran and member.phase == READY and not member.held:
            why = self._due_for_recycling(member)
            if why:
                self.close(member, why)
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
            self._failing.pop(member.pool.name, None)
            member.phase = READY
            member.process.learn_pid()
            member.free_since = self._clock.monotonic()
            member.changed = True

    def _unregister(self, member: Member) -> None:
        try:
            self._selector.unregister(member.process)
        except (KeyError, ValueError):
            return

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
        member.process.learn_pid()
        if member.held or member.process.alive():
            member.settling.add("sweep")
            cookies = [self._cookie(handle) for handle in member.held[:1]]
            pid, start = member.process.pid, member.process.start
            self._jobs.append((member, "sweep", self._threads.submit(_end_processes, pid, start, cookies)))
        self._maybe_ended(member)

    def _failed_to_open(self, pool: str) -> None:
        failures, until = self._failing.get(pool, (0, 0.0))
        if self._clock.monotonic() < until:
            return  # it went down with the one that began the pause
        failures += 1
        wait = min(LONGEST_PAUSE_SECONDS, 0.25 * 2**failures)
        self._failing[pool] = failures, self._clock.monotonic() + wait
        log.error("pool=%s: a runspace ended before it was ready; the next try is in %.1f s", pool, wait)

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
                for member in [m for m in self if m.phase == OPENING and m.pool.kind == server.kind]:
                    self._unregister(member)
                    self._gone(member)
            elif "forked" in message:
                member = self._members.get(message["forked"])
                if member is not None:
                    member.process.pid, member.process.start = message["pid"], message["start"]
                    member.changed = True
            elif "exited" in message:
                self._exited(message["exited"])
            elif "refused" in message:
                log.error("runspace=%s could not be forked: %s", message["refused"], message["error"])
                self._exited(message["refused"])

    def _exited(self, runspace: int) -> None:
        member = self._members.get(runspace)
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
                assert self._writer is not None  # noqa: S101
                for member in self:
                    self._writer_for(member)
                return
            if "settled" in message:
                member = self._members.get(message["settled"])
                if member is not None and "writer" in member.settling:
                    member.settling.discard("writer")
                    if message.get("bytes"):
                        member.job = message.get("job")
                        member.output = Output(
                            message["bytes"], message["lines"], message["dropped"], message.get("preview", "")
                        )
                    self._maybe_ended(member)

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
        members = [m for m in self.of_pool(pool.name) if m.phase != CLOSING]
        if not pool.enabled:
            for member in members:
                self.close(member, "the pool is switched off")
            return
        opening = sum(m.phase == OPENING for m in members)
        target = pool.min_runspaces
        if wanted and not opening:
            target = max(target, len(members) + 1)
        everyone = len(self.of_pool(pool.name))
        if now < self._failing.get(pool.name, (0, 0.0))[1]:
            target = 0
        while (
            len(members) < target and everyone < pool.max_runspaces + 2 and len(members) < pool.max_runspaces
        ):
            members.append(self.open(pool))
            everyone += 1
        free = [m for m in members if m.phase == READY and not m.held]
        for member in free:
            why = self._due_for_recycling(member)
            if why:
                self.close(member, why)
            elif len(members) > pool.max_runspaces or recycling.too_many(
                pool, open_count=len(members), idle=now - member.free_since
            ):
                self.close(member, f"without work for {now - member.free_since:.0f} s")
                members.remove(member)

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
                member.settling.discard("sweep")
                self._maybe_ended(member)
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
        now = self._clock.now()
        rows = []
        for runspace, measured in found.items():
            member = self._members.get(runspace)
            if member is None:
                continue
            member.memory, member.threads, member.handles = measured
            member.changed = True
            rows.append(RunspaceSample(runspace_id=runspace, at=now, memory_bytes=measured.memory,
                                       threads=measured.threads, handles=measured.handles))  # fmt: skip
        if rows:
            RunspaceSample.objects.bulk_create(rows)

    def _write_rows(self) -> None:
        changed = [m for m in self if m.changed]
        closed = list(self._closed)
        if not changed and not closed:
            return
        now = self._clock.now()
        with transaction.atomic():
            for member in changed:
                Runspace.objects.filter(pk=member.id).update(
                    pid=member.process.pid, pid_start=member.process.start, affinity=member.affinity,
                    availability="busy" if member.held else "available", job=member.held[0].uuid if member.held else None,
                    jobs_run=member.jobs_run, seen_at=now, memory_bytes=member.memory, threads=member.threads,
                    handles=member.handles,
                )  # fmt: skip
            for member in closed:
                Runspace.objects.filter(pk=member.id).update(
                    state="broken" if member.broken else "closed", availability="available", job=None, closed_at=now,
                    close_reason=member.close_reason[:200], jobs_run=member.jobs_run, pid=member.process.pid,
                    pid_start=member.process.start, affinity=member.affinity, seen_at=now,
                )  # fmt: skip
        # Only now: had the database gone away, they would still have to be written.
        for member in changed:
            member.changed = False
        del self._closed[: len(closed)]

    def asked_to_close(self) -> list[Member]:
        """Members whose row says that a person wants them closed now."""
        rows = Runspace.objects.filter(engine=self._engine, state="opened", close_requested_at__isnull=False)
        found = [self._members.get(pk) for pk in rows.values_list("pk", flat=True)]
        return [m for m in found if m is not None and m.phase != ENDED]

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


def remove_folders(folders: list[Path]) -> None:
    """Work folders nobody cleans up any more. Runs in a thread."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end_processes(pid: int, start: int, cookies: list[bytes]) -> list[int]:
    """Kill a runspace that is not gone yet and every process of its job. Runs in a thread."""
    if pid and processes.alive(pid, start):
        processes.send([pid], 9)
    survivors: list[int] = []
    for cookie in cookies:
        survivors += processes.sweep(root=None, sessions=(pid,) if pid else (), cookie=cookie)
    return survivors


def _frame(kind: str) -> bytes:
    from .protocol import encode

    return encode({"t": kind})


_CLOSE, _COLLECT = _frame("close"), _frame("collect")
