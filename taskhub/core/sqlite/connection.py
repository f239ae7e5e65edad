"""sqlite3 connections whose writes stand in line.

The rule: a connection holds the line from before a write until no transaction is open any more.
It is kept here, below Django, so raw statements keep it as well.
"""

from collections import deque
from collections.abc import Iterable
from sqlite3 import dbapi2 as sqlite
from typing import Any

from .line import Line, LineTimeout, is_full
from .statements import writes


class LineCursor(sqlite.Cursor):
    """A cursor whose writing statements take the line."""

    connection: "LineConnection"
    # Rows of a RETURNING outside a transaction; see `execute`.
    _kept: deque[Any] | None = None

    def execute(self, sql: str, parameters: Any = ()) -> "LineCursor":
        self._kept = None
        connection = self.connection
        if connection.line is None or not (connection.line.held or writes(sql)):
            super().execute(sql, parameters)
            return self
        connection.enter()
        try:
            super().execute(sql, parameters)
            if self.description is not None and not connection.in_transaction:
                # It commits only when its last row is read, and the line is held until then.
                self._kept = deque(super().fetchall())
        finally:
            connection.leave_if_ended()
        return self

    def executemany(self, sql: str, parameters: Iterable[Any]) -> "LineCursor":
        self._kept = None
        return self._in_line(lambda: super(LineCursor, self).executemany(sql, parameters))

    def executescript(self, sql_script: str) -> "LineCursor":
        self._kept = None
        return self._in_line(lambda: super(LineCursor, self).executescript(sql_script))

    def _in_line(self, act: Any) -> "LineCursor":
        self.connection.enter()
        try:
            act()
        finally:
            self.connection.leave_if_ended()
        return self

    def fetchone(self) -> Any:
        if self._kept is None:
            return super().fetchone()
        return self._kept.popleft() if self._kept else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        size = self.arraysize if size is None else size
        if self._kept is None:
            return super().fetchmany(size)
        return [self._kept.popleft() for _ in range(min(size, len(self._kept)))]

    def fetchall(self) -> list[Any]:
        if self._kept is None:
            return super().fetchall()
        rows, self._kept = list(self._kept), deque()
        return rows

    def __iter__(self) -> "LineCursor":
        return self

    def __next__(self) -> Any:
        if self._kept is None:
            return super().__next__()
        if not self._kept:
            raise StopIteration
        return self._kept.popleft()


class LineConnection(sqlite.Connection):
    """A connection with a place in the line, or with none for a database no other process can reach."""

    line: Line | None = None

    def cursor(self, factory: Any = LineCursor) -> Any:
        return super().cursor(factory)

    # Those of the module make cursors that know nothing of the line.

    def execute(self, sql: str, parameters: Any = ()) -> LineCursor:
        return self._fresh().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any]) -> LineCursor:
        return self._fresh().executemany(sql, parameters)

    def executescript(self, sql_script: str) -> LineCursor:
        return self._fresh().executescript(sql_script)

    def _fresh(self) -> LineCursor:
        return super().cursor(LineCursor)

    def enter(self) -> None:
        """Take the line.

        Raises:
            sqlite3.OperationalError: not in time, or its files cannot be opened.
        """
        if self.line is None or self.line.held:
            return
        try:
            self.line.enter()
        except LineTimeout as exc:
            raise sqlite.OperationalError(f"database is locked ({exc})") from exc
        except OSError as exc:
            words = (
                "database or disk is full"
                if is_full(exc)
                else "unable to open the lock files of the database"
            )
            raise sqlite.OperationalError(f"{words} ({exc})") from exc

    def leave_if_ended(self) -> None:
        """Free the line unless a transaction is open, however it came to its end."""
        if self.line is not None and self.line.held and not self.in_transaction:
            self.line.leave()

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            # A COMMIT that failed may leave the transaction open; its rollback frees the line.
            self.leave_if_ended()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self.leave_if_ended()

    def __exit__(self, *exc: Any) -> Any:
        try:
            return super().__exit__(*exc)
        finally:
            self.leave_if_ended()

    def close(self) -> None:
        try:
            super().close()
        finally:
            if self.line is not None:
                self.line.close()
