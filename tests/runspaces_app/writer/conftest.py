"""A real writer process, and stand-ins for its two peers: the engine and the runspaces."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
from uuid import UUID

import pytest

import runspaces_app
from runspaces_app.worker.mark import MarkFile
from tests.support import wait_until

WRITER = os.path.join(os.path.dirname(runspaces_app.__file__), "writer.py")
CAP = 10 * 1024 * 1024
ANSWER_SECONDS = 30.0


def job_id(number):
    """A UUIDv7 of 20 October 2025."""
    return UUID(int=(0x019A_0000_0000 << 80) | (0x7 << 76) | (0x2 << 62) | number)


def send(sock, message, descriptors=()):
    socket.send_fds(sock, [json.dumps(message).encode()], list(descriptors))


def receive(sock):
    body = sock.recv(65_536)
    if not body:
        raise EOFError("the writer is gone")
    return json.loads(body)


class Engine:
    """The writer process and the engine's end of its control socket."""

    def __init__(self, root):
        self.root = root
        self.runspaces = []
        self.start()

    def start(self):
        self.control, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(ANSWER_SECONDS)
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                WRITER,
                "--control-fd",
                str(end.fileno()),
                "--output",
                str(self.root),
            ],
            pass_fds=[end.fileno()],
            env={"PATH": "/usr/bin:/bin"},
            stderr=subprocess.PIPE,
        )
        end.close()

    def open(self, number=1):
        runspace = Runspace(self, number)
        self.runspaces.append(runspace)
        return runspace

    def settle(self, runspace):
        send(self.control, {"settle": runspace.number})
        return receive(self.control)

    def kill(self):
        self.process.kill()
        self.wait()

    def wait(self, timeout=15):
        self.process.wait(timeout)
        if self.process.stderr is not None:
            self.complaints = self.process.stderr.read().decode()
            self.process.stderr.close()
        self.control.close()

    def cpu_ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def close(self):
        for runspace in self.runspaces:
            runspace.close()
        self.control.close()
        if self.process.returncode is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
            self.process.kill()
            self.wait()


class Runspace:
    """What a runspace holds: the write ends, its socket, its mark file. It may be dead by `die`."""

    def __init__(self, engine, number):
        self.number = number
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(2)]
        self.reads = [pipe[0] for pipe in pipes]
        self.writes = [pipe[1] for pipe in pipes]
        self.sock, self.writer_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(ANSWER_SECONDS)
        path = engine.root.parent / f"{number}.mark"
        self.mark_fd = MarkFile.create(str(path), boot_id="boot", runspace=number)
        self.mark = MarkFile(self.mark_fd)
        self.jobs = 0
        self.attach(engine)

    def attach(self, engine):
        """Hand the ends over, to the first writer or its successor."""
        send(
            engine.control,
            {"open": self.number},
            [*self.reads, self.writer_end.fileno(), self.mark_fd],
        )

    def let_go(self):
        """Close the copies of the writer's ends."""
        for descriptor in self.reads:
            os.close(descriptor)
        self.reads = []
        self.writer_end.close()

    def begin(self, job, *, attempt=1, cap=CAP):
        self.jobs += 1
        self.mark.begin(job=job.bytes, attempt=attempt, fence=self.jobs, output_cap=cap)

    def write(self, data, stream=1):
        view = memoryview(data)
        while view:
            view = view[os.write(self.writes[stream - 1], view) :]

    def silent(self):
        """Whether the current job has written nothing: the pipes are asked first, the mark last."""
        return not (any(self.unread(descriptor) for descriptor in self.writes) or self.mark.dirty)

    @staticmethod
    def unread(descriptor):
        return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)

    def finish(self):
        self.ask_to_finish(self.mark.read())
        return receive(self.sock)

    def ask_to_finish(self, mark):
        send(self.sock, {"finish": 1, "job": mark.job.hex, "attempt": mark.attempt})

    def child(self):
        """Fresh pipes for a child; returns their write ends."""
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(2)]
        send(self.sock, {"child": 1}, [pipe[0] for pipe in pipes])
        for pipe in pipes:
            os.close(pipe[0])
        return [pipe[1] for pipe in pipes]

    def die(self):
        """What the kernel does to a killed process."""
        for descriptor in self.writes:
            os.close(descriptor)
        self.writes = []
        self.sock.close()

    def close(self):
        self.die()
        self.let_go()
        if self.mark_fd >= 0:
            os.close(self.mark_fd)
            self.mark.close()
            self.mark_fd = -1


@pytest.fixture
def engine(home):
    engine = Engine(home / "output")
    yield engine
    engine.close()


@pytest.fixture
def runspace(engine):
    return engine.open()


@pytest.fixture
def spawn():
    """Start a process that writes to descriptors; what is left is killed in the end."""
    started = []

    def start(code, descriptor, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code, str(descriptor), *map(str, arguments)],
            pass_fds=[descriptor],
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()


def settled_down(engine):
    """Wait until the writer has nothing left to do."""
    seen = []

    def at_rest():
        seen.append(engine.cpu_ticks())
        return len(seen) > 5 and len(set(seen[-5:])) == 1

    wait_until(at_rest, message="the writer is at rest")
