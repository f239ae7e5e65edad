"""Real installations of Taskhub for tests: a data folder, a database, a port, and processes to kill."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import psutil

from tests.acceptance.http_client import HttpClient
from tests.support import wait_until

ROOT = Path(__file__).resolve().parents[2]
ADMIN_PASSWORD = "the first admin's password"
# Generous: two test workers, a browser and a database share two cores.
START_SECONDS = 60.0
STOP_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """One data folder with its database and what runs on it.

    Args:
        home: the data folder; it need not exist.
        database_url: blank for SQLite inside it.
        command: what stands before the name of a command; the checkout's manage.py if not given.
    """

    def __init__(self, home: Path, *, database_url: str = "", command: list[str] | None = None) -> None:
        self.home = home
        self.database_url = database_url
        self.command = command or [sys.executable, str(ROOT / "manage.py")]
        self.port = free_port()
        self.environment: dict[str, str] = {}
        self.log = home.parent / f"{home.name}.log"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._seen: dict[int, psutil.Process] = {}

    # Starting

    def environ(self, **extra: str) -> dict[str, str]:
        """What its processes get: nothing of the test run's own TASKHUB_ variables."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("TASKHUB_", "PYTEST_"))
        }
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        ours = {
            "TASKHUB_HOME": str(self.home),
            "TASKHUB_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "PYTHONUNBUFFERED": "1",
        }
        if self.database_url:
            ours["TASKHUB_DATABASE_URL"] = self.database_url
        return kept | ours | self.environment | extra

    def spawn(self, *arguments: str, **extra: str) -> subprocess.Popen[bytes]:
        """Start a command in the background; what it prints goes to `self.log`."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*self.command, *arguments],
                env=self.environ(**extra),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start(self, *arguments: str, sample: bool = False, **extra: str) -> subprocess.Popen[bytes]:
        """Start `up` and return when it says that it is ready."""
        before = self.printed().count("is ready")
        more = [] if sample else ["--no-sample"]
        process = self.spawn("up", "--port", str(self.port), *more, *arguments, **extra)
        wait_until(
            lambda: self.printed().count("is ready") > before or process.poll() is not None,
            timeout=START_SECONDS,
            message=f"up is ready; it printed {self.printed()!r}",
        )
        assert process.poll() is None, self.printed()
        self.remember()
        return process

    def start_engine(self, *arguments: str, failpoint: str = "", **extra: str) -> subprocess.Popen[bytes]:
        """Start an engine alone and return when it has its row; with a fail point it may be dead by then."""
        before = self.printed().count(" runs.")
        if failpoint:
            extra["TASKHUB_FAILPOINT"] = failpoint
        process = self.spawn("run_engine", *arguments, **extra)
        wait_until(
            lambda: self.printed().count(" runs.") > before or process.poll() is not None,
            timeout=START_SECONDS,
            message=f"the engine runs; it printed {self.printed()!r}",
        )
        self.remember()
        return process

    def manage(self, *arguments: str, timeout: float = 60, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*self.command, *arguments],
            env=self.environ(**extra),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    # Looking

    def printed(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = None) -> HttpClient:
        """A client of its own; with the admin's token unless another (or "") is given."""
        return HttpClient(self.address, token=self.token if token is None else token)

    @cached_property
    def token(self) -> str:
        made = self.manage("token", "create", "admin")
        assert made.returncode == 0, made.stderr
        return made.stdout.split()[-1]

    def remember(self) -> list[psutil.Process]:
        """All living processes of the installation; also those it had are known from now on."""
        for process in self.processes:
            try:
                parent = psutil.Process(process.pid)
                for each in [parent, *parent.children(recursive=True)]:
                    self._seen[each.pid] = each
            except psutil.NoSuchProcess:
                continue
        return self.living()

    def living(self) -> list[psutil.Process]:
        """Those ever remembered that still run, and every process that carries this data folder's name."""
        found = {process.pid: process for process in self._seen.values() if _runs(process)}
        wanted = str(self.home)
        for process in psutil.process_iter():
            try:
                if process.environ().get("TASKHUB_HOME") == wanted or process.cwd().startswith(wanted):
                    found[process.pid] = process
            except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
                continue
        return [process for process in found.values() if _runs(process)]

    def named(self, title: str) -> psutil.Process:
        """The living process with this title (`taskhub web`, `taskhub run_engine`, `taskhub runspace 1`)."""

        def look() -> psutil.Process | None:
            return next((each for each in self.remember() if _title(each) == title), None)

        found = wait_until(look, timeout=20, message=f"a process called {title!r}")
        assert found is not None
        return found

    # Ending

    def kill(self, title: str) -> psutil.Process:
        """SIGKILL one process by its title; returns it, dead."""
        process = self.named(title)
        process.kill()
        wait_until(lambda: not _runs(process), message=f"{title} is dead")
        return process

    def stop(self, process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
        """Signal a process that was started here and wait for its end; returns its exit code."""
        self.remember()
        if process.poll() is None:
            process.send_signal(number)
        return process.wait(timeout=STOP_SECONDS)

    def nothing_runs(self, timeout: float = 15.0) -> None:
        """Assert that every process ever seen here ends by itself."""
        wait_until(lambda: not self.living(), timeout=timeout, message=f"all have ended: {self.living()}")

    def clean_up(self) -> None:
        """End whatever is left, the hard way. For fixtures; tests use `stop`."""
        self.remember()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        until = time.monotonic() + 15
        while (left := self.living()) and time.monotonic() < until:
            for each in left:
                try:
                    each.kill()
                except psutil.NoSuchProcess:
                    continue
            psutil.wait_procs(left, timeout=0.5)
        for process in self.processes:
            process.wait(timeout=5)


class Ledger:
    """A file that scripts write a line into, so that a test sees what really ran and how often.

    A line is one `write()` of less than a page to a descriptor opened for appending, so lines of
    scripts that run at the same moment do not mix.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        file.touch()

    def python(self, text: str) -> str:
        """Python source that enters `text`; it may name variables in braces, as an f-string does."""
        return (
            "import os\n"
            f"_ledger = os.open({str(self.file)!r}, os.O_WRONLY | os.O_APPEND)\n"
            f"os.write(_ledger, (f{text!r} + '\\n').encode())\n"
            "os.close(_ledger)\n"
        )

    def shell(self, text: str) -> str:
        """Shell source that enters `text`; variables in it are expanded."""
        return f'echo "{text}" >> "{self.file}"\n'

    def lines(self) -> list[str]:
        return self.file.read_text().splitlines()


class Prepared:
    """An installation made once and copied for each test: a start on a copy has little left to prepare."""

    def __init__(self, folder: Path, copy_database: Callable[[str], str], database_url: str) -> None:
        self.installation = Installation(folder / "home", database_url=database_url)
        self._copy_database = copy_database
        self.installation.stop(self.installation.start())
        self.installation.nothing_runs()

    def copy(self, home: Path) -> Installation:
        copy_home(self.installation.home, home)
        return Installation(home, database_url=self._copy_database(home.parent.name))


def copy_home(source: Path, home: Path) -> None:
    """The data folder of an installation of which nothing runs, as another may have it."""
    ignored = shutil.ignore_patterns("static", "*.lock")
    shutil.copytree(source, home, ignore=ignored, symlinks=True)
    home.chmod(0o700)
    # Read only while they are served, so all may share them.
    shutil.copytree(source / "static", home / "static", copy_function=os.link)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()).strip()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
