"""Settling the jobs of an engine that died.

In this order: its runspaces are waited for and killed (a thread does that), their spooled ends
adopted, their mark files read. What had begun is lost or tried again, what had not goes back to
the queue. Every write is conditional on attempt and fence, so a rescue that is cut off and begun
again by another engine does nothing twice.
"""

import contextlib
import logging
import os
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q

from jobs_app import lifecycle, output, retry
from jobs_app.lifecycle import End, Returned
from jobs_app.models import Engine, Job
from jobs_app.states import JobState, Reason
from runspaces_app.leftovers import all_aside, put_aside, remove_folders
from runspaces_app.models import Pool, Runspace
from runspaces_app.protocol import Ended, Output, spooled
from runspaces_app.worker import processes
from runspaces_app.worker.mark import Mark, UnreadableMark
from runspaces_app.worker.mark import decode as decode_mark
from taskhub.core import failpoints
from taskhub.core.clock import Clock
from taskhub.core.home import Home

from . import heartbeat
from .closing import tell_tasks
from .holding import says_failure

log = logging.getLogger("taskhub.engine")

EXIT_MARGIN_SECONDS = 3.0
LOOK_SECONDS = 2.0


@dataclass
class _Rescue:
    engine: int
    marks: dict[int, Path]
    done: Future[None]


class Rescuer:
    """One per engine; `step` is called by the loop."""

    def __init__(self, *, engine: int, clock: Clock, home: Home) -> None:
        self._engine = engine
        self._clock = clock
        self._home = home
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="rescue")
        self._current: _Rescue | None = None
        self._look_at = 0.0

    @property
    def busy(self) -> bool:
        return self._current is not None

    def step(self) -> bool:
        """Find a dead engine, or finish the one whose runspaces have ended; True if it did something."""
        if self._current is not None:
            if not self._current.done.done():
                return False
            rescue, self._current = self._current, None
            rescue.done.result()
            self._settle(rescue)
            return True
        if self._clock.monotonic() < self._look_at:
            return False
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        for engine in Engine.objects.filter(self._unsettled()).exclude(pk=self._engine).order_by("pk"):
            if self._take(engine):
                self._begin(engine)
                return True
        return False

    def _unsettled(self) -> Q:
        return Q(state__in=("running", "draining")) | Q(state="dead", settled_at__isnull=True)

    def _take(self, engine: Engine) -> bool:
        """Become the one that settles it."""
        if engine.state == "dead":
            settler = Engine.objects.filter(pk=engine.settled_by).first() if engine.settled_by else None
            if (
                settler is not None
                and settler.pk != self._engine
                and not heartbeat.is_dead(settler, clock=self._clock)
            ):
                return False
        elif not heartbeat.is_dead(engine, clock=self._clock):
            return False
        moved = Engine.objects.filter(pk=engine.pk, state=engine.state, settled_by=engine.settled_by).update(
            state="dead", settled_by=self._engine, stopped_at=engine.stopped_at or self._clock.now()
        )
        if moved:
            log.warning("engine=%s on pid=%s is dead; settling its jobs", engine.pk, engine.pid)
        return bool(moved)

    def _begin(self, engine: Engine) -> None:
        rows = Runspace.objects.filter(engine=engine.pk).filter(
            Q(state="opened") | Q(pk__in=Job.objects.filter(engine=engine.pk, finished_at__isnull=True,
                                                           runspace__isnull=False).values("runspace"))
        )  # fmt: skip
        known = list(rows.values_list("pk", "pid", "pid_start", "pool"))
        marks = {pk: self._home.marks / f"{pk}.mark" for pk, *_ in known}
        grace = dict(Pool.objects.values_list("name", "grace_seconds"))
        seconds = max((grace.get(pool, 5.0) for *_, pool in known), default=0.0) + EXIT_MARGIN_SECONDS
        alive = [(pid, start) for _, pid, start, _ in known if pid]
        alive += [
            (mark.pid, mark.start) for mark in map(_read, marks.values()) if mark is not None and mark.pid
        ]
        if engine.boot_id != self._clock.boot_id():
            alive = []
        jobs = Job.objects.filter(engine=engine.pk, finished_at__isnull=True, runspace__isnull=False)
        cookies = [
            f"TASKHUB_JOB_ID={public_id}".encode() for public_id in jobs.values_list("public_id", flat=True)
        ]
        silent = (engine.pid, engine.pid_start) if engine.boot_id == self._clock.boot_id() else None
        done = self._threads.submit(_end_all, silent, sorted(set(alive)), cookies, seconds)
        self._current = _Rescue(engine.pk, marks, done)

    def _settle(self, rescue: _Rescue) -> None:
        failpoints.hit("rescuer.settle")
        now = self._clock.now()
        marks = {runspace: _read(path) for runspace, path in rescue.marks.items()}
        files = self._spool_of(rescue)
        jobs = {
            job.uuid: job
            for job in Job.objects.filter(
                engine=rescue.engine, finished_at__isnull=True, runspace__isnull=False
            )
        }
        ends: list[End] = []
        back: list[Returned] = []
        reported = {(UUID(hex=frame.job), frame.attempt, frame.fence): frame for frame in files.values()}
        for job in jobs.values():
            frame = reported.get((job.uuid, job.attempt, job.fence))
            mark = marks.get(job.runspace or 0)
            if frame is not None:
                ends.append(self._adopted(job, frame))
            elif mark is not None and mark.boot_id == self._clock.boot_id() and not _had_begun(job, mark):
                back.append(Returned(job.uuid.hex, job.attempt, job.fence))
            else:
                ends.append(self._lost(job))
        for job in jobs.values():
            put_aside(self._home.work, job.uuid, job.fence)
        with transaction.atomic():
            if back:
                for returned in lifecycle.give_back(back):
                    ends.append(
                        lifecycle.ending(
                            returned.job,
                            returned.attempt,
                            returned.fence,
                            JobState.STOPPED,
                            Reason.USER,
                            now=now,
                            message=lifecycle.BEFORE_START,
                            error_message=lifecycle.BEFORE_START,
                        )
                    )
            closed = lifecycle.finish(ends) if ends else []
            tell_tasks(closed, now=now)
            Runspace.objects.filter(engine=rescue.engine, state="opened").update(
                state="closed",
                availability="available",
                job=None,
                closed_at=now,
                close_reason="its engine ended",
            )
            Engine.objects.filter(pk=rescue.engine).update(settled_at=now)
            failpoints.hit("rescuer.commit.before")
        failpoints.hit("rescuer.commit.after")
        # Ends whose writing was cut off are of no use to anybody.
        torn = [path for runspace in rescue.marks for path in self._home.spool.glob(f"{runspace}-*.tmp")]
        for path in [*files, *torn, *rescue.marks.values()]:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        spare = [self._home.work / f".{runspace}" for runspace in rescue.marks]
        self._threads.submit(remove_folders, [*spare, *all_aside(self._home.work)])
        log.warning("engine=%s settled: %s ended, %s queued again", rescue.engine, len(closed), len(back))

    def _spool_of(self, rescue: _Rescue) -> dict[Path, Ended]:
        found = {}
        for runspace in rescue.marks:
            for path in self._home.spool.glob(f"{runspace}-*.json"):
                try:
                    found[path] = spooled(path.read_bytes())
                except (OSError, msgspec.DecodeError) as exc:
                    log.error("spool file %s cannot be read: %s", path.name, exc)
        return found

    def _adopted(self, job: Job, frame: Ended) -> End:
        """An end the runspace wrote down itself: the work is done, whatever became of the engine."""
        error = frame.error or ("", "", "")
        state, reason = JobState.COMPLETED, ""
        if frame.kind == "failed":
            state, reason = JobState.FAILED, frame.reason or Reason.ERROR
        elif frame.kind == "cancelled":
            # Nobody asked for it: the runspace stopped its work because its engine was gone.
            state, reason = JobState.FAILED, Reason.LOST
            error = ("Lost", "Its engine ended while the job ran.", error[2])
        elif job.task_id is not None and says_failure(frame.result):
            state, reason = JobState.FAILED, Reason.ERROR
        counted = frame.output or _output_of(job)
        return lifecycle.ending(
            frame.job, frame.attempt, frame.fence, state, reason, now=_moment(frame.finished, self._clock),
            retry_at=self._retry_at(job, reason) if state == JobState.FAILED else None,
            started_at=_moment(frame.started, self._clock), percent=frame.percent, message=frame.message,
            exit_code=frame.exit_code, output_bytes=counted.bytes, output_lines=counted.lines,
            output_dropped=counted.dropped, output_preview=counted.preview, error_type=error[0],
            error_message=error[1], error_traceback=error[2], result=frame.result,
        )  # fmt: skip

    def _lost(self, job: Job) -> End:
        now = self._clock.now()
        found = _output_of(job)
        return lifecycle.ending(
            job.uuid.hex, job.attempt, job.fence, JobState.FAILED, Reason.LOST, now=now,
            retry_at=self._retry_at(job, Reason.LOST), started_at=job.started_at or job.claimed_at or now,
            error_type="Lost", error_message="Its engine and runspace ended while the job ran.",
            output_bytes=found.bytes, output_lines=found.lines, output_dropped=found.dropped,
        )  # fmt: skip

    def _retry_at(self, job: Job, reason: str) -> datetime | None:
        if not retry.may_retry(
            reason=reason, attempt=job.attempt, max_attempts=job.max_attempts, idempotent=job.idempotent
        ):
            return None
        wait = retry.delay(job.attempt, backoff=job.backoff, jitter=job.jitter, chance=random.random)
        return self._clock.now() + timedelta(seconds=wait)


def _had_begun(job: Job, mark: Mark) -> bool:
    return any((a.job, a.attempt, a.fence) == (job.uuid, job.attempt, job.fence) for a in mark.begun)


def _read(path: Path) -> Mark | None:
    try:
        return decode_mark(path.read_bytes())
    except (OSError, UnreadableMark):
        return None


def _moment(epoch: float, clock: Clock) -> datetime:
    return min(datetime.fromtimestamp(epoch, UTC), clock.now())


def _output_of(job: Job) -> Output:
    found = output.stat(job.uuid, job.attempt)
    return Output(found.bytes, found.lines, found.dropped)


def _end_all(
    engine: tuple[int, int] | None, alive: list[tuple[int, int]], cookies: list[bytes], seconds: float
) -> None:
    """Wait for runspaces to leave by themselves, then kill what is left. Runs in a thread."""
    if engine is not None and processes.alive(*engine):
        # It lives but does not beat: two that act for one another's jobs must not be.
        os.kill(engine[0], 9)
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(processes.alive(pid, start) for pid, start in alive):
        time.sleep(0.05)
    processes.send([pid for pid, start in alive if processes.alive(pid, start)], 9)
    for cookie in cookies:
        processes.sweep(root=None, cookie=cookie)
    while any(processes.alive(pid, start) for pid, start in alive) and time.monotonic() < until + 5:
        time.sleep(0.01)
