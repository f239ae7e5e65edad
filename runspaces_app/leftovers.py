"""What a runspace that is gone leaves behind: processes and folders. Run in threads, for both may take long."""

import shutil
from pathlib import Path

from .worker import processes


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
