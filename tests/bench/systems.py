"""The systems under measure, all driven alike: start warm, fill aside, release, wait for the last result."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from . import redis_server
from .processes import Client, Processes, wait_for
from .taskhub_side import TaskhubSide

WARM_JOBS = 200
WAIT_SECONDS = 240.0


class System(Protocol):
    """Two warm workers and a helper that enqueues.

    Attributes:
        client: answers `queue`, `produce`, `wait` and `clear`.
        workers: the process whose tree does the work.
    """

    name: str
    client: Client
    workers: subprocess.Popen[bytes]

    def start(self, kind: str) -> None:
        """Workers and helper, warmed up with jobs of this kind; results are empty again."""

    def check(self, count: int) -> None:
        """Raise BenchError unless exactly `count` jobs have ended well."""

    def stop(self) -> None: ...


class _Peer:
    """What Celery and Huey have in common."""

    name = ""
    module = ""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self._processes = processes
        self._folder = folder / self.__class__.__name__
        self.env: dict[str, str] = {}
        self.client: Client
        self.workers: subprocess.Popen[bytes]

    def start(self, kind: str) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self.env = self._environment()
        self.workers = self._processes.start(self._argv(), env=self.env)
        self.client = Client(self._processes, self.module, env=self.env)
        warm_up(self.client, kind, str(self._folder / "warm"))
        self.client.ask("clear")

    def check(self, count: int) -> None:
        self.client.ask("wait", count=count, limit=1.0)

    def stop(self) -> None:
        for part in ("client", "workers"):
            if hasattr(self, part):
                held = getattr(self, part)
                self._processes.stop(held.process if isinstance(held, Client) else held)
        redis = getattr(self, "_redis", None)
        if redis is not None:
            self._processes.stop(redis)

    def _environment(self) -> dict[str, str]:
        raise NotImplementedError

    def _argv(self) -> list[str]:
        raise NotImplementedError

    def _start_redis(self) -> str:
        self._redis, path = redis_server.start(self._processes, self._folder)
        return str(path)


class Celery(_Peer):
    name = "Celery"
    module = "tests.bench.peers.celery_client"

    def _environment(self) -> dict[str, str]:
        return {"BENCH_REDIS": self._start_redis()}

    def _argv(self) -> list[str]:
        return [
            sys.executable, "-m", "celery", "-A", "tests.bench.peers.celery_app", "worker",
            "--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ]  # fmt: skip


class _Huey(_Peer):
    module = "tests.bench.peers.huey_client"

    def _argv(self) -> list[str]:
        # Without periodic tasks and per-task log lines; a short poll for storages that cannot block.
        return [
            sys.executable, "-m", "huey.bin.huey_consumer", "tests.bench.peers.huey_app.huey",
            "--workers", "2", "--worker-type", "process", "--no-periodic", "--quiet",
            "--delay", "0.005", "--max-delay", "0.005",
        ]  # fmt: skip


class HueyRedis(_Huey):
    name = "Huey on Redis"

    def _environment(self) -> dict[str, str]:
        return {"BENCH_HUEY": "redis", "BENCH_REDIS": self._start_redis()}


class HueySqlite(_Huey):
    name = "Huey on SQLite"

    def _environment(self) -> dict[str, str]:
        return {"BENCH_HUEY": "sqlite", "BENCH_SQLITE": str(self._folder / "huey.sqlite3")}


class Taskhub:
    """The engine alone, on SQLite, with a pool of two lean runspaces."""

    name = "Taskhub"

    def __init__(self, side: TaskhubSide) -> None:
        self._side = side
        self.client: Client
        self.workers: subprocess.Popen[bytes]

    def start(self, kind: str) -> None:
        self._side.fresh()
        self.workers = self._side.start_engine()
        self.client = self._side.client()
        warm_up(self.client, kind, str(self._side.home / "warm"))
        self.client.ask("clear")

    def check(self, count: int) -> None:
        self._side.check_ended(count + WARM_JOBS)

    def stop(self) -> None:
        self._side.stop_all()


def warm_up(client: Client, kind: str, path: str) -> None:
    """Both workers have run some jobs, so nothing of their start is in the figures."""
    client.ask("produce", kind=kind, count=WARM_JOBS, pace=0, path=path)
    client.ask("wait", count=WARM_JOBS, limit=60.0)


def cpu_seconds(process: subprocess.Popen[bytes]) -> dict[str, float]:
    """CPU seconds so far of a process and its descendants, by title."""
    import psutil

    spent: dict[str, float] = {}
    family = psutil.Process(process.pid)
    for one in [family, *family.children(recursive=True)]:
        times: Any = one.cpu_times()
        title = " ".join(one.cmdline()[:3])[:60] or one.name()
        spent[f"{title} [{one.pid}]"] = times.user + times.system
    return spent


def stamps(path: Path, count: int) -> dict[int, int]:
    """When the user code of each job began: monotonic nanoseconds by number."""
    wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, "stamps", seconds=30)
    pairs = (line.split() for line in path.read_text().splitlines())
    return {int(n): int(at) for n, at in pairs}


__all__ = ["Celery", "HueyRedis", "HueySqlite", "System", "Taskhub", "cpu_seconds", "stamps"]
