"""What a runspace that is gone leaves behind: processes and folders.

To end or remove them may take long, so threads do that.
"""

import contextlib
import shutil
from pathlib import Path
from uuid import UUID

from .worker import processes

_ASIDE = ".lost-"


def put_aside(work: Path, job: UUID, fence: int) -> Path:
    """Take the folder of a lost attempt out of the way; returns where it is now, if there was one.

    Called before the job may be claimed again: whoever removed `work/<uuid>` after that could remove
    the folder of the attempt that runs by then.
    """
    aside = work / f"{_ASIDE}{job}-{fence}"
    with contextlib.suppress(OSError):
        (work / str(job)).rename(aside)
    return aside


def all_aside(work: Path) -> list[Path]:
    """What was put aside and is not removed yet, by an engine that died before it could be, too."""
    return [*work.glob(f"{_ASIDE}*")]


def remove_folders(folders: list[Path]) -> None:
    """Work folders nobody cleans up any more. Runs in a thread."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def end_processes(pid: int, start: int, cookies: list[bytes]) -> list[int]:
    """Kill a runspace that is not gone yet and every process of its job. Runs in a thread."""
    if pid and processes.alive(pid, start):
        processes.send([pid], 9)
    survivors: list[int] = []
    for cookie in cookies:
        survivors += processes.sweep(root=None, sessions=(pid,) if pid else (), cookie=cookie)
    return survivors
