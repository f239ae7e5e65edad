"""The folder each job finds itself in. Standard library only."""

import os
import shutil


class Workplace:
    """Gives a job a folder of its own and takes it away again.

    The folder is the runspace's spare one under the job's name: making a folder costs a file
    system fifty times as much as renaming one.
    """

    def __init__(self, work: str, runspace: int) -> None:
        self._work = work
        self._spare = os.path.join(work, f".{runspace}")
        self._script: str | None = None

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
            if os.listdir(own) == ["tmp"] and not os.listdir(os.path.join(own, "tmp")):
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

    def _make_spare(self) -> None:
        os.makedirs(os.path.join(self._spare, "tmp"), 0o700, exist_ok=True)
