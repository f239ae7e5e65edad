"""Databases of their own for installations: made on the run's PostgreSQL server, or none for SQLite."""

import os
import re
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from tests import postgres


def on_postgresql() -> bool:
    return os.environ.get("TASKHUB_TEST_DATABASE", "sqlite") == "postgresql"


def new_database(*, template: str = "") -> str:
    """URL of a new database, a copy of `template` if its URL is given; blank where tests use SQLite."""
    return make_database(postgres.address(), template=template) if on_postgresql() else ""


def make_database(server: str, *, template: str = "") -> str:
    """URL of a new database on the server with this address, whatever database the tests use."""
    name = f"taskhub_{uuid4().hex[:12]}"
    copied = (
        sql.SQL(" TEMPLATE {}").format(sql.Identifier(urlsplit(template).path[1:]))
        if template
        else sql.SQL("")
    )
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + copied)
    return re.sub(r"(postgresql://[^/]*/)[^?]*", rf"\g<1>{name}", server)


def drop_database(url: str) -> None:
    if url:
        name = sql.Identifier(urlsplit(url).path[1:])
        with psycopg.connect(postgres.address(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
