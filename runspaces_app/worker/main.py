"""The runspace process: a main thread that runs jobs, a control thread that listens.

The main thread takes one job at a time and reports its end itself. The control thread reads what
the engine says (jobs, cancels, acknowledgements), sends starts and progress, and when the engine
is gone writes what was not acknowledged to the spool and ends the process. Standard library only.
"""

import collections
import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from taskhub.core import failpoints

from . import facts, frames, processes
from .cancel import Canceller
from .child_job import ChildJob, parameters_in_environment, prepare
from .context import injected
from .end_report import end_frame, spool
from .hygiene import Baseline
from .mark import MarkFile
from .outcome import CANCELLED, Outcome
from .output_end import OutputEnd
from .progress import Progress
from .python_job import run as run_python
from .python_job import source_of
from .results import Emitted
from .workplace import Workplace

# A job that ends sooner is reported by its end alone: one frame less for the shortest jobs.
STARTED_AFTER_SECONDS, PROGRESS_EVERY_SECONDS = 0.002, 0.1
EXIT_AFTER_ENGINE_SECONDS = 2.0

_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Setup:
    """What a runspace is given at its fork.

    Attributes:
        work, spool: folders, absolute.
        grace: seconds between asking its work to end and killing it when the engine is gone.
        between: called after each job, before hygiene; a pool with Django closes its connections.
    """

    runspace: int
    engine: socket.socket
    writer: socket.socket
    mark: MarkFile
    work: str
    spool: str
    grace: float
    between: Callable[[], None]


class Runspace:
    """State both threads share; `_lock` guards what is not a single reference."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._arrived = os.eventfd(0, os.EFD_CLOEXEC)
        self._nudge = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._child_wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._waiting: collections.deque[dict[str, Any]] = collections.deque()
        self._current: dict[str, Any] | None = None
        self._started_at = 0.0
        self._started_mono = 0.0
        self._started_sent = True
        self._cancel: tuple[object, float] | None = None
        self._progress: Progress | None = None
        self._progress_due = False
        self._progress_sent_mono = 0.0
        self._canceller = Canceller()
        self._sequence = 0
        self._unacknowledged: dict[int, bytes] = {}
        self._questions: dict[int, tuple[threading.Event, list[dict[str, Any]]]] = {}
        self._question = 0
        self._closing = False
        self._output = OutputEnd(setup.writer, setup.mark)
        self._workplace = Workplace(setup.work, setup.runspace)
        self._pid = os.getpid()
        os.register_at_fork(after_in_child=self._let_go)

    def _let_go(self) -> None:
        """In a child that a script forked: its copies must not keep the runspace's connections open."""
        self._setup.engine.close()
        self._setup.writer.close()

    # The main thread

    def run(self) -> None:
        """Run jobs until told to close; returns when the last end is acknowledged or given up."""
        self._canceller.install()
        self._workplace.open()
        self._send({"t": "hello", "pid": os.getpid()})
        control = threading.Thread(target=self._control, name="control", daemon=True)
        control.start()
        self._baseline = Baseline()
        while True:
            with self._lock:
                frame = self._current = self._waiting.popleft() if self._waiting else None
                if frame is None and self._closing:
                    break
            if frame is None:
                # Written after each change of what was just looked at, so nothing is slept through.
                os.eventfd_read(self._arrived)
            elif not self._run_one(frame):
                break
        self._leave()

    def _run_one(self, frame: dict[str, Any]) -> bool:
        """Run one job and report it; False if the runspace must not take another."""
        attempt = (frame["job"], frame["attempt"])
        self._setup.mark.begin(
            job=bytes.fromhex(frame["job"]),
            attempt=frame["attempt"],
            fence=frame["fence"],
            output_cap=frame["cap"],
        )
        failpoints.hit("runspace.marked")
        started = time.time()
        self._progress = progress = Progress(self._progress_changed)
        self._progress_due = False
        self._started_at, self._started_mono, self._started_sent = started, time.monotonic(), False
        try:
            outcome = self._execute(frame, attempt, progress)
        except BaseException as exc:
            # A fault of ours, or an exception a script left pending: the job must not vanish with it.
            outcome = Outcome.failed(
                type(exc).__name__, f"The runspace failed: {exc}", recycle=f"fault: {exc!r:.150}"
            )
        finished = time.time()
        if os.getpid() != self._pid:
            # A script forked and its child walked on to here: it is not the runspace and must not speak for it.
            os._exit(0)
        last_word = progress.close(outcome.kind)
        percent, _ = progress.snapshot()
        failpoints.hit("runspace.ran")
        output, recycle = self._finish(frame, outcome)
        with self._lock:
            self._current = None
            self._progress = None
            self._cancel = None
            self._started_sent = True
            if not frame["reuse"]:
                recycle = recycle or "not to be used again"
            self._sequence += 1
            body = end_frame(
                frame,
                outcome,
                sequence=self._sequence,
                started=started,
                finished=finished,
                percent=percent,
                last_word=last_word,
                output=output,
                recycle=recycle,
            )
            self._unacknowledged[self._sequence] = body
        failpoints.hit("runspace.end.before")
        try:
            with self._sending:
                self._setup.engine.sendall(frames.prefixed(body))
        except OSError:
            # The engine is gone and the control thread is about to save this end: it must not be cut off.
            self._leave()
        failpoints.hit("runspace.end.after")
        return not recycle

    def _execute(self, frame: dict[str, Any], attempt: object, progress: Progress) -> Outcome:
        own, temporary = self._workplace.give(frame["uuid"])
        directory = frame["directory"] or own
        environment = facts.environment(frame, temporary=temporary, started_at=self._started_at)
        emitted = Emitted()
        script = frame["script"]
        if frame["argv"] is None:
            os.environ.update(environment)
            if frame["environment"].get("TZ"):
                time.tzset()
            os.chdir(directory)
            if frame["file"]:
                source = source_of(script)
                if isinstance(source, Outcome):
                    return source
                sys.path.insert(0, directory)
            else:
                source = frame["code"]
            cancelled = partial(self._canceller.wanted, attempt)
            names = injected(frame, ask=self._ask, cancelled=cancelled, progress=progress, emitted=emitted)
            return run_python(
                source,
                script or "script.py",
                names,
                emitted,
                self._canceller,
                attempt,
                self._baseline.repair_builtins,
            )
        if not frame["file"]:
            script = self._workplace.write_script(frame["uuid"], script, frame["code"])
        environment = dict(os.environ) | environment
        environment["TASKHUB_CHANNEL"] = "/dev/fd/3"
        environment |= parameters_in_environment(frame["parameters"], temporary)
        cookie = f"TASKHUB_JOB_ID={frame['id']}".encode()
        child = ChildJob(prepare(frame["argv"], script), environment, cookie, directory, progress, emitted)
        return child.run(lambda: self._grace(attempt), self._child_wake)

    def _finish(self, frame: dict[str, Any], outcome: Outcome) -> tuple[dict[str, Any] | None, str]:
        """Collect output, end what was left behind, clean up; returns output figures and why to recycle."""
        recycle = outcome.recycle
        if outcome.kind == CANCELLED or self._cancel is not None:
            recycle = recycle or "ran a job that was cancelled"
        self._flush()
        if processes.has_children() and processes.reap():
            cookie = f"TASKHUB_JOB_ID={frame['id']}".encode()
            outcome.survivors += processes.sweep(root=os.getpid(), cookie=cookie)
            if frame["argv"] is None:
                recycle = recycle or "left children"
        output = None
        # The writer leaves soon after its engine; who adopts the end then counts what lies in the folder.
        with contextlib.suppress(OSError):
            output = self._output.finish(frame["job"], frame["attempt"])
        try:
            self._setup.between()
            recycle = recycle or self._baseline.restore()
        except BaseException as exc:
            recycle = recycle or f"could not be cleaned: {exc!r:.150}"
        self._workplace.take_back(frame["uuid"])
        return output, recycle

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            try:
                if stream is not None:
                    stream.flush()
            except BaseException:  # noqa: S112 - whatever a script put there, its trouble ends here
                continue
        _libc.fflush(None)

    def _leave(self) -> None:
        """Say good-bye and wait until every end is committed; the control thread does the rest."""
        with self._lock:
            self._closing = True
        self._wake_control()
        threading.Event().wait()

    # Called by scripts

    def _ask(self, op: str, **data: Any) -> Any:
        """Put a question to the engine and wait for its answer."""
        current = self._current
        if current is None:
            raise RuntimeError("there is no running job")
        answered, box = threading.Event(), []  # type: tuple[threading.Event, list[dict[str, Any]]]
        with self._canceller:
            with self._lock:
                self._question = number = self._question + 1
                # Encoded first: what is no JSON is the script's error, and nobody waits for an answer.
                asked = frames.encode_question(
                    {"t": "ask", "n": number, "op": op, "job": current["job"], "attempt": current["attempt"],
                     "fence": current["fence"], **data})  # fmt: skip
                self._questions[number] = (answered, box)
            self._send(asked)
        answered.wait()
        if "error" in box[0]:
            raise ValueError(box[0]["error"])
        return box[0]["value"]

    def _progress_changed(self) -> None:
        if not self._progress_due:
            self._progress_due = True
            self._wake_control()

    # The control thread

    def _control(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        decoder = frames.Decoder()
        engine = self._setup.engine
        poll = select.poll()
        poll.register(engine, select.POLLIN)
        poll.register(self._nudge, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(self._timeout())}
            if self._nudge in ready:
                os.eventfd_read(self._nudge)
            if engine.fileno() in ready:
                try:
                    data = engine.recv(1 << 18)
                except OSError:
                    data = b""
                if not data:
                    self._engine_is_gone()
                for frame in decoder.frames(data):
                    self._take(frame)
            self._report()
            self._repeat_cancel()
            with self._lock:
                if self._closing and self._current is None and not self._waiting and not self._unacknowledged:
                    self._workplace.close()
                    os._exit(0)

    def _timeout(self) -> float | None:
        """Milliseconds until the control thread has something to do by itself."""
        progress = self._progress
        if not self._started_sent or self._waiting:
            return STARTED_AFTER_SECONDS * 1000
        if self._cancel is not None:
            return 100.0
        if self._progress_due or (progress is not None and progress.moves_by_itself):
            return max(1.0, (self._progress_sent_mono + PROGRESS_EVERY_SECONDS - time.monotonic()) * 1000)
        return None

    def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["t"]
        if kind == "run":
            with self._lock:
                self._waiting.append(frame)
            os.eventfd_write(self._arrived, 1)
        elif kind == "ack":
            with self._lock:
                for sequence in [number for number in self._unacknowledged if number <= frame["upto"]]:
                    del self._unacknowledged[sequence]
        elif kind == "cancel":
            self._cancel_attempt((frame["job"], frame["attempt"]), frame["grace"])
        elif kind == "back":
            self._give_back(frame)
        elif kind == "reply":
            with self._lock:
                found = self._questions.pop(frame["n"], None)
            if found is not None:
                found[1].append(frame)
                found[0].set()
        elif kind == "collect":
            if self._current is None:
                gc.collect()
        elif kind == "close":
            with self._lock:
                self._closing = True
            os.eventfd_write(self._arrived, 1)

    def _give_back(self, frame: dict[str, Any]) -> None:
        with self._lock:
            given = [held for held in self._waiting if held["job"] == frame["job"]]
            for held in given:
                self._waiting.remove(held)
        for held in given:
            self._send({"t": "back", "job": held["job"], "attempt": held["attempt"], "fence": held["fence"]})

    def _cancel_attempt(self, attempt: tuple[str, int], grace: float) -> None:
        with self._lock:
            current = self._current
            if current is None or (current["job"], current["attempt"]) != attempt:
                return
            self._cancel = (attempt, grace)
        self._cancelled_mono = time.monotonic()
        os.eventfd_write(self._child_wake, 1)
        self._canceller.ask(attempt)

    def _repeat_cancel(self) -> None:
        cancel = self._cancel
        if cancel is not None and time.monotonic() - self._cancelled_mono >= 0.5:
            # A script may have caught the first one.
            self._cancelled_mono = time.monotonic()
            self._canceller.ask(cancel[0])

    def _grace(self, attempt: object) -> float | None:
        cancel = self._cancel
        return cancel[1] if cancel is not None and cancel[0] == attempt else None

    def _report(self) -> None:
        """Send the start of a job that did not end at once, and its progress, at most ten times a second."""
        with self._lock:
            current, progress = self._current, self._progress
            if current is None or progress is None:
                return
            identity = {"job": current["job"], "attempt": current["attempt"], "fence": current["fence"]}
            if not self._started_sent:
                if time.monotonic() - self._started_mono < STARTED_AFTER_SECONDS:
                    return
                self._started_sent = True
                self._send({"t": "started", **identity, "at": self._started_at})
            due = self._progress_due or progress.moves_by_itself
            if due and time.monotonic() - self._progress_sent_mono >= PROGRESS_EVERY_SECONDS:
                self._progress_due = False
                self._progress_sent_mono = time.monotonic()
                percent, message = progress.snapshot()
                self._send(
                    {"t": "progress", **identity, "percent": percent, "message": message, "at": time.time()}
                )

    def _send(self, frame: dict[str, Any] | bytes) -> None:
        data = frame if isinstance(frame, bytes) else frames.encode(frame)
        try:
            with self._sending:
                self._setup.engine.sendall(data)
        except OSError:
            return  # the engine is gone; the control thread meets its end of file and tidies up

    def _wake_control(self) -> None:
        os.eventfd_write(self._nudge, 1)

    def _engine_is_gone(self) -> None:
        """Kill the work, save what was not acknowledged, and leave within grace + 2 s."""
        with self._lock:
            current, self._closing = self._current, True
            self._waiting.clear()
        until = time.monotonic() + self._setup.grace
        if current is not None:
            attempt = (current["job"], current["attempt"])
            self._cancel_attempt(attempt, self._setup.grace)
            while self._current is not None and time.monotonic() < until:
                time.sleep(0.01)
                self._repeat_cancel()
        self._spool()
        if self._current is not None:
            processes.sweep(root=os.getpid(), cookie=f"TASKHUB_JOB_ID={self._current['id']}".encode(),
                            seconds=EXIT_AFTER_ENGINE_SECONDS)  # fmt: skip
            self._spool()
        os._exit(0)

    def _spool(self) -> None:
        with self._lock:
            kept, self._unacknowledged = self._unacknowledged, {}
        spool(self._setup.spool, self._setup.runspace, kept)
