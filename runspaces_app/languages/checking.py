"""Run a checker over source text in a child that can do no harm.

A compiler fed with hostile text may take for ever, eat all memory or crash; none of that may reach
the process that asks.
"""

import contextlib
import os
import resource
import signal
import subprocess
from typing import NamedTuple

from .base import CheckFailed

CPU_SECONDS = 2
MEMORY_BYTES = 256 * 1024 * 1024
# Wall time is the net under the processor time: a busy host must not refuse good text.
WALL_PER_CPU = 3


class Checked(NamedTuple):
    """How the checker ended: exit status, negative for a signal, and what it wrote."""

    status: int
    stdout: str
    stderr: str


class Limits(NamedTuple):
    """What a checker may use.

    Attributes:
        seconds: of processor time; three times as long by the clock.
        address_space: bytes of address space. None for virtual machines, which reserve far more than
            they use: they are held to `data`.
        data: bytes of private writable memory.
        file_size: bytes of each file it writes.
    """

    seconds: int = CPU_SECONDS
    address_space: int | None = MEMORY_BYTES
    data: int = MEMORY_BYTES
    file_size: int = 0


def run(
    argv: list[str], code: str, limits: Limits | None = None, directory: str = "/", **variables: str
) -> Checked:
    """Feed the text to a checker's stdin and wait for it.

    Args:
        limits: the common ones if not given.
        directory: where it runs.
        variables: of its environment, besides PATH and the locale.

    Raises:
        CheckFailed: it took too long.
    """
    limits = limits or Limits()
    took_longer = f"expected to be checked within {limits.seconds} s, took longer"
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "LANG": "C", **variables},
        cwd=directory,
        start_new_session=True,
    )
    with process:
        try:
            # The checker can not begin before its text comes, so the limits are set in time; a function
            # run between fork and exec would not be safe in a process with threads.
            with contextlib.suppress(ProcessLookupError):
                _limit(process.pid, limits)
            stdout, stderr = process.communicate(
                code.encode("utf-8", "surrogatepass"), timeout=limits.seconds * WALL_PER_CPU
            )
        except subprocess.TimeoutExpired:
            raise CheckFailed(took_longer) from None
        finally:
            # Its whole session: a compiler may have started helpers.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise CheckFailed(took_longer)
    return Checked(process.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))


def _limit(pid: int, limits: Limits) -> None:
    if limits.address_space is not None:
        resource.prlimit(pid, resource.RLIMIT_AS, (limits.address_space, limits.address_space))
    resource.prlimit(pid, resource.RLIMIT_DATA, (limits.data, limits.data))
    resource.prlimit(pid, resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limits.file_size, limits.file_size))
