"""The few places where the set-based SQL of SQLite and PostgreSQL differs.

Statements run on the driver's own connection inside Django's transaction: on the hot path
Django's cursor wrapper costs more than the statement. Values are plain Python: UUIDs as 32 hex
digits or `UUID`, datetimes aware and in UTC, everything else as it is.
"""

import functools
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connections
from django.db.models import Model

# PostgreSQL wants to know what a text of the JSON stands for; SQLite does not ask.
Columns = tuple[tuple[str, str], ...]


_here = threading.local()
_encode = msgspec.json.Encoder().encode


def _wrapper() -> Any:
    """This thread's Django connection; the look-up through Django's proxy costs as much as a statement."""
    try:
        return _here.wrapper
    except AttributeError:
        _here.wrapper = connections["default"]
        return _here.wrapper


def is_sqlite() -> bool:
    return bool(_wrapper().vendor == "sqlite")


def met_writers() -> bool:
    """Whether other writers of the SQLite file stood before this thread's last transaction."""
    line = getattr(_wrapper().connection, "line", None)
    return line is not None and bool(line.waited)


def _to_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        # As Django stores it: text in UTC without a zone, which sorts by time.
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.isoformat(" ")[: -len("+00:00")]
    if isinstance(value, UUID):
        return value.hex
    return value


def moment(value: datetime | str | None) -> datetime | None:
    """A datetime column as read by the bare driver."""
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def hex_of(value: Any) -> str:
    """A uuid column as read by the bare driver, as 32 hex digits."""
    return value.hex if isinstance(value, UUID) else str(value)


@functools.cache
def _special(columns: Columns) -> tuple[int, ...]:
    """Positions whose values SQLite takes in a form of its own."""
    return tuple(i for i, (_, kind) in enumerate(columns) if kind in ("timestamptz", "uuid"))


def _sqlite_rows(columns: Columns, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    special = _special(columns)
    converted = [list(row) for row in rows]
    for row in converted:
        for position in special:
            value = row[position]
            if value is not None and not isinstance(value, str):
                row[position] = _to_sqlite(value)
    return converted


@functools.cache
def _source(columns: Columns, alias: str, sqlite: bool) -> str:
    if sqlite:
        fields = ", ".join(f"json_extract(value, '$[{i}]') AS {name}" for i, (name, _) in enumerate(columns))
        return f"(SELECT {fields} FROM json_each(?)) AS {alias}"
    # One JSON text: putting a batch into an array for each column takes the driver four times as long.
    # OFFSET keeps the planner from taking a value out of it anew wherever a statement names it.
    fields = ", ".join(f"(e->>{i})::{kind} AS {name}" for i, (name, kind) in enumerate(columns))
    return f"(SELECT {fields} FROM jsonb_array_elements(%s::jsonb) AS e OFFSET 0) AS {alias}"


def rows_as_table(columns: Columns, rows: Sequence[Sequence[Any]], alias: str = "v") -> tuple[str, list[Any]]:
    """A FROM item that holds these rows, and its parameters.

    Args:
        columns: (name, PostgreSQL type) of each value of a row.
    """
    if is_sqlite():
        return _source(columns, alias, True), [_encode(_sqlite_rows(columns, rows)).decode()]
    return _source(columns, alias, False), [_encode(rows).decode()]


def run(statement: str, parameters: Iterable[Any] = ()) -> Any:
    """Run a statement written with `?` marks inside the open transaction; returns the driver's cursor."""
    wrapper = _wrapper()
    driver = wrapper.connection
    # A lost connection has to be told as Django's own error: the engine then waits for the database.
    with wrapper.wrap_database_errors:
        if wrapper.vendor == "sqlite":
            return driver.execute(statement, [_to_sqlite(value) for value in parameters])
        # `?` stands in no other role in our statements; `%s` comes from `rows_as_table`.
        return driver.execute(_marks(statement), list(parameters))


@functools.lru_cache(maxsize=256)
def _marks(statement: str) -> str:
    return statement.replace("?", "%s")


@functools.cache
def _insert_statement(model: type[Model]) -> tuple[str, tuple[str, ...]]:
    fields = model._meta.concrete_fields
    if any(field.get_internal_type() == "JSONField" for field in fields):
        raise TypeError(f"{model.__name__} has a JSON column, which needs Django's own way")
    names = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join("?" * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})', tuple(
        f.attname for f in fields
    )


def insert_instance(instance: Model) -> None:
    """Insert a new row with all its columns inside the open transaction.

    What `save(force_insert=True)` does, without its signals and at a tenth of its price.
    """
    statement, names = _insert_statement(type(instance))
    run(statement, [getattr(instance, name) for name in names])


def insert(table: str, columns: Columns, rows: Sequence[Sequence[Any]], suffix: str = "") -> None:
    """Insert rows inside the open transaction."""
    names = ", ".join(name for name, _ in columns)
    if is_sqlite():
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) {suffix}"
        wrapper = _wrapper()
        with wrapper.wrap_database_errors:
            wrapper.connection.executemany(statement, _sqlite_rows(columns, rows))
        return
    source, parameters = rows_as_table(columns, rows)
    run(f"INSERT INTO {table} ({names}) SELECT * FROM {source} {suffix}", parameters)


def locked_rows(table: str = "") -> str:
    """Clause by which several engines share a queue instead of waiting for each other."""
    if is_sqlite():
        return ""
    return f"FOR UPDATE {'OF ' + table if table else ''} SKIP LOCKED"


def unindexed(column: str) -> str:
    """A column that SQLite shall test, not search by.

    Without figures about the tables its planner takes an index on `state` for better than the
    primary key, and walks the whole queue for each row it should update.
    """
    return f"+{column}" if is_sqlite() else column
