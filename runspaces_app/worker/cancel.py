"""Ending Python code from outside: an exception in the main thread, only while one attempt is armed.

The control thread asks; the main thread's signal handler raises, and only between `arm` and
`disarm` of the very attempt that was asked for, so a late signal never hits the next job.
Standard library only.
"""

import signal
import threading
from types import FrameType

SIGNAL = signal.SIGRTMIN + 7
REPEAT_SECONDS = 0.5


class Cancelled(BaseException):
    """Raised inside a script that was asked to stop; ends sleeps, loops and waits alike."""


class Canceller:
    """One per runspace; `install` runs in the main thread."""

    def __init__(self) -> None:
        self._main = threading.main_thread().ident or 0
        self._armed: object = None
        self._wanted: object = None
        self._masked = 0

    def install(self) -> None:
        signal.signal(SIGNAL, self._on_signal)

    def arm(self, attempt: object) -> None:
        self._masked = 0
        self._armed = attempt
        if self._wanted == attempt:
            # Asked for between the hand-over and this line: no signal will come on its own.
            raise Cancelled

    def disarm(self) -> None:
        self._armed = None

    def ask(self, attempt: object) -> None:
        """From the control thread: end this attempt. Call again while it goes on."""
        self._wanted = attempt
        if self._armed == attempt:
            signal.pthread_kill(self._main, SIGNAL)

    def wanted(self, attempt: object) -> bool:
        return self._wanted == attempt

    def __enter__(self) -> None:
        """Mask: Taskhub's own calls from a script are not torn in the middle."""
        self._masked += 1

    def __exit__(self, *_: object) -> None:
        self._masked -= 1
        if self._masked == 0 and self._armed is not None and self._wanted == self._armed:
            raise Cancelled

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed is not None and self._wanted == self._armed and not self._masked:
            raise Cancelled
