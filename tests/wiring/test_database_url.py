"""The database's URL and what Django makes of it."""

from pathlib import Path

import pytest

from taskhub.database_url import database
from taskhub.environment import BadVariable

pytestmark = pytest.mark.one_database

HOME = Path("/data")


def read(url):
    return database(url, home=HOME, name="TASKHUB_DATABASE_URL")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("", "/data/db.sqlite3"),
        ("sqlite:////elsewhere/hub.db", "/elsewhere/hub.db"),
        ("sqlite:///sub/hub.db", "/data/sub/hub.db"),
        ("sqlite:////with%20space/hub.db", "/with space/hub.db"),
    ],
)
def test_sqlite_is_a_file_behind_the_writers_line(url, file):
    assert read(url) == {"ENGINE": "taskhub.core.sqlite", "NAME": file}


def test_postgresql_with_every_part():
    found = read("postgresql://anna:p%40ss@db.example.org:5433/hub?sslmode=require")
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.postgresql", "hub")
    assert (found["USER"], found["PASSWORD"]) == ("anna", "p@ss")
    assert (found["HOST"], found["PORT"]) == ("db.example.org", "5433")
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_postgresql_by_a_socket():
    found = read("postgres://postgres:@/hub?host=/run/postgresql")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("/run/postgresql", "", {})


@pytest.mark.parametrize(
    "url",
    [
        "hub.db",
        "mysql://a:s3cret@b/c",
        "postgresql://a:s3cret@b",
        "postgresql://a:s3cret@b:port/c",
        "sqlite://x/y",
        "sqlite:///",
    ],
)
def test_other_urls_are_refused_without_showing_them(url):
    with pytest.raises(BadVariable, match="TASKHUB_DATABASE_URL: expected sqlite") as refused:
        read(url)
    assert "s3cret" not in str(refused.value)
