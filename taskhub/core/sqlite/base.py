"""Django's SQLite back end, with WAL, full durability and the writers' line."""

import os
import re
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from .line import Line

BUSY_MILLISECONDS = 20_000
# A checkpoint copies what was written since the last one and syncs twice: seldom is cheaper.
CHECKPOINT_PAGES = 10_000
CACHE_KIBIBYTES = 65_536

_READS = re.compile(r"\s*(?:SELECT|EXPLAIN|PRAGMA|VALUES|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|END)\b", re.I)


class SQLiteCursorWrapper(base.SQLiteCursorWrapper):
    """A single write outside a transaction is a transaction of its own and stands in line like one."""

    line: Line | None = None

    def execute(self, query: str, params: Any = None) -> Any:
        if not self._is_lone_write(query):
            return super().execute(query, params)
        assert self.line is not None  # noqa: S101 - `_is_lone_write` has looked
        self.line.enter()
        try:
            return super().execute(query, params)
        finally:
            # With RETURNING the statement ends, and commits, only when its rows are read.
            if not self.connection.in_transaction:
                self.line.leave()

    def executemany(self, query: str, param_list: Any) -> Any:
        if not self._is_lone_write(query):
            return super().executemany(query, param_list)
        assert self.line is not None  # noqa: S101
        self.line.enter()
        try:
            return super().executemany(query, param_list)
        finally:
            self.line.leave()

    def _is_lone_write(self, query: str) -> bool:
        line = self.line
        return line is not None and not line.held and not self.connection.in_transaction and not _READS.match(query)


class DatabaseWrapper(base.DatabaseWrapper):
    """Connections of one file share a line; in-memory databases have none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line: Line | None = None

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        params.setdefault("timeout", BUSY_MILLISECONDS / 1000)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        name = str(conn_params["database"])
        if self._line is not None:
            self._line.close()
            self._line = None
        if not self.is_in_memory_db() and ":memory:" not in name and "mode=memory" not in name:
            self._line = Line(Path(name.removeprefix("file:").partition("?")[0]).parent / "run")
            self._line.enter()
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
            connection.execute("PRAGMA synchronous = FULL").close()
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").close()
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}").close()
        finally:
            if self._line is not None:
                self._line.leave()
        if self._line is not None and os.path.exists(name):
            os.chmod(name, 0o600)
        return connection

    def create_cursor(self, name: Any = None) -> Any:
        cursor = self.connection.cursor(factory=SQLiteCursorWrapper)
        cursor.line = self._line
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        if self._line is not None:
            self._line.enter()
        try:
            self.cursor().execute("BEGIN IMMEDIATE")
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()
        finally:
            self._leave_if_ended()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()
        finally:
            self._leave_if_ended()

    def _close(self) -> Any:
        try:
            return super()._close()
        finally:
            if self._line is not None:
                self._line.close()
                self._line = None

    def _leave_if_ended(self) -> None:
        # A COMMIT that failed (disk full) may leave the transaction open; its rollback frees the line.
        if self.connection is None or not self.connection.in_transaction:
            self._leave()

    def _leave(self) -> None:
        if self._line is not None:
            self._line.leave()
