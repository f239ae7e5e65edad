"""The engine's handles on the processes it starts: fork servers, the output writer, runspaces."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taskhub.core import secrets_pipe

from .protocol import Frame, decode
from .worker import frames, processes
from .worker.mark import Mark, MarkFile, UnreadableMark
from .worker.mark import decode as decode_mark

HERE = Path(__file__).resolve().parent
# A pipe this wide lets a script run ahead of the writer by a megabyte before it waits for it.
PIPE_BYTES = 1 << 20


def clean_environment() -> dict[str, str]:
    """What a child process of the engine may know: nothing of Taskhub's own variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return (
        {"PATH": os.defpath, "LANG": "C.UTF-8"}
        | kept
        | {name: value for name, value in os.environ.items() if name == "TASKHUB_FAILPOINT"}
    )


class _Child:
    """A helper process at the other end of a SOCK_SEQPACKET socket."""

    def __init__(
        self, argv: list[str], environment: dict[str, str], child_end: socket.socket, **more: Any
    ) -> None:
        self.process = subprocess.Popen(
            argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            pass_fds=(child_end.fileno(), *more.pop("pass_fds", ())),
            start_new_session=True,
            **more,
        )
        child_end.close()

    def close(self, sock: socket.socket, seconds: float) -> None:
        sock.close()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _messages(sock: socket.socket) -> Iterator[dict[str, Any] | None]:
    """Messages that have arrived, then None if the other end is gone."""
    while True:
        try:
            data = sock.recv(1 << 17, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            yield None
            return
        yield json.loads(data)


class ForkServer:
    """A process that forks runspaces of one kind (`lean` or `django`).

    Attributes:
        alive: runspaces asked of it whose end it has not told yet.
    """

    def __init__(self, kind: str, *, work: Path, spool: Path, secrets: int | None = None) -> None:
        self.kind = kind
        self.alive: set[int] = set()
        self.sock, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        config = {"fd": child_end.fileno(), "kind": kind, "work": str(work), "spool": str(spool)}
        environment = clean_environment()
        argv = [sys.executable, "-I", str(HERE / "server.py"), json.dumps(config)]
        passed: tuple[int, ...] = ()
        if kind == "django":
            environment |= _project_environment()
            if secrets is not None:
                passed = (secrets,)
                environment = secrets_pipe.clean(environment) | {secrets_pipe.PIPE: str(secrets)}
        self._child = _Child(argv, environment, child_end, pass_fds=passed)
        if secrets is not None:
            os.close(secrets)

    def fork(self, runspace: int, number: int, grace: float, descriptors: list[int]) -> None:
        """Ask for a runspace; if the server is gone, which `messages` tells, none comes."""
        self.alive.add(runspace)
        with contextlib.suppress(ConnectionError):
            frames.send_with_descriptors(
                self.sock, {"fork": runspace, "number": number, "grace": grace}, descriptors
            )

    def messages(self) -> Iterator[dict[str, Any] | None]:
        return _messages(self.sock)

    def fileno(self) -> int:
        return self.sock.fileno()

    def close(self, seconds: float = 2.0) -> None:
        self._child.close(self.sock, seconds)


def _project_environment() -> dict[str, str]:
    """Taskhub's variables without the secret ones, which go by descriptor."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("TASKHUB_") or name == "DJANGO_SETTINGS_MODULE"
    }


class OutputWriter:
    """The process that owns the read ends of all output pipes of this engine."""

    def __init__(self, output: Path) -> None:
        self.sock, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [
            sys.executable, "-I", "-S", str(HERE / "writer.py"),
            "--control-fd", str(child_end.fileno()), "--output", str(output),
        ]  # fmt: skip
        self._child = _Child(argv, clean_environment(), child_end)

    @property
    def pid(self) -> int:
        return self._child.process.pid

    # A writer that is gone is met where its messages are read; its successor is then told the same.

    def open(self, runspace: int, descriptors: list[int]) -> None:
        with contextlib.suppress(ConnectionError):
            frames.send_with_descriptors(self.sock, {"open": runspace}, descriptors)

    def settle(self, runspace: int) -> None:
        with contextlib.suppress(ConnectionError):
            self.sock.send(json.dumps({"settle": runspace}).encode())

    def messages(self) -> Iterator[dict[str, Any] | None]:
        return _messages(self.sock)

    def fileno(self) -> int:
        return self.sock.fileno()

    def close(self, seconds: float = 4.0) -> None:
        self._child.close(self.sock, seconds)


class RunspaceProcess:
    """One runspace: its socket, its mark file, and the ends the output writer holds.

    The engine keeps copies of what the writer was given, so that a new writer can take over
    where a killed one stopped and the script in between only waits.
    """

    def __init__(self, runspace: int, *, boot_id: str, marks: Path) -> None:
        self.runspace = runspace
        self.pid = 0
        self.start = 0
        self.sock, self._engine_end = socket.socketpair()
        self.sock.setblocking(False)
        self._writer_end, self._runspace_writer_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._reads, self._writes = [], []  # type: tuple[list[int], list[int]]
        for _ in range(2):
            reader, writer = os.pipe2(os.O_CLOEXEC)
            with contextlib.suppress(OSError):
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            self._reads.append(reader)
            self._writes.append(writer)
        self.mark_path = marks / f"{runspace}.mark"
        self._mark_fd = MarkFile.create(str(self.mark_path), boot_id=boot_id, runspace=runspace)
        self._decoder = frames.Decoder()
        self._out = bytearray()

    def start_in(self, server: ForkServer, writer: OutputWriter, *, number: int, grace: float) -> None:
        self.attach(writer)
        server.fork(
            self.runspace,
            number,
            grace,
            [self._engine_end.fileno(), *self._writes, self._runspace_writer_end.fileno(), self._mark_fd],
        )
        self._engine_end.close()
        self._runspace_writer_end.close()
        for descriptor in self._writes:
            os.close(descriptor)
        self._writes.clear()

    def attach(self, writer: OutputWriter) -> None:
        """Give the writer its ends, the first one or its successor."""
        writer.open(self.runspace, [*self._reads, self._writer_end.fileno(), self._mark_fd])

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, data: bytes) -> bool:
        """Queue bytes and send what fits; False while some are left for `flush`."""
        self._out += data
        return self.flush()

    def flush(self) -> bool:
        try:
            sent = self.sock.send(self._out) if self._out else 0
        except BlockingIOError:
            return False
        except OSError:
            # It is gone; its end is met where it is read.
            self._out.clear()
            return True
        del self._out[:sent]
        return not self._out

    def read(self) -> tuple[list[Frame], bool]:
        """Frames that have arrived, and whether the runspace is still there.

        Raises:
            msgspec.DecodeError, BrokenFrame: it sent something that is no frame.
        """
        found: list[Frame] = []
        while True:
            try:
                data = self.sock.recv(1 << 18)
            except BlockingIOError:
                return found, True
            except OSError:
                data = b""
            if not data:
                return found, False
            found.extend(decode(body) for body in self._decoder.bodies(data))
            if len(data) < 1 << 18:
                return found, True

    def mark(self) -> Mark | None:
        """What its mark file says; None if it cannot be read."""
        try:
            return decode_mark(os.pread(self._mark_fd, 4096, 0))
        except (OSError, UnreadableMark):
            return None

    def learn_pid(self) -> None:
        """Look up who it is, if its server died before it could tell."""
        mark = self.mark()
        if self.pid == 0 and mark is not None:
            self.pid, self.start = mark.pid, mark.start

    def alive(self) -> bool:
        return self.pid != 0 and processes.alive(self.pid, self.start)

    def kill(self) -> None:
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of everything; the mark file goes too, its job is settled."""
        self.sock.close()
        self._writer_end.close()
        for descriptor in (*self._reads, *self._writes, self._mark_fd):
            os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            self.mark_path.unlink()
