"""Having the output writer finish a job's output, if there is any. Standard library only."""

import array
import fcntl
import json
import select
import socket
import termios
import time
from typing import Any

from .mark import MarkFile

ASK_AGAIN_SECONDS = 1.0


class OutputEnd:
    """The runspace's side of its writer."""

    def __init__(self, writer: socket.socket, mark: MarkFile) -> None:
        self._writer = writer
        self._mark = mark
        # Our own copies of the output pipes: 1 and 2 are the script's to change.
        self._pipes = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in (1, 2)]
        self._pending = array.array("i", [0])

    def finish(self, job: str, attempt: int) -> dict[str, Any] | None:
        """Figures of all that the attempt wrote; None if it wrote nothing.

        Raises:
            OSError: the writer is gone for good.
        """
        # The pipes first: what the writer takes between the two looks makes it say dirty.
        if not (any(map(self._unread, self._pipes)) or self._mark.dirty):
            return None
        question = json.dumps({"finish": 1, "job": job, "attempt": attempt}).encode()
        asked = 0.0
        while True:
            if time.monotonic() - asked >= ASK_AGAIN_SECONDS:
                # The first time, or once more: a writer that was killed took the question with it.
                self._writer.send(question)
                asked = time.monotonic()
            ready, _, _ = select.select([self._writer], [], [], ASK_AGAIN_SECONDS)
            if not ready:
                continue
            answer = self._writer.recv(65_536)
            if not answer:
                raise ConnectionError("the output writer is gone for good")
            found: dict[str, Any] = json.loads(answer)
            # An answer to a question asked twice may come late; it names its job.
            if (found["job"], found["attempt"]) == (job, attempt):
                return {name: found[name] for name in ("bytes", "lines", "dropped", "preview")}

    def _unread(self, descriptor: int) -> int:
        fcntl.ioctl(descriptor, termios.FIONREAD, self._pending)
        return self._pending[0]
