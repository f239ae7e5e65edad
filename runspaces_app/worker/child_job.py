"""Running a script of another language as a child process of the runspace. Standard library only."""

import contextlib
import errno
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

from . import processes
from .outcome import CANCELLED, COMPLETED, Outcome, clipped
from .progress import Progress
from .results import BadResult, Emitted, checked_text

CHANNEL = 3
LONGEST_LINE = 2 * 1024 * 1024


class Channel:
    """Reads the JSON lines a script writes to its control channel.

    A line that says something unknown is ignored; one that was to be a result and is no JSON
    fails the job, so that a result is never lost without a word.
    """

    def __init__(self, progress: Progress, emitted: Emitted) -> None:
        self._progress = progress
        self._emitted = emitted
        self._buffer = b""
        self.result: str | None = None
        self.problem: BadResult | None = None
        self.error: dict[str, str] = {}

    def feed(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._buffer) > LONGEST_LINE:
            self._buffer = b""
            self.problem = BadResult(
                "result_too_large", "result: expected a line of at most 1 MiB on the channel"
            )

    def close(self) -> None:
        if self._buffer.strip():
            self._take(self._buffer)

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as exc:
            if line.lstrip().startswith((b'{"result"', b'{"emit"')):
                self.problem = BadResult("result_not_json", f"result: expected JSON, got {exc}")
            return
        if not isinstance(message, dict):
            return
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            if "progress" in message:
                self._progress.percent_complete = float(message["progress"])
            if "message" in message:
                self._progress.status_message = message["message"]
        try:
            if "result" in message:
                self.result = checked_text(json.dumps(message["result"]))
            if "emit" in message:
                self._emitted.add(checked_text(json.dumps(message["emit"])))
            if isinstance(message.get("error"), dict):
                self.error = {name: str(text) for name, text in message["error"].items()}
        except BadResult as exc:
            self.problem = exc


class ChildJob:
    """One child-language job: start it, listen to it, end it.

    Args:
        argv: the program and its arguments.
        environment: all of the child's environment.
        cookie: `NAME=value` from it by which its processes are told.
        wake: a descriptor that becomes readable when `stop_at` or `kill_at` were set.
    """

    def __init__(
        self,
        argv: list[str],
        environment: dict[str, str],
        cookie: bytes,
        directory: str,
        progress: Progress,
        emitted: Emitted,
    ) -> None:
        self._argv = argv
        self._environment = environment
        self._cookie = cookie
        self._directory = directory
        self._emitted = emitted
        self._channel = Channel(progress, emitted)

    def run(self, cancel: Callable[[], float | None], wake: int) -> Outcome:
        """Run to its end.

        Args:
            cancel: None, or the grace in seconds once the attempt was asked to stop.
            wake: descriptor that becomes readable when the answer of `cancel` changes.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC)
        os.dup2(writer, CHANNEL)
        os.close(writer)
        try:
            child = subprocess.Popen(
                self._argv,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                pass_fds=(CHANNEL,),
                start_new_session=True,
            )
        except (OSError, ValueError) as exc:
            os.close(reader)
            why = why_not_started(exc, self._argv[0])
            return Outcome.failed(type(exc).__name__, f"The script could not be started: {why}")
        finally:
            # Back to the placeholder, so that the pipe ends when the child's own copies do.
            _hold_channel()
        try:
            os.set_blocking(reader, False)
            stopped, survivors = self._wait(child, reader, cancel, wake)
            self._drain(reader)
            self._channel.close()
        finally:
            os.close(reader)
        return self._outcome(child.returncode, stopped, survivors)

    def _wait(
        self, child: "subprocess.Popen[bytes]", reader: int, cancel: Callable[[], float | None], wake: int
    ) -> tuple[bool, list[int]]:
        pidfd = os.pidfd_open(child.pid)
        poll = select.poll()
        for descriptor in (pidfd, reader, wake):
            poll.register(descriptor, select.POLLIN)
        kill_at: float | None = None
        try:
            while True:
                timeout = None if kill_at is None else max(0.0, kill_at - time.monotonic()) * 1000
                ready = {descriptor for descriptor, _ in poll.poll(timeout)}
                if reader in ready and not self._drain(reader):
                    poll.unregister(reader)
                if wake in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.eventfd_read(wake)
                if pidfd in ready:
                    child.wait()
                    break
                grace = cancel()
                if grace is None:
                    continue
                if kill_at is None or time.monotonic() + grace < kill_at:
                    if kill_at is None and grace > 0:
                        self._signal(child.pid, signal.SIGTERM)
                    kill_at = time.monotonic() + grace
                if time.monotonic() >= kill_at:
                    child.kill()
                    child.wait()
                    break
        finally:
            os.close(pidfd)
        if cancel() is not None:
            # Whatever it left behind, in its session or out of it, goes with it.
            return True, processes.sweep(root=os.getpid(), sessions=(child.pid,), cookie=self._cookie)
        return False, []

    def _signal(self, session: int, number: int) -> None:
        members = [pid for pid, process in processes.everyone().items() if process.session == session]
        # Its leader first: a shell that sees its child end before itself says "Terminated" in the output.
        members.sort(key=session.__ne__)
        processes.send(members, number)
        # A stopped process would sit on its TERM until somebody continues it.
        processes.send(members, signal.SIGCONT)

    def _drain(self, reader: int) -> bool:
        """Take what is in the pipe; False at its end."""
        while True:
            try:
                data = os.read(reader, 65_536)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._channel.feed(data)

    def _outcome(self, code: int, stopped: bool, survivors: list[int]) -> Outcome:
        result, problem = None, self._channel.problem
        try:
            result = self._emitted.text() if self._emitted else self._channel.result
        except BadResult as exc:
            problem = exc
        if stopped:
            return Outcome(CANCELLED, result=result, exit_code=_exit_code(code), survivors=survivors)
        if code != 0:
            said = self._channel.error
            failed = Outcome.failed(
                said.get("type") or "ExitCode",
                said.get("message") or _how_it_ended(code),
                exit_code=_exit_code(code),
                result=result,
            )
            failed.error_traceback = clipped(said.get("traceback", ""))
            return failed
        if problem is not None:
            return Outcome.failed(problem.code, str(problem), reason="output", exit_code=0)
        return Outcome(COMPLETED, result="null" if result is None else result, exit_code=0)


def _hold_channel() -> None:
    """Keep descriptor 3 taken, so that no file of ours ever lands on it."""
    null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    if null == CHANNEL:
        return
    os.dup2(null, CHANNEL, inheritable=False)
    os.close(null)


def _exit_code(code: int) -> int:
    """A shell's way to put a signal into an exit code: 128 + its number."""
    return code if code >= 0 else 128 - code


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"The script left with exit code {code}."
    with contextlib.suppress(ValueError):
        return f"The script was ended by {signal.Signals(-code).name}."
    return f"The script was ended by signal {-code}."


def why_not_started(exc: Exception, program: str) -> str:
    """What the kernel's own words hide: it says that a script is not there if its interpreter is not.

    Args:
        program: what was to be started.
    """
    number = exc.errno if isinstance(exc, OSError) and exc.filename in (program, None) else None
    if number == errno.EACCES and os.path.isfile(program):
        return f"expected {program!r} to be marked as executable (chmod +x), it is not."
    if number == errno.ENOENT and os.path.exists(program):
        return f"expected a program of this machine behind #!, got {_first_line(program)!r}."
    if number == errno.ENOEXEC:
        return f"expected a first line of #! and the path of a program, got {_first_line(program)!r}."
    return str(exc)


def _first_line(program: str) -> str:
    with contextlib.suppress(OSError), open(program, "rb") as file:
        return file.readline(200).decode("utf-8", "replace").removesuffix("\n")
    return ""


def prepare(argv: list[str], script: str) -> list[str]:
    return [script if part == "{script}" else part for part in argv]


# The kernel refuses to start a program with a single variable of 128 KiB.
_LONGEST_VARIABLE = 128 * 1024 - 256


def parameters_in_environment(parameters: dict[str, Any], temporary: str) -> dict[str, str]:
    """Each parameter as TASKHUB_PARAM_<NAME>: texts as they are, everything else as JSON.

    All of them, with their kinds, are the JSON object in TASKHUB_PARAMETERS, or, when it is too large
    for a variable, in the file that TASKHUB_PARAMETERS_FILE names, in the folder `temporary`.
    """
    variables = {}
    if parameters:
        everything = json.dumps(parameters)
        if len(everything) < _LONGEST_VARIABLE:
            variables["TASKHUB_PARAMETERS"] = everything
        else:
            variables["TASKHUB_PARAMETERS_FILE"] = os.path.join(temporary, "parameters.json")
            with open(variables["TASKHUB_PARAMETERS_FILE"], "w", encoding="utf-8") as file:
                file.write(everything)
    for name, value in parameters.items():
        text = value if isinstance(value, str) else json.dumps(value)
        key = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name.upper())
        if len(text.encode("utf-8", "surrogatepass")) < _LONGEST_VARIABLE and "\0" not in text:
            variables[f"TASKHUB_PARAM_{key}"] = text
    return variables
