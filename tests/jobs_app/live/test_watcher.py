"""The one reader: it reads what is shown, only when it may have changed, and wakes only whom it concerns."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from jobs_app.live import reading
from jobs_app.live.entries import GONE, Entry
from jobs_app.live.topics import OVERVIEW, Key
from jobs_app.live.watcher import Watch, Watcher
from jobs_app.models import Execution, Job
from taskhub.core import ids
from tests.support import NOON, make_engine, make_execution, make_job, make_runspace, make_task

pytestmark = pytest.mark.django_db(transaction=True)


class Page(Watch):
    def __init__(self, *keys: Key) -> None:
        super().__init__(self.woken)
        self.keys = frozenset(keys)
        self.count = 0

    def woken(self) -> None:
        self.count += 1


class Hand(Watcher):
    """Turned by hand: no thread, no pause between two readings."""

    now = NOON

    def __init__(self, *pages: Page) -> None:
        super().__init__(clock=lambda: self.now)
        self._watches = set(pages)

    def round(self) -> None:
        self._next = 0.0
        self._reader._overview_from = 0.0
        super().round()


class Statements:
    """The statements of a block, the question for the data version left out."""

    def __enter__(self) -> list[str]:
        self.seen: list[str] = []
        self.stack = ExitStack()
        self.stack.enter_context(connection.execute_wrapper(self._note))
        return self.seen

    def _note(self, execute, sql, params, many, context):
        if "data_version" not in sql:
            self.seen.append(sql)
        return execute(sql, params, many, context)

    def __exit__(self, *error: object) -> None:
        self.stack.close()


def row(entry: Entry) -> dict[str, Any]:
    assert entry.row is not None
    return entry.row


def elsewhere(change) -> None:
    """Make a change as another process would: on another connection."""
    from threading import Thread

    def run() -> None:
        change()
        connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()


@pytest.fixture
def jobs(home):
    return [make_job(uuid=ids.uuid7()) for _ in range(20)]


@pytest.mark.one_database  # only SQLite tells that nothing was committed
def test_an_idle_page_costs_no_statement(jobs):
    make_engine()
    watcher = Hand(Page(*(Key("jobs", job.public_id) for job in jobs), Key(OVERVIEW, "")))
    watcher.round()
    version = watcher.version
    with Statements() as seen:
        for _ in range(5):
            watcher.round()
    assert seen == []
    assert watcher.version == version


def test_a_list_of_jobs_is_one_statement_however_long_it_is(jobs):
    watcher = Hand(Page(*(Key("jobs", job.public_id) for job in jobs)))
    watcher.round()
    elsewhere(lambda: Job.objects.filter(pk=jobs[0].pk).update(percent=5))
    with Statements() as seen:
        watcher.round()
    assert len(seen) == 1


def test_only_whom_it_concerns_is_woken(jobs):
    mine, other = Page(Key("jobs", jobs[0].public_id)), Page(Key("jobs", jobs[1].public_id))
    watcher = Hand(mine, other)
    watcher.round()
    assert (mine.count, other.count) == (1, 1)
    before = watcher.entries[Key("jobs", jobs[1].public_id)]
    elsewhere(lambda: Job.objects.filter(pk=jobs[0].pk).update(percent=5))
    watcher.round()
    assert (mine.count, other.count) == (2, 1)
    assert watcher.entries[Key("jobs", jobs[1].public_id)] is before


@pytest.mark.one_database  # only SQLite tells that nothing was committed
def test_a_new_page_is_read_without_reading_the_others_again(jobs):
    watcher = Hand(Page(Key("jobs", jobs[0].public_id)))
    watcher.round()
    watcher._watches.add(Page(Key("tasks", str(make_task().pk))))
    watcher._data_version = _data_version()
    with Statements() as seen:
        watcher.round()
    assert seen and not any('FROM "jobs_app_job" ' in sql and "public_id" in sql for sql in seen)


def _data_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])


def test_what_nobody_shows_is_forgotten(jobs):
    page = Page(Key("jobs", jobs[0].public_id), Key("job", jobs[1].public_id, True))
    watcher = Hand(page)
    watcher.round()
    page.keys = frozenset()
    watcher.round()
    watcher.round()
    assert not watcher.entries


def test_uuid_and_id_in_any_case_mean_the_same_job(home):
    job = make_job(uuid=ids.uuid7(), public_id="nightly")
    keys = [Key("jobs", text) for text in ("nightly", "NightLY", str(job.uuid), "no-such")]
    found = reading.Reader().read(keys, now=NOON)
    assert [(found[key].row or {}).get("id") for key in keys] == ["nightly"] * 3 + [None]
    assert found[keys[3]] is GONE


def test_the_age_of_a_runspace_alone_is_no_news(home):
    key = Key("runspaces", str(make_runspace().pk))
    reader = reading.Reader()
    first = reader.read([key], now=NOON)[key]
    assert reader.read([key], now=NOON + timedelta(seconds=5))[key] is first


def test_an_engine_that_stops_beating_is_seen_without_a_statement(home):
    make_engine(beat_at=NOON)
    watcher = Hand(Page(Key(OVERVIEW, "")))
    watcher.now = NOON + timedelta(seconds=10)
    watcher.round()
    assert row(watcher.entries[Key(OVERVIEW, "")])["engine"]["beats"] is True
    watcher.now = NOON + timedelta(seconds=16)
    watcher.round()
    assert row(watcher.entries[Key(OVERVIEW, "")])["engine"]["beats"] is False


def test_ends_are_counted_on_from_the_last_one(home):
    make_execution(finished_at=NOON - timedelta(hours=25))
    make_execution(finished_at=NOON - timedelta(hours=2), status="failed")
    reader, key = reading.Reader(), Key(OVERVIEW, "")
    assert row(reader.read([key], now=NOON)[key])["ended"] == {"ok": 0, "bad": 1, "stopped": 0}
    for status in ("success", "terminated", "stopped"):
        make_execution(finished_at=NOON, status=status)
    reader._overview_from = 0.0
    ended = row(reader.read([key], now=NOON + timedelta(seconds=1))[key])["ended"]
    assert ended == {"ok": 1, "bad": 2, "stopped": 1}
    Execution.objects.filter(status="stopped").delete()
    reader._overview_from = 0.0
    later = row(reader.read([key], now=NOON + timedelta(minutes=2))[key])
    assert later["ended"] == {"ok": 1, "bad": 2, "stopped": 0}
    assert [row["status"] for row in later["failures"]] == ["terminated", "failed"]
