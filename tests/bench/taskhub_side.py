"""Taskhub in a data folder of its own: engine alone, or web and engine as `up` starts them."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from .processes import ROOT, BenchError, Client, Processes, log_tail, wait_for

PASSWORD = "bench password that nobody else knows"
MANAGE = [sys.executable, str(ROOT / "manage.py")]


class TaskhubSide:
    """One data folder, always at the same path; each run begins with a fresh copy of `template`.

    Args:
        template: made by the first that needs it; the measures of a call share it.
    """

    def __init__(self, processes: Processes, folder: Path, *, template: Path) -> None:
        self._processes = processes
        self._template = template
        self.home = folder / "home"
        self._running: list[subprocess.Popen[bytes]] = []
        self.port = 0
        self.env = {
            "TASKHUB_HOME": str(self.home),
            "TASKHUB_ADMIN_PASSWORD": PASSWORD,
            "TASKHUB_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "taskhub.settings",
        }

    # The data folder

    def fresh(self) -> None:
        """An empty database: set up once by `up` itself, copied ever after."""
        if not self._template.exists():
            self._set_up()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self._template, self.home)

    def _set_up(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.start_up()
        self.stop_all()
        with self.database() as db:
            # Two runspaces, as the peers have two workers; a pool that keeps all output besides.
            db.execute(
                "UPDATE runspaces_app_pool SET min_runspaces = 2, max_runspaces = 2 WHERE name = 'default'"
            )
            columns = [row[1] for row in db.execute("PRAGMA table_info(runspaces_app_pool)")]
            rest = [name for name in columns if name not in ("name", "min_runspaces", "output_cap_bytes")]
            db.execute(
                f"INSERT INTO runspaces_app_pool (name, min_runspaces, output_cap_bytes, {', '.join(rest)})"  # noqa: S608
                f" SELECT 'unbounded', 0, -1, {', '.join(rest)} FROM runspaces_app_pool"
                " WHERE name = 'default'"
            )
        shutil.rmtree(self.home / "run", ignore_errors=True)  # sockets and locks of what has ended
        shutil.copytree(self.home, self._template)

    def new_token(self) -> str:
        return self.command("token", "create", "admin", "--name", "bench").split()[-1]

    def command(self, *words: str) -> str:
        """Run a management command to its end and return what it printed."""
        done = subprocess.run(
            [*MANAGE, *words],
            env={**os.environ, **self.env},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchError(f"manage.py {words[0]}: {done.stderr.strip()[-800:]}")
        return done.stdout

    def database(self) -> "_Database":
        return _Database(self.home / "db.sqlite3")

    # Processes

    def start_engine(self, *, profile: Path | None = None) -> subprocess.Popen[bytes]:
        """The engine with its two runspaces ready to work."""
        argv = (
            MANAGE if profile is None else [sys.executable, "-m", "cProfile", "-o", str(profile), MANAGE[1]]
        )
        engine = self._processes.start([*argv, "run_engine"], env=self.env)
        self._running.append(engine)
        wait_for(lambda: self._runspaces(engine) >= 2, "two runspaces", seconds=30)
        return engine

    def start_up(self) -> subprocess.Popen[bytes]:
        """Web and engine, answering."""
        self.port = free_port()
        up = self._processes.start([*MANAGE, "up", "--no-sample", "--port", str(self.port)], env=self.env)
        self._running.append(up)

        def ready() -> bool:
            if up.poll() is not None:
                raise BenchError(f"up has ended: {log_tail(up)}")
            return _answers(f"http://127.0.0.1:{self.port}/health/ready")

        wait_for(ready, "up", seconds=60)
        wait_for(lambda: self._runspaces(up) >= 2, "two runspaces", seconds=30)
        return up

    def client(self) -> Client:
        """A helper with Django set up, as any program beside the engine has it."""
        client = Client(self._processes, "tests.bench.taskhub_client", env=self.env)
        self._running.append(client.process)
        return client

    def stop_all(self) -> None:
        while self._running:
            self._processes.stop(self._running.pop())

    def _runspaces(self, process: subprocess.Popen[bytes]) -> int:
        if process.poll() is not None:
            raise BenchError(f"the engine has ended: {log_tail(process)}")
        try:
            with self.database() as db:
                query = "SELECT count(*) FROM runspaces_app_runspace WHERE state = 'opened'"
                return int(db.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    # What came of it

    def check_ended(self, count: int) -> None:
        """Exactly `count` jobs, all completed, each with one history row that says success.

        Raises:
            BenchError: saying what is there instead.
        """
        with self.database() as db:
            states = dict(db.execute("SELECT state, count(*) FROM jobs_app_job GROUP BY state"))
            history = dict(db.execute("SELECT status, count(*) FROM jobs_app_execution GROUP BY status"))
            distinct = db.execute("SELECT count(DISTINCT job) FROM jobs_app_execution").fetchone()[0]
        if states != {"completed": count} or history != {"success": count} or distinct != count:
            raise BenchError(f"expected {count} completed jobs, found jobs {states}, executions {history}")


class _Database:
    """The database read past Django, for one short statement at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        self._link = sqlite3.connect(self._path, timeout=10)
        return self._link

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._link.commit()
        self._link.close()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except HTTPError as answer:
        return answer.code < 500
    except (URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
