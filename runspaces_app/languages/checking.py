"""Run a checker over source text in a child that can do no harm.

A compiler fed with hostile text may take for ever, eat all memory or crash; none of that may reach
the process that asks.
"""

import contextlib
import resource
import subprocess
from typing import NamedTuple

from .base import CheckFailed

CPU_SECONDS = 2
MEMORY_BYTES = 256 * 1024 * 1024
# Wall time is the net under the processor time: a busy host must not refuse good text.
WALL_SECONDS = 3 * CPU_SECONDS


class Checked(NamedTuple):
    """How the checker ended: exit status, negative for a signal, and what it wrote."""

    status: int
    stdout: str
    stderr: str


def run(argv: list[str], code: str) -> Checked:
    """Feed the text to a checker's stdin and wait for it.

    Raises:
        CheckFailed: it took too long.
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "LANG": "C"},
        cwd="/",
    )
    with process:
        try:
            # The checker can not begin before its text comes, so the limits are set in time; a function
            # run between fork and exec would not be safe in a process with threads.
            with contextlib.suppress(ProcessLookupError):
                _limit(process.pid)
            stdout, stderr = process.communicate(code.encode("utf-8", "surrogatepass"), timeout=WALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise CheckFailed(f"expected to be checked within {CPU_SECONDS} s, took longer") from None
        finally:
            process.kill()
    if process.returncode in (-_SIGXCPU, -_SIGKILL):
        raise CheckFailed(f"expected to be checked within {CPU_SECONDS} s, took longer")
    return Checked(process.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))


_SIGKILL, _SIGXCPU = 9, 24


def _limit(pid: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.prlimit(pid, resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0))
