"""Ids that sort by age."""

import os
import threading
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest

from taskhub.core import ids
from taskhub.core.ids import time_of, uuid7

pytestmark = pytest.mark.one_database

# Far ahead of the other tests of the process, so that none of theirs holds these back.
START = datetime(2091, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh():
    ids._forget()
    yield
    ids._forget()


def test_it_is_a_uuid_of_version_7():
    made = uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)


def test_it_tells_the_moment_to_the_millisecond():
    moment = START + timedelta(milliseconds=123)
    assert time_of(uuid7(moment)) == moment


def test_ids_of_one_moment_rise():
    made = [uuid7(START) for _ in range(5_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert [str(each) for each in made] == sorted(str(each) for each in made)


def test_a_clock_corrected_a_little_keeps_the_order():
    first = uuid7(START)
    assert uuid7(START - timedelta(seconds=5)) > first


def test_a_clock_set_far_back_is_followed():
    uuid7(START)
    early = START - timedelta(days=1)
    assert time_of(uuid7(early)) == early


def test_threads_never_get_the_same_one():
    made: list[UUID] = []
    threads = [
        threading.Thread(target=lambda: made.extend(uuid7(START) for _ in range(500))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 4_000


def test_a_forked_child_does_not_count_on_from_its_parent():
    uuid7(START)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, uuid7(START).bytes)
        os._exit(0)
    os.waitpid(child, 0)
    theirs = UUID(bytes=os.read(reader, 16))
    os.close(reader)
    os.close(writer)
    assert theirs != uuid7(START)
