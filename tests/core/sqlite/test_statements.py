"""Which statements stand in line."""

import pytest

from taskhub.core.sqlite.statements import writes

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "  select * from t where a = 'INSERT'",
        "(SELECT 1)",
        "-- a note\nSELECT 1",
        "/* UPDATE */ SELECT 1",
        "VALUES (1)",
        "EXPLAIN QUERY PLAN DELETE FROM t",
        "PRAGMA foreign_keys = ON",
        "PRAGMA journal_mode",
        "pragma main.journal_mode",
        "PRAGMA table_info(t)",
        "PRAGMA wal_checkpoint(PASSIVE)",
        "PRAGMA data_version",
        "SAVEPOINT s",
        "RELEASE SAVEPOINT s",
        "ROLLBACK TO SAVEPOINT s",
        "ROLLBACK",
        "COMMIT",
        "END",
        "BEGIN",
        "BEGIN DEFERRED",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "WITH RECURSIVE a(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM a) SELECT x FROM a",
        "WITH a AS (SELECT 'DELETE (' AS \"UPDATE\" /* INSERT */) SELECT 1",
        "WITH a AS (SELECT 1) -- DELETE\n SELECT 1",
        "VACUUM INTO '/tmp/copy'",
        "ATTACH 'x' AS y",
        "",
        " ; ",
    ],
)
def test_reading_ones_do_not(query):
    assert not writes(query)


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO t VALUES (1)",
        "insert or ignore into t values (1)",
        "REPLACE INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "\n\t UPDATE t SET a = 1 RETURNING a",
        "-- SELECT\nDELETE FROM t",
        "/* SELECT */DELETE FROM t",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "WITH a AS (SELECT 1) UPDATE t SET a = (SELECT 1)",
        "WITH a AS (SELECT ')'), b AS (SELECT 1) DELETE FROM t",
        "WITH a AS (SELECT [)] FROM `(`) REPLACE INTO t SELECT 1",
        "CREATE TABLE t (a)",
        "CREATE INDEX i ON t (a)",
        "DROP TABLE t",
        "ALTER TABLE t ADD b",
        "REINDEX",
        "ANALYZE",
        "VACUUM",
        "BEGIN IMMEDIATE",
        "begin exclusive transaction",
        "PRAGMA journal_mode = WAL",
        "PRAGMA main.user_version=3",
        "PRAGMA journal_mode(delete)",
        "PRAGMA optimize",
        "PRAGMA incremental_vacuum(10)",
        "SOMETHING new",
    ],
)
def test_writing_ones_do(query):
    assert writes(query)
