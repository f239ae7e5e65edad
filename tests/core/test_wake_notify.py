"""Wakes on PostgreSQL: LISTEN and NOTIFY, on a server that goes away and comes back."""

import functools
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction

from taskhub.core import wake
from taskhub.core.wake import open_receiver, wake_engines
from taskhub.database_url import database
from tests import postgres
from tests.support import wait_until

pytestmark = pytest.mark.one_database

ALIAS = "notified"


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """One of its own, for it is stopped."""
    started = postgres.Server()
    yield started
    started.stop()


@pytest.fixture
def own(server: postgres.Server, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Django connection to that server, which the wakes take for the one in use."""
    settings = database(server.address, home=Path("/nowhere"), name="TEST")
    connections.databases[ALIAS] = connections.configure_settings({"default": {}, ALIAS: settings})[ALIAS]
    with django_db_blocker.unblock():
        monkeypatch.setattr(wake, "connection", connections[ALIAS])
        yield connections[ALIAS]
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.databases[ALIAS]


@pytest.fixture
def receiver(own: Any) -> Iterator[Any]:
    opened = open_receiver()
    # Each new connection wakes once: whoever waited meanwhile is found.
    wait_until(lambda: readable(opened))
    opened.drain()
    yield opened
    opened.close()


def readable(receiver: Any, seconds: float = 0) -> bool:
    return bool(select.select([receiver], [], [], seconds)[0])


def test_a_wake_is_heard_once(receiver):
    wake_engines()
    assert readable(receiver, 5)
    receiver.drain()
    assert not readable(receiver, 0.05)


def test_every_engine_hears_it(receiver):
    other = open_receiver()
    try:
        wait_until(lambda: readable(other))
        other.drain()
        wake_engines()
        assert readable(receiver, 5)
        assert readable(other, 5)
    finally:
        other.close()


def test_inside_a_transaction_it_waits_for_the_commit(receiver):
    with transaction.atomic(ALIAS):
        wake_engines()
        assert not readable(receiver, 0.1)
    assert readable(receiver, 5)


def test_a_transaction_that_is_rolled_back_wakes_nobody(receiver):
    with pytest.raises(ZeroDivisionError), transaction.atomic(ALIAS):
        wake_engines()
        _ = 1 / 0
    assert not readable(receiver, 0.1)


def test_a_lost_connection_comes_back_and_wakes_for_what_was_missed(receiver, own):
    descriptor = receiver.fileno()
    with own.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
        )
        assert cursor.fetchall() == [(True,)]
    assert readable(receiver, 10), "no wake after the connection came back"
    receiver.drain()
    assert receiver.fileno() == descriptor
    wake_engines()
    assert readable(receiver, 5)


def test_a_server_that_was_away_is_found_again(receiver, own, server):
    own.close()
    server.down()
    try:
        wake_engines()
        assert not readable(receiver, 0.1)
    finally:
        server.back()
    assert readable(receiver, 15), "no wake after the server came back"
    receiver.drain()
    own.close()
    wake_engines()
    assert readable(receiver, 5)


def test_a_server_that_is_not_there_is_no_error(own, server):
    own.close()
    own.settings_dict["HOST"], before = "/nowhere", own.settings_dict["HOST"]
    try:
        opened = open_receiver()
        wake_engines()
        assert not readable(opened, 0.1)
        opened.close()
    finally:
        own.settings_dict["HOST"] = before


def test_closing_ends_the_thread_and_the_descriptors(own):
    own.ensure_connection()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        opened = open_receiver()
        wait_until(functools.partial(readable, opened))
        opened.close()
        opened.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "wake"]
    assert len(os.listdir("/proc/self/fd")) == before
