"""What the jobs of a measure do, for the peers; Taskhub's jobs do the same from source text."""

import os
import subprocess
import time


def noop() -> int:
    # A value, so that both peers store a result: Huey keeps none for None.
    return 1


def stamp(n: int, path: str) -> int:
    now = time.monotonic_ns()
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, b"%d %d\n" % (n, now))
    os.close(fd)
    return 1


def shell() -> int:
    return subprocess.run(["sh", "-c", "true"], check=False).returncode
