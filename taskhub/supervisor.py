"""Keeps child processes running: starts them, starts again what died, passes signals on.

Knows nothing of what the children do. One thread, no polling: it sleeps until a child ends (a
process descriptor), a signal comes (a pipe), or a time is reached.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0
# One that ran this long is well; its next end counts as the first.
WELL_SECONDS = 60.0
READY_CHECK_SECONDS = 0.1
# From the second signal to SIGKILL.
PATIENCE_SECONDS = 3.0

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Service:
    """One child that should run.

    Args:
        start: starts it by `launch()`; called again whenever it died.
        is_ready: asked with its pid, until it first says yes.
        at_once: the signal that makes it leave without finishing what it does.
    """

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    is_ready: Callable[[int], bool]
    at_once: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    descriptor: int = field(default=-1, init=False)
    started: float = field(default=0.0, init=False)
    delay: float = field(default=FIRST_DELAY, init=False)
    start_at: float | None = field(default=None, init=False)
    ready: bool = field(default=False, init=False)


def launch(
    command: Sequence[str], *, environment: dict[str, str], descriptors: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, which gets SIGTERM when we die however we die."""
    parent = os.getpid()

    def follow() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        command,
        env=environment,
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=follow,
    )


class Supervisor:
    """Runs services until a signal asks it to stop.

    Args:
        say: told in a sentence what happens.
        on_ready: called once, when all services were ready for the first time.
        on_stop: called when the first signal came, before the services hear of it.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        say: Callable[[str], None],
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._services = services
        self._say = say
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._selector = selectors.DefaultSelector()
        self._signals = 0
        self._kill_at: float | None = None
        self._told_ready = False
        self._failed = False

    def run(self) -> int:
        """Returns when every service has ended.

        Returns:
            The exit code: 0 after a stop that was asked for, 1 if a service could not even start.
        """
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(reader, selectors.EVENT_READ)
        signal.set_wakeup_fd(writer)
        for number in STOP_SIGNALS:
            # Under nohup a hang-up is ignored, and stays so.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._count)
        for service in self._services:
            self._start(service)
        heard = 0
        while True:
            if self._signals > heard:
                heard = self._signals
                self._pass_on(heard)
            if heard and not any(service.process for service in self._services):
                return int(self._failed)
            self._selector.select(self._wait())
            try:
                while os.read(reader, 64):
                    pass
            except BlockingIOError:
                pass
            self._take_turn()

    def _count(self, number: int, frame: object) -> None:
        self._signals += 1

    def _wait(self) -> float | None:
        """Seconds until something has to be done without being told; None: nothing has."""
        times = [service.start_at for service in self._services if service.start_at is not None]
        if self._kill_at is not None:
            times.append(self._kill_at)
        waits = [max(0.0, moment - time.monotonic()) for moment in times]
        if not self._told_ready and not self._signals:
            waits.append(READY_CHECK_SECONDS)
        return min(waits, default=None)

    def _take_turn(self) -> None:
        now = time.monotonic()
        for service in self._services:
            if service.process is not None:
                code = service.process.poll()
                if code is not None:
                    self._ended(service, code, now)
                elif not service.ready:
                    service.ready = service.is_ready(service.process.pid)
            elif service.start_at is not None and now >= service.start_at and not self._signals:
                self._start(service)
        if not self._told_ready and not self._signals and all(service.ready for service in self._services):
            self._told_ready = True
            self._on_ready()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._send(signal.SIGKILL)

    def _start(self, service: Service) -> None:
        service.process = service.start()
        service.started = time.monotonic()
        service.start_at = None
        service.descriptor = os.pidfd_open(service.process.pid)
        self._selector.register(service.descriptor, selectors.EVENT_READ)

    def _ended(self, service: Service, code: int, now: float) -> None:
        self._selector.unregister(service.descriptor)
        os.close(service.descriptor)
        service.process = None
        if self._signals:
            return
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if not service.ready and not self._told_ready and code > 0:
            # It said itself why; starting it again would say it again.
            self._say(f"{service.name} {how} before it was ready; Taskhub stops.")
            self._failed = True
            self._signals += 1
            return
        if now - service.started >= WELL_SECONDS:
            service.delay = FIRST_DELAY
        service.start_at = now + service.delay
        self._say(f"{service.name} {how}; starting it again in {service.delay:g} s.")
        service.delay = min(service.delay * 2, LONGEST_DELAY)

    def _pass_on(self, count: int) -> None:
        """The first signal asks for an orderly end, the second for one at once."""
        if count == 1:
            self._on_stop()
            self._send(signal.SIGTERM)
        else:
            for service in self._services:
                self._send(service.at_once, only=service)
            self._kill_at = self._kill_at or time.monotonic() + PATIENCE_SECONDS

    def _send(self, number: signal.Signals, only: Service | None = None) -> None:
        for service in self._services:
            if service.process is not None and only in (None, service):
                service.process.send_signal(number)
