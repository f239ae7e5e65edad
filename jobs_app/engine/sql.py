"""The few places where the set-based SQL of SQLite and PostgreSQL differs.

Statements run on the driver's own connection inside Django's transaction: on the hot path
Django's cursor wrapper costs more than the statement. Values are plain Python: UUIDs as 32 hex
digits or `UUID`, datetimes aware and in UTC, everything else as it is.
"""

import functools
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

# PostgreSQL wants to know what an array holds; SQLite does not ask.
Columns = tuple[tuple[str, str], ...]


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def _to_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        # As Django stores it: text without zone, which sorts by time.
        return str(value.astimezone(UTC).replace(tzinfo=None))
    if isinstance(value, UUID):
        return value.hex
    return value


def moment(value: Any) -> datetime | None:
    """A datetime column as read by the bare driver."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def hex_of(value: Any) -> str:
    """A uuid column as read by the bare driver, as 32 hex digits."""
    return value.hex if isinstance(value, UUID) else str(value)


@functools.cache
def _source(columns: Columns, alias: str, sqlite: bool) -> str:
    if sqlite:
        fields = ", ".join(f"json_extract(value, '$[{i}]') AS {name}" for i, (name, _) in enumerate(columns))
        return f"(SELECT {fields} FROM json_each(?)) AS {alias}"
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in columns)
    return f"unnest({arrays}) AS {alias}({', '.join(name for name, _ in columns)})"


def rows_as_table(columns: Columns, rows: Sequence[Sequence[Any]], alias: str = "v") -> tuple[str, list[Any]]:
    """A FROM item that holds these rows, and its parameters.

    Args:
        columns: (name, PostgreSQL type) of each value of a row.
    """
    sqlite = is_sqlite()
    if sqlite:
        return _source(columns, alias, True), [json.dumps([[_to_sqlite(value) for value in row] for row in rows])]
    return _source(columns, alias, False), [list(column) for column in zip(*rows, strict=True)]


def run(statement: str, parameters: Iterable[Any] = ()) -> Any:
    """Run a statement written with `?` marks inside the open transaction; returns the driver's cursor."""
    driver = connection.connection
    if is_sqlite():
        return driver.execute(statement, [_to_sqlite(value) for value in parameters])
    # `?` stands in no other role in our statements; `%s` comes from `rows_as_table`.
    return driver.execute(_marks(statement), list(parameters))


@functools.lru_cache(maxsize=256)
def _marks(statement: str) -> str:
    return statement.replace("?", "%s")


def insert(table: str, columns: Columns, rows: Sequence[Sequence[Any]], suffix: str = "") -> None:
    """Insert rows inside the open transaction."""
    names = ", ".join(name for name, _ in columns)
    if is_sqlite():
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) {suffix}"  # noqa: S608 - names are ours
        connection.connection.executemany(statement, [[_to_sqlite(value) for value in row] for row in rows])
        return
    source, parameters = rows_as_table(columns, rows)
    run(f"INSERT INTO {table} ({names}) SELECT * FROM {source} {suffix}", parameters)  # noqa: S608


def locked_rows() -> str:
    """Clause by which several engines share a queue instead of waiting for each other."""
    return "" if is_sqlite() else "FOR UPDATE SKIP LOCKED"


def unindexed(column: str) -> str:
    """A column that SQLite shall test, not search by.

    Without figures about the tables its planner takes an index on `state` for better than the
    primary key, and walks the whole queue for each row it should update.
    """
    return f"+{column}" if is_sqlite() else column
