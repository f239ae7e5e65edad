"""Memory, threads and open descriptors of a runspace with its children."""

from typing import NamedTuple

import psutil


class Measured(NamedTuple):
    """`memory` is PSS in bytes: pages shared with other processes count in part."""

    memory: int
    threads: int
    handles: int


def one(pid: int) -> Measured | None:
    """A process and all below it; None if it is gone."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return None
    memory = threads = handles = 0
    for process in family:
        try:
            memory += process.memory_full_info().pss
            threads += process.num_threads()
            handles += process.num_fds()
        except psutil.Error:
            continue  # it ended between the listing and the look
    return Measured(memory, threads, handles)


def all_of(runspaces: list[tuple[int, int]]) -> dict[int, Measured]:
    """Measures of (id, pid) pairs by id; those that are gone are left out."""
    found = {runspace: one(pid) for runspace, pid in runspaces}
    return {runspace: measured for runspace, measured in found.items() if measured is not None}
