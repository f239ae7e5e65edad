"""Processes of a run: started in sessions of their own, all ended, whatever happens in between."""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1

Answer = TypeVar("Answer")


class BenchError(Exception):
    """A measure could not be taken; the text says why."""


def wait_for(condition: Callable[[], Answer], what: str, *, seconds: float, every: float = 0.05) -> Answer:
    """Ask until the answer is true, and return it.

    Raises:
        BenchError: not within `seconds`.
    """
    until = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > until:
            raise BenchError(f"{what}: not within {seconds:g} s, last answer {answer!r}")
        time.sleep(every)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Processes:
    """Everything started through it has ended when the `with` block is left."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[subprocess.Popen[bytes]] = []
        self._count = 0

    def __enter__(self) -> "Processes":
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._started):
            self.stop(process)

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        pipes: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a program; what it says goes to a log file unless `pipes` gives stdin and stdout to us."""
        self._count += 1
        log = self._logs / f"{self._count:02d}-{Path(argv[-1]).name or 'process'}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                argv,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else file,
                stderr=file,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        process.log = log  # type: ignore[attr-defined]
        self._started.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes], *, seconds: float = 20.0) -> None:
        """TERM, then KILL after `seconds`; descendants that stay behind are killed too."""
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _, alive = psutil.wait_procs(family, timeout=8)
        for straggler in alive:
            with contextlib.suppress(psutil.Error):
                straggler.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if process in self._started:
            self._started.remove(process)


def log_tail(process: subprocess.Popen[bytes], *, characters: int = 1500) -> str:
    """The last that a process said."""
    text: str = process.log.read_text(errors="replace")  # type: ignore[attr-defined]
    return text[-characters:].strip()


class Client:
    """A helper process that obeys one JSON command a line and answers each with one.

    The measured calls happen in it, so the harness's own work never stands in their way.
    """

    def __init__(self, processes: Processes, module: str, *, env: Mapping[str, str]) -> None:
        self._processes = processes
        self.process = processes.start([sys.executable, "-m", module], env=env, pipes=True)
        self.ask("hello", seconds=30)

    def ask(self, do: str, *, seconds: float = 300.0, **arguments: Any) -> dict[str, Any]:
        """Have it done and return the answer.

        Raises:
            BenchError: it failed, died or took longer than `seconds`.
        """
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError as exc:
            raise BenchError(f"{do}: the helper has ended: {log_tail(self.process)}") from exc
        ready, _, _ = select.select([stdout], [], [], seconds)
        if not ready:
            raise BenchError(f"{do}: no answer within {seconds:g} s: {log_tail(self.process)}")
        line = stdout.readline()
        if not line:
            raise BenchError(f"{do}: the helper has ended: {log_tail(self.process)}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BenchError(f"{do}: {answer['error']}")
        return answer

    def stop(self) -> None:
        self._processes.stop(self.process)
