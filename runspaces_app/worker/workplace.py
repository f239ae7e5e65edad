"""The folder each job finds itself in. Standard library only."""

import os
import shutil
import time

# Beside a change as recent as this another could carry the same time stamp, which the kernel moves on in ticks.
_SETTLED_NS = 100_000_000


class Workplace:
    """Gives a job a folder of its own and takes it away again.

    The folder is the runspace's spare one under the job's name: making a folder costs a file
    system fifty times as much as renaming one.
    """

    def __init__(self, work: str, runspace: int) -> None:
        self._work = work
        self._spare = os.path.join(work, f".{runspace}")
        self._script: str | None = None
        # When the spare folder and the one in it were last changed: one that still says so is still empty.
        self._changed = (0, 0)

    def open(self) -> None:
        """Before the first job."""
        os.chdir(self._work)
        self._make_spare()

    def give(self, uuid: str) -> tuple[str, str]:
        """The job's folder and the one for its temporary files below it."""
        own = self.of(uuid)
        try:
            os.rename(self._spare, own)
        except OSError:
            # An attempt that was lost has left its folder behind.
            shutil.rmtree(own, ignore_errors=True)
            os.rename(self._spare, own)
        return own, os.path.join(own, "tmp")

    def write_script(self, uuid: str, name: str, code: str) -> str:
        """Put source text into the job's folder, executable; returns its path."""
        path = os.path.join(self.of(uuid), name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(code)
        self._script = path
        return path

    def take_back(self, uuid: str) -> None:
        """The job's folder goes; one that holds nothing but what we put there becomes the spare one again."""
        own = self.of(uuid)
        script, self._script = self._script, None
        try:
            if script is not None:
                os.unlink(script)
            if self._is_empty(own):
                os.rename(own, self._spare)
                return
        except OSError:
            # The script removed it or changed its rights: it cannot be used again.
            os.chdir(self._work)
        shutil.rmtree(own, ignore_errors=True)
        self._make_spare()

    def close(self) -> None:
        """After the last job."""
        shutil.rmtree(self._spare, ignore_errors=True)

    def of(self, uuid: str) -> str:
        return os.path.join(self._work, uuid)

    def _is_empty(self, own: str) -> bool:
        temporary = os.path.join(own, "tmp")
        changed = os.stat(own).st_mtime_ns, os.stat(temporary).st_mtime_ns
        if changed == self._changed:
            return True
        if os.listdir(own) != ["tmp"] or os.listdir(temporary):
            return False
        settled = max(changed) < time.time_ns() - _SETTLED_NS
        self._changed = changed if settled else (0, 0)
        return True

    def _make_spare(self) -> None:
        os.makedirs(os.path.join(self._spare, "tmp"), 0o700, exist_ok=True)
        self._changed = (0, 0)
