"""Django's SQLite back end, durable, and fair to all who write.

WAL with full synchronisation; every write waits in the line of `line.py`, which a statement that
only reads never enters. `atomic()` is BEGIN IMMEDIATE: a transaction that began by reading could
not become a writer once somebody else has written.
"""

import os
import time
from sqlite3 import dbapi2 as sqlite
from typing import Any
from urllib.parse import unquote

from django.db.backends.sqlite3 import base

from .connection import LineConnection, LineCursor
from .creation import DatabaseCreation
from .line import Line, holder

# How long to wait for the line and, as the net below it, for SQLite's own locks.
BUSY_SECONDS = 10.0
# A checkpoint copies what was written since the last one and syncs twice: seldom is cheaper.
CHECKPOINT_PAGES = 10_000
CACHE_KIBIBYTES = 32_768
# What the log is cut back to once a checkpoint has taken all of it.
LOG_BYTES = 64 * 1024 * 1024
LINE_FOLDER = "run"


class SQLiteCursorWrapper(base.SQLiteCursorWrapper, LineCursor):  # type: ignore[misc] # its stubs are looser
    """Django's placeholders above, the line below."""


class DatabaseWrapper(base.DatabaseWrapper):
    creation_class = DatabaseCreation

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params.setdefault("timeout", BUSY_SECONDS)
        params["factory"] = LineConnection
        self.transaction_mode = "IMMEDIATE"
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection: LineConnection = super().get_new_connection(conn_params)
        try:
            self._prepare(connection, str(conn_params["database"]), float(conn_params["timeout"]))
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: LineConnection, database: str, timeout: float) -> None:
        file = _file_of(database)
        if file is None:
            return
        connection.line = Line(os.path.join(os.path.dirname(file), LINE_FOLDER), timeout=timeout)
        if _journal_mode(connection) != "wal":
            _become_wal(connection, timeout)
            os.chmod(file, 0o600)
        connection.execute("PRAGMA synchronous = FULL").close()
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").close()
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}").close()
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}").close()

    def writer(self) -> int:
        """Pid of the process whose transaction keeps all others from writing; 0 if none is known."""
        file = _file_of(str(self.settings_dict["NAME"]))
        return 0 if file is None else holder(os.path.join(os.path.dirname(file), LINE_FOLDER))

    def create_cursor(self, name: Any = None) -> Any:
        return self.connection.cursor(factory=SQLiteCursorWrapper)

    def _set_autocommit(self, autocommit: bool) -> None:
        # Without autocommit the module begins transactions by itself, in the mode named here;
        # with it, an open one is committed behind our back.
        with self.wrap_database_errors:
            try:
                self.connection.isolation_level = None if autocommit else "IMMEDIATE"
            finally:
                self.connection.leave_if_ended()


def _file_of(database: str) -> str | None:
    """The real path of a database's file; None for one in memory."""
    if database.startswith("file:"):
        path, _, query = database.removeprefix("file:").partition("?")
        if "mode=memory" in query:
            return None
        database = unquote(path)
    if not database or database == ":memory:":
        return None
    # One line for one file, whichever way its folder was named.
    return os.path.realpath(database)


def _journal_mode(connection: LineConnection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def _become_wal(connection: LineConnection, timeout: float) -> None:
    """Once in the life of a file. Nobody else may have it open at that moment, not even to read."""
    until = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() >= until:
                raise
            time.sleep(0.01)
