"""Finding and ending the processes a job has started, by descent, session and an environment cookie.

Used by the runspace for its own jobs and by the engine after a runspace was killed.
Source of the fields: proc(5). Standard library only.
"""

import contextlib
import os
import signal
import time
from collections.abc import Container, Iterable
from typing import NamedTuple

PASS_PAUSE_SECONDS = 0.005


class Process(NamedTuple):
    pid: int
    parent: int
    session: int
    state: str
    start: int


def read(pid: int) -> Process | None:
    """What /proc says of a process; None if it is gone. `start` counts clock ticks since boot."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The name may hold spaces and brackets, so the fields are counted from its last bracket.
    fields = text[text.rindex(b")") + 2 :].split()
    return Process(pid, int(fields[1]), int(fields[3]), fields[0].decode(), int(fields[19]))


def start_ticks(pid: int) -> int:
    """The start time that tells a process from a later one with its pid; 0 if it is gone."""
    process = read(pid)
    return process.start if process else 0


def alive(pid: int, start: int) -> bool:
    """Whether that very process still runs (a zombie does not)."""
    process = read(pid)
    return process is not None and process.start == start and process.state not in "ZX"


def everyone() -> dict[int, Process]:
    found = (read(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def descendants(root: int, all_processes: dict[int, Process]) -> set[int]:
    children: dict[int, list[int]] = {}
    for process in all_processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def children(pid: int) -> set[int]:
    """Children, ended ones too, of a process with one thread."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return set(map(int, file.read().split()))
    except FileNotFoundError:  # a kernel built without that file
        return {process.pid for process in everyone().values() if process.parent == pid}


def end_orphans(keep: Container[int], seconds: float = 2.0) -> None:
    """KILL all children of this process but some, and whatever becomes its child by that."""
    until = time.monotonic() + seconds
    while (orphans := {pid for pid in children(os.getpid()) if pid not in keep}) and time.monotonic() < until:
        send(orphans, signal.SIGKILL)
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(PASS_PAUSE_SECONDS)


def carries(pid: int, cookie: bytes) -> bool:
    """Whether the process was started with this `NAME=value` in its environment."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return cookie in file.read().split(b"\0")
    except OSError:
        return False


def of_job(*, root: int | None, sessions: Iterable[int], cookie: bytes, spare: Iterable[int]) -> set[int]:
    """Living processes of a job: below `root`, in one of `sessions`, or carrying its cookie."""
    seen = everyone()
    wanted_sessions = set(sessions)
    found = descendants(root, seen) if root else set()
    found |= {process.pid for process in seen.values() if process.session in wanted_sessions}
    found |= {pid for pid in seen if pid not in found and carries(pid, cookie)}
    return {pid for pid in found - set(spare) if seen[pid].state not in "ZX"}


def send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def sweep(
    *,
    root: int | None,
    sessions: Iterable[int] = (),
    cookie: bytes,
    spare: Iterable[int] = (),
    seconds: float = 2.0,
) -> list[int]:
    """KILL a job's processes until a full pass finds none; returns those left after `seconds`."""
    spared = {os.getpid(), *spare}
    until = time.monotonic() + seconds
    while True:
        found = of_job(root=root, sessions=sessions, cookie=cookie, spare=spared)
        if not found:
            return []
        send(found, signal.SIGKILL)
        reap()
        if time.monotonic() > until:
            return sorted(found)
        time.sleep(PASS_PAUSE_SECONDS)


def reap() -> int:
    """Collect ended children; returns how many are left alive, -1 never: 0 means none at all."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == 0:
            return 1


def has_children() -> bool:
    """Whether any child, running or ended and not collected, is left. One system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
