"""One runspace as the writer sees it: pipes, socket, mark file, growing output. Standard library only."""

import array
import contextlib
import fcntl
import json
import os
import socket
import termios
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from ..worker.mark import NONE, MarkFile, UnreadableMark
from ..worker.output_folder import STDERR, STDOUT, folder
from .output import Output, complain

PIPE_BYTES = 1024 * 1024

# Every read goes through it: one process, one thread, and each chunk is done with before the next.
_BUFFER = bytearray(PIPE_BYTES)


class Owner(NamedTuple):
    """Whose output it is, and how much of it is kept."""

    job: UUID
    attempt: int
    fence: int
    cap: int


class Channel:
    """A runspace's pipes and whose output comes through them.

    Args:
        descriptors: stdout and stderr read ends, the socket to the runspace, the mark file.
        watch: called with each new descriptor, the function to call when it is readable, and its argument.
        unwatch: called with each descriptor before it is closed.
    """

    def __init__(
        self,
        *,
        root: str,
        descriptors: list[int],
        watch: Callable[[int, Callable[[int, int], None]], None],
        unwatch: Callable[[int], None],
    ) -> None:
        self._root = root
        self._watch = watch
        self._unwatch = unwatch
        out, err, sock, mark = descriptors
        try:
            self._mark = MarkFile(mark)
        finally:
            os.close(mark)
        self._pipes: dict[int, int] = {}
        self._child: list[int] = []
        self._add_pipes(out, err)
        self._socket: socket.socket | None = socket.socket(fileno=sock)
        self._socket.setblocking(False)
        self._watch(sock, self._on_socket)
        self._output: Output | None = None
        self._owner: Owner | None = None
        self._finished: tuple[Owner, dict[str, Any]] | None = None
        # What a writer before this one, killed since, may have begun.
        self._inherited = self._marked()

    @property
    def pipes_open(self) -> bool:
        return bool(self._pipes)

    @property
    def peer_gone(self) -> bool:
        return self._socket is None

    def settle(self) -> dict[str, Any]:
        """Finish what a dead runspace has written; the answer for the engine."""
        self._drain()
        owner = self._marked()
        totals = self._finish(owner)
        found = owner is not None and totals["bytes"] > 0
        self.close()
        return {**totals, "job": owner.job.hex if owner and found else None}

    def close(self) -> None:
        self._end_output()
        for descriptor in list(self._pipes):
            self._close_pipe(descriptor)
        self._close_socket()
        self._mark.close()

    def _add_pipes(self, out: int, err: int) -> None:
        for descriptor, stream in ((out, STDOUT), (err, STDERR)):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(OSError):  # beyond the user's share of pipe memory a small one has to do
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            self._pipes[descriptor] = stream
            self._watch(descriptor, self._on_pipe)

    def _close_pipe(self, descriptor: int) -> None:
        self._unwatch(descriptor)
        del self._pipes[descriptor]
        os.close(descriptor)

    def _on_pipe(self, descriptor: int, available: int) -> None:
        if available:
            # Before the bytes leave the pipe: pipe empty and not dirty has to mean that nothing came.
            self._mark.dirty = True
        self._read(descriptor)

    def _read(self, descriptor: int) -> int:
        """Take what a pipe holds, at most 1 MiB; returns how much that was."""
        try:
            size = os.readv(descriptor, [_BUFFER])
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            complain(f"pipe {descriptor}: {error}")
            size = 0
        if size == 0:
            self._close_pipe(descriptor)
            return 0
        output = self._output_of(self._marked())
        if output is not None:
            output.append(self._pipes[descriptor], _BUFFER, size, time.time_ns() // 1000)
        return size

    def _drain(self) -> None:
        """Take what is in the pipes now. Not more: somebody left behind may write without end."""
        waiting = array.array("i", [0])
        for descriptor in list(self._pipes):
            fcntl.ioctl(descriptor, termios.FIONREAD, waiting)
            left = waiting[0]
            while left > 0 and (taken := self._read(descriptor)):
                left -= taken

    def _marked(self) -> Owner | None:
        """Whom the mark file names; None if nobody yet, or if it was torn by a runspace killed in the act."""
        for _ in range(20):
            try:
                mark = self._mark.read()
            except UnreadableMark:
                time.sleep(0.0005)
                continue
            return None if mark.state == NONE else Owner(mark.job, mark.attempt, mark.fence, mark.output_cap)
        return self._owner

    def _output_of(self, owner: Owner | None) -> Output | None:
        """The output that bytes go to now; None for those of nobody and of jobs that were finished."""
        if owner is None:
            return self._output
        if self._output is not None and owner == self._owner:
            return self._output
        self._end_output()
        if self._finished is not None and owner == self._finished[0]:
            return None
        self._begin_output(owner)
        return self._output

    def _begin_output(self, owner: Owner) -> None:
        output = Output(folder(self._root, owner.job, owner.attempt), owner.cap)
        if owner == self._inherited:
            output.resume()
        self._output, self._owner = output, owner

    def _end_output(self) -> None:
        if self._output is None or self._owner is None:
            return
        self._output.finish(time.time_ns() // 1000)
        self._finished = self._owner, _totals(self._owner, self._output)
        self._output = None

    def _finish(self, owner: Owner | None) -> dict[str, Any]:
        """End the output of this owner and tell its figures; asked again, tell them again."""
        if owner is not None and self._output is None and self._finished is None and owner == self._inherited:
            self._begin_output(owner)
        self._end_output()
        if owner is not None and self._finished is not None and owner == self._finished[0]:
            return self._finished[1]
        return _totals(owner, None)

    def _on_socket(self, descriptor: int, available: int) -> None:
        if self._socket is None:
            return
        try:
            body, received, _, _ = socket.recv_fds(self._socket, 65_536, 4)
        except BlockingIOError:
            return
        except OSError:
            body, received = b"", []
        if not body:
            self._close_socket()
            return
        try:
            message = json.loads(body)
            child, finish = "child" in message, "finish" in message
            named = (message["job"], message["attempt"]) if "job" in message else None
        except (ValueError, TypeError, KeyError):
            child = finish = False
            named = None
        if child and len(received) == 2:
            self._child = received
            self._add_pipes(*received)
            return
        for extra in received:
            os.close(extra)
        if finish:
            self._answer_finish(named)

    def _answer_finish(self, named: tuple[str, int] | None) -> None:
        owner = self._marked()
        if named is not None and (owner is None or named != (owner.job.hex, owner.attempt)):
            # Asked a second time, answered the first time: by now another job is at it.
            if self._finished is not None:
                self._answer(self._finished[1])
            return
        self._drain()
        for descriptor in self._child:
            if descriptor in self._pipes:
                self._close_pipe(descriptor)
        self._child = []
        answer = self._finish(owner)
        self._mark.dirty = False
        self._answer(answer)

    def _answer(self, answer: dict[str, Any]) -> None:
        if self._socket is not None:
            try:
                self._socket.send(json.dumps(answer).encode())
            except OSError:
                self._close_socket()

    def _close_socket(self) -> None:
        if self._socket is not None:
            self._unwatch(self._socket.fileno())
            self._socket.close()
            self._socket = None


def _totals(owner: Owner | None, output: Output | None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "job": owner.job.hex if owner else None,
        "attempt": owner.attempt if owner else 0,
    }
    if output is None:
        return {**answer, "bytes": 0, "lines": 0, "dropped": 0, "preview": ""}
    return {
        **answer,
        "bytes": output.bytes,
        "lines": output.lines,
        "dropped": output.dropped,
        "preview": output.preview,
    }
