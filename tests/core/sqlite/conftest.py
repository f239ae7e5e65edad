"""A database of its own for each test, whatever the suite runs on."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

ALIAS = "own"
PRELUDE = """
import json, sys, threading, time
import django
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "taskhub.core.sqlite", "NAME": sys.argv[1]}}, USE_TZ=True)
django.setup()
from django.db import connection, transaction
cursor = connection.cursor()
def say(word):
    print(word, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "db.sqlite3"


@pytest.fixture
def open_database(django_db_blocker: Any) -> Iterator[Callable[..., BaseDatabaseWrapper]]:
    """Make `connections["own"]` the database of that name; one connection for each thread."""

    def open_named(name: str | Path, **options: Any) -> BaseDatabaseWrapper:
        connections.databases[ALIAS] = connections.configure_settings(
            {"default": {}, ALIAS: {"ENGINE": "taskhub.core.sqlite", "NAME": name, "OPTIONS": options}}
        )[ALIAS]
        return connections[ALIAS]

    with django_db_blocker.unblock():
        yield open_named
        if ALIAS in connections.databases:
            connections[ALIAS].close()
            del connections[ALIAS]
            del connections.databases[ALIAS]


@pytest.fixture
def own(open_database: Callable[..., BaseDatabaseWrapper], file: Path) -> BaseDatabaseWrapper:
    """A connection to a file with a table `t(id, x)`; it waits for the line for 10 s."""
    connection = open_database(file)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER UNIQUE)")
    return connection


@pytest.fixture
def impatient(
    own: BaseDatabaseWrapper, open_database: Callable[..., BaseDatabaseWrapper], file: Path
) -> BaseDatabaseWrapper:
    """The same, but it gives up after a moment."""
    own.close()
    del connections[ALIAS]
    return open_database(file, timeout=0.1)


@pytest.fixture
def process(file: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a process that runs this code with `connection`, `cursor`, `transaction` and `say`."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", PRELUDE + textwrap.dedent(code), str(file), *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()
