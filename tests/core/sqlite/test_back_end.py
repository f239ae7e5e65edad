"""The back end in one process: when the line is held, and that Django finds what it expects."""

import gc
import threading
from pathlib import Path
from sqlite3 import dbapi2 as sqlite
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction
from django.db import connection as default_connection
from django.db.backends.base.base import BaseDatabaseWrapper

from taskhub.core.sqlite.line import Line

from .conftest import ALIAS

pytestmark = pytest.mark.one_database


def held(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.connection.line.held)


def rows(connection: BaseDatabaseWrapper) -> list[int]:
    with connection.cursor() as cursor:
        return [x for (x,) in cursor.execute("SELECT x FROM t ORDER BY id").fetchall()]


@pytest.fixture
def somebody_writes(file: Path) -> Any:
    """Somebody else holds the line."""
    (file.parent / "run").mkdir(exist_ok=True)
    line = Line(str(file.parent / "run"), timeout=5)
    line.enter()
    yield line
    line.close()


def test_it_is_durable_and_keeps_its_references(own):
    with own.cursor() as cursor:
        asked = {
            name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    assert own.vendor == "sqlite"


def test_the_file_is_its_owners_alone(own, file):
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_single_write_holds_the_line_only_while_it_lasts(own):
    own.cursor().execute("INSERT INTO t (x) VALUES (1)")
    assert not held(own)
    assert rows(own) == [1]


def test_returning_is_committed_when_the_line_is_freed(own, file):
    cursor = own.cursor()
    cursor.execute("INSERT INTO t (x) VALUES (%s), (%s), (%s) RETURNING x", [1, 2, 3])
    assert not held(own)
    with sqlite.connect(file) as other:
        assert other.execute("SELECT count(*) FROM t").fetchone() == (3,)
        other.execute("INSERT INTO t (x) VALUES (9)")
    other.close()
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany(1) == [(2,)]
    assert cursor.fetchall() == [(3,)]
    assert (cursor.fetchone(), cursor.fetchmany(2), cursor.fetchall()) == (None, [], [])


def test_returned_rows_can_be_walked_and_do_not_stay_for_the_next_statement(own):
    cursor = own.cursor()
    cursor.execute("INSERT INTO t (x) VALUES (1), (2) RETURNING x")
    assert list(cursor) == [(1,), (2,)]
    cursor.execute("UPDATE t SET x = x + 10 RETURNING x")
    cursor.execute("SELECT x FROM t ORDER BY x")
    assert cursor.fetchall() == [(11,), (12,)]


def test_atomic_holds_the_line_until_its_commit(own):
    with transaction.atomic(ALIAS):
        assert held(own)
        own.cursor().execute("INSERT INTO t (x) VALUES (1)")
        assert held(own)
    assert not held(own)
    assert rows(own) == [1]


def test_an_exception_frees_the_line(own):
    with pytest.raises(ZeroDivisionError), transaction.atomic(ALIAS):
        own.cursor().execute("INSERT INTO t (x) VALUES (1)")
        _ = 1 / 0
    assert not held(own)
    assert rows(own) == []


def test_a_rollback_asked_for_frees_the_line(own):
    with transaction.atomic(ALIAS):
        own.cursor().execute("INSERT INTO t (x) VALUES (1)")
        transaction.set_rollback(True, ALIAS)
    assert not held(own)
    assert rows(own) == []


def test_a_savepoint_neither_frees_nor_loses_it(own):
    with transaction.atomic(ALIAS):
        own.cursor().execute("INSERT INTO t (x) VALUES (1)")
        with pytest.raises(ZeroDivisionError), transaction.atomic(ALIAS):
            own.cursor().execute("INSERT INTO t (x) VALUES (2)")
            _ = 1 / 0
        assert held(own)
        with transaction.atomic(ALIAS):
            own.cursor().execute("INSERT INTO t (x) VALUES (3)")
        assert held(own)
    assert not held(own)
    assert rows(own) == [1, 3]


@pytest.mark.parametrize(
    "query", ["INSERT INTO t (x) VALUES (1)", "INSERT INTO nowhere VALUES (1)", "UPDATE"]
)
def test_a_write_that_fails_frees_the_line(own, query):
    own.cursor().execute("INSERT INTO t (x) VALUES (1)")
    with pytest.raises((IntegrityError, OperationalError)):
        own.cursor().execute(query)
    assert not held(own)


def test_a_commit_that_fails_frees_the_line(own):
    own.cursor().execute("CREATE TABLE u (t INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(IntegrityError), transaction.atomic(ALIAS):
        own.cursor().execute("INSERT INTO u VALUES (77)")
    assert not held(own)
    assert not own.connection.in_transaction


def test_closing_in_the_middle_frees_the_line(own, file):
    with pytest.raises(ZeroDivisionError), transaction.atomic(ALIAS):
        own.cursor().execute("INSERT INTO t (x) VALUES (1)")
        own.close()
        Line(str(file.parent / "run"), timeout=1).enter()
        _ = 1 / 0
    assert rows(own) == []


def test_a_forgotten_connection_frees_the_line(own, file):
    def leave_open() -> None:
        connections[ALIAS].cursor().execute("BEGIN IMMEDIATE")

    thread = threading.Thread(target=leave_open)
    thread.start()
    thread.join()
    gc.collect()
    Line(str(file.parent / "run"), timeout=1).enter()


@pytest.mark.filterwarnings("ignore:Exception ignored")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM t",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "EXPLAIN DELETE FROM t",
        "PRAGMA table_info(t)",
        "VALUES (1)",
    ],
)
def test_reading_never_waits(impatient, somebody_writes, query):
    impatient.cursor().execute(query).fetchall()
    assert not held(impatient)


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO t (x) VALUES (1)",
        "WITH a AS (SELECT 5 AS y) INSERT INTO t (x) SELECT y FROM a",
        "DELETE FROM t RETURNING x",
        "CREATE TABLE v (a)",
        "PRAGMA user_version = 3",
    ],
)
def test_writing_waits_and_gives_up_in_time(impatient, somebody_writes, query):
    with pytest.raises(OperationalError, match="database is locked"):
        impatient.cursor().execute(query)
    somebody_writes.leave()
    impatient.cursor().execute(query)


def test_atomic_waits_and_gives_up_in_time(impatient, somebody_writes):
    with pytest.raises(OperationalError, match="database is locked"), transaction.atomic(ALIAS):
        pass
    somebody_writes.leave()
    with transaction.atomic(ALIAS):
        impatient.cursor().execute("INSERT INTO t (x) VALUES (1)")
    assert rows(impatient) == [1]


def test_the_connection_survives_giving_up(impatient, somebody_writes):
    for _ in range(3):
        with pytest.raises(OperationalError):
            impatient.cursor().execute("INSERT INTO t (x) VALUES (1)")
    assert rows(impatient) == []
    somebody_writes.leave()
    impatient.cursor().execute("INSERT INTO t (x) VALUES (1)")
    assert rows(impatient) == [1]


def test_many_rows_at_once_hold_the_line_once(own):
    own.cursor().executemany("INSERT INTO t (x) VALUES (%s)", [(n,) for n in range(5)])
    assert not held(own)
    with pytest.raises(IntegrityError):
        own.cursor().executemany("INSERT INTO t (x) VALUES (%s)", [(7,), (7,)])
    assert not held(own)


def test_a_script_takes_the_line_and_frees_it(own):
    own.cursor().executescript("INSERT INTO t (x) VALUES (1); BEGIN; INSERT INTO t (x) VALUES (2); COMMIT;")
    assert not held(own)
    assert rows(own) == [1, 2]


def test_raw_statements_inside_atomic_are_part_of_it(own):
    with pytest.raises(ZeroDivisionError), transaction.atomic(ALIAS):
        raw = own.connection
        raw.execute("INSERT INTO t (x) VALUES (?)", (1,))
        raw.executemany("INSERT INTO t (x) VALUES (?)", [(2,), (3,)])
        raw.cursor().execute("UPDATE t SET x = x + 10 RETURNING x").fetchall()
        assert held(own)
        _ = 1 / 0
    assert rows(own) == []
    assert not held(own)


def test_raw_statements_outside_stand_in_line_too(impatient, somebody_writes):
    impatient.ensure_connection()
    for act in (
        lambda raw: raw.execute("INSERT INTO t (x) VALUES (1)"),
        lambda raw: raw.executemany("INSERT INTO t (x) VALUES (?)", [(1,)]),
        lambda raw: raw.executescript("INSERT INTO t (x) VALUES (1)"),
    ):
        with pytest.raises(sqlite.OperationalError, match="database is locked"):
            act(impatient.connection)
    somebody_writes.leave()
    raw = impatient.connection
    with raw:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("INSERT INTO t (x) VALUES (1)")
        assert held(impatient)
    assert not held(impatient)
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("INSERT INTO t (x) VALUES (2)")
    raw.execute("COMMIT")
    assert not held(impatient)


def test_a_transaction_that_began_by_reading_takes_the_line_when_it_writes(own):
    raw = own.connection
    raw.execute("BEGIN")
    raw.execute("SELECT * FROM t").fetchall()
    assert not held(own)
    raw.execute("INSERT INTO t (x) VALUES (1)")
    assert held(own)
    raw.rollback()
    assert not held(own)


def test_without_autocommit_the_line_is_held_from_the_first_write(own):
    own.set_autocommit(False)
    own.cursor().execute("SELECT * FROM t").fetchall()
    assert not held(own)
    own.cursor().execute("INSERT INTO t (x) VALUES (1)")
    assert held(own)
    own.rollback()
    assert not held(own)
    own.cursor().execute("INSERT INTO t (x) VALUES (2)")
    own.set_autocommit(True)
    assert not held(own)
    assert rows(own) == [2]


@pytest.mark.parametrize("name", [":memory:", "file:own?mode=memory&cache=shared"])
def test_a_database_in_memory_has_no_line(open_database, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    connection = open_database(name)
    with transaction.atomic(ALIAS):
        connection.cursor().execute("CREATE TABLE t (x)")
    connection.cursor().execute("INSERT INTO t (x) VALUES (1)")
    assert connection.connection.line is None
    assert list(tmp_path.iterdir()) == []
    connection.connection.close()


def test_one_file_has_one_line_whatever_it_is_called(own, file, tmp_path, open_database):
    (tmp_path / "via").symlink_to(file.parent)
    own.close()
    for name in (f"{tmp_path}/via/db.sqlite3", f"file:{file}?mode=rwc", f"{tmp_path}/run/../db.sqlite3"):
        del connections[ALIAS]
        other = open_database(name)
        other.cursor().execute("DELETE FROM t")
        assert other.connection.line._folder == str(file.parent.resolve() / "run")
        other.close()


def test_a_folder_that_cannot_hold_the_locks_is_an_operational_error(own, file):
    own.close()
    run = file.parent / "run"
    for path in run.iterdir():
        path.unlink()
    run.rmdir()
    run.touch()
    with pytest.raises(OperationalError, match="unable to open the lock files"):
        own.cursor().execute("INSERT INTO t (x) VALUES (1)")
    assert rows(own) == []


def test_a_test_database_is_made_and_removed_with_its_log(open_database, tmp_path):
    connection = open_database(tmp_path / "live.sqlite3")
    connection.settings_dict["TEST"] = {
        **connection.settings_dict["TEST"],
        "NAME": str(tmp_path / "test.sqlite3"),
        "MIGRATE": False,
    }
    (tmp_path / "test.sqlite3-wal").write_bytes(b"left by a run that was killed")
    connection.creation._create_test_db(0, autoclobber=True)
    assert not (tmp_path / "test.sqlite3-wal").exists()
    connection.settings_dict["NAME"] = str(tmp_path / "test.sqlite3")
    connection.cursor().execute("CREATE TABLE t (x)")
    connection.creation._destroy_test_db(str(tmp_path / "test.sqlite3"), 0)
    connection.close()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("test.sqlite3")]


@pytest.mark.django_db
def test_the_suite_itself_runs_on_it():
    if default_connection.vendor == "sqlite":
        assert type(connections["default"]).__module__ == "taskhub.core.sqlite.base"
        assert default_connection.features.can_return_columns_from_insert
