"""The loop of the output writer: waits on pipes and sockets, at rest on no clock. Standard library only."""

import contextlib
import json
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable

from .channel import Channel
from .output import complain

# How long the pipes of a dead runspace are waited for; a process it left behind may hold them open.
DRAIN_SECONDS = 2.0
# How long the writer stays after its engine has gone, whatever the runspaces do.
LONGEST_FAREWELL = 60.0


class Loop:
    """Serves the runspaces of one engine until the engine has gone and their pipes are empty.

    Args:
        control: socket to the engine.
        root: the output folder.
    """

    def __init__(self, *, control: socket.socket, root: str) -> None:
        self._root = root
        self._control: socket.socket | None = control
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[int, int], None]] = {}
        self._channels: dict[int, Channel] = {}
        self._dying: dict[int, float] = {}  # runspaces to settle, and when at the latest
        self._answers: deque[bytes] = deque()
        self._gone_at: float | None = None
        control.setblocking(False)
        self._watch(control.fileno(), self._on_control)

    def run(self) -> None:
        while self._control is not None or self._channels:
            for descriptor, event in self._wait():
                handler = self._handlers.get(descriptor)
                # None: closed by a handler before it in this turn.
                if handler is not None:
                    handler(descriptor, event & select.EPOLLIN)
            if self._control is None:
                self._say_farewell()
            if self._dying:
                self._settle_due()
            if self._answers:
                self._send_answers()

    def _wait(self) -> list[tuple[int, int]]:
        deadlines = list(self._dying.values())
        if self._gone_at is not None:
            deadlines.append(self._gone_at + LONGEST_FAREWELL)
        if not deadlines:
            return self._poll.poll()
        return self._poll.poll(max(0.0, min(deadlines) - time.monotonic()) + 0.001)

    def _watch(self, descriptor: int, handler: Callable[[int, int], None]) -> None:
        self._handlers[descriptor] = handler
        self._poll.register(descriptor, select.EPOLLIN)

    def _unwatch(self, descriptor: int) -> None:
        if self._handlers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def _on_control(self, descriptor: int, available: int) -> None:
        if self._control is None:
            return
        try:
            body, received, _, _ = socket.recv_fds(self._control, 65_536, 4)
        except BlockingIOError:
            return
        except OSError:
            body, received = b"", []
        if not body:
            self._unwatch(descriptor)
            self._control.close()
            self._control = None
            self._gone_at = time.monotonic()
            return
        try:
            message = json.loads(body)
            opened, settle = message.get("open"), message.get("settle")
        except (ValueError, AttributeError):
            opened = settle = None
        if opened is not None and len(received) == 4:
            self._open(opened, received)
            return
        for extra in received:
            os.close(extra)
        if opened is not None:
            complain(f"runspace {opened}: expected 4 descriptors, got {len(received)}")
        if settle is not None:
            self._settle(settle)

    def _open(self, runspace: int, descriptors: list[int]) -> None:
        self._dying.pop(runspace, None)
        before = self._channels.pop(runspace, None)
        if before is not None:
            before.close()
        try:
            self._channels[runspace] = Channel(
                root=self._root, descriptors=descriptors, watch=self._watch, unwatch=self._unwatch
            )
        except (OSError, ValueError) as error:
            complain(f"runspace {runspace}: {error}")
            for descriptor in descriptors:
                with contextlib.suppress(OSError):
                    os.close(descriptor)

    def _settle(self, runspace: int) -> None:
        if runspace in self._channels:
            self._dying.setdefault(runspace, time.monotonic() + DRAIN_SECONDS)
            return
        nothing = {"job": None, "attempt": 0, "bytes": 0, "lines": 0, "dropped": 0, "preview": ""}
        self._answers.append(json.dumps({"settled": runspace, **nothing}).encode())

    def _settle_due(self) -> None:
        """End the dying channels whose pipes have ended or whose time is over."""
        for runspace, until in list(self._dying.items()):
            if self._channels[runspace].pipes_open and time.monotonic() < until:
                continue
            del self._dying[runspace]
            answer = self._channels.pop(runspace).settle()
            self._answers.append(json.dumps({"settled": runspace, **answer}).encode())

    def _say_farewell(self) -> None:
        """Without an engine: a channel stays as long as its runspace does, and 2 s for what that leaves."""
        now = time.monotonic()
        over = self._gone_at is not None and now >= self._gone_at + LONGEST_FAREWELL
        for runspace, channel in self._channels.items():
            if over or not channel.pipes_open:
                self._dying[runspace] = now
            elif channel.peer_gone:
                self._dying.setdefault(runspace, now + DRAIN_SECONDS)

    def _send_answers(self) -> None:
        """Send what the engine's socket takes; an engine that does not read must not stop the draining."""
        control = self._control
        if control is None:
            self._answers.clear()
            return
        try:
            while self._answers:
                control.send(self._answers[0])
                self._answers.popleft()
        except BlockingIOError:
            self._poll.modify(control.fileno(), select.EPOLLIN | select.EPOLLOUT)
            return
        except OSError:
            self._answers.clear()
        self._poll.modify(control.fileno(), select.EPOLLIN)
