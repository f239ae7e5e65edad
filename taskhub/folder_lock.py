"""One `up` per data folder."""

import fcntl
import os
from pathlib import Path

from taskhub.refusal import CannotStart


class FolderLock:
    """Holds the data folder for this process; the kernel frees it however the process ends."""

    def __init__(self, file: Path, *, folder: Path) -> None:
        """Take the lock.

        Raises:
            CannotStart: another process has it.
            OSError: the file cannot be written.
        """
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode().strip()
            os.close(self._descriptor)
            raise CannotStart(
                f"The data folder {folder} is in use by another `taskhub up`"
                f"{f' (process {holder})' if holder else ''}; stop that one, or choose another TASKHUB_HOME."
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._descriptor)
