"""Calls that wait for a job, and streams that follow one: with a reader of their own, so with real commits."""

import asyncio
import json
import os
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient
from rest_framework.test import APIClient

from jobs_app.api import event_views, waiting, watching
from jobs_app.models import Job
from jobs_app.states import JobState
from runspaces_app.worker import output_folder
from taskhub.core import ids
from tests.support import NOON, make_job, make_pool, make_user, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def end(job: Any, state: JobState = JobState.COMPLETED, **more: Any) -> None:
    """What an engine would write."""
    values = {
        "state": state,
        "started_at": NOON,
        "finished_at": NOON + timedelta(seconds=3),
        "result": "42",
        "percent": 100,
    }
    Job.objects.filter(pk=job.pk).update(**values | more)


@contextmanager
def meanwhile(act: Callable[[], object]):
    """Do something beside the call under test."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as exc:
            failed.append(exc)
        finally:
            connection.close()

    thread = threading.Thread(target=run, name="meanwhile")
    thread.start()
    yield
    thread.join()
    assert not failed, failed


@pytest.fixture
def boss(home: Any) -> User:
    return make_user("boss", superuser=True)


@pytest.fixture
def client(boss: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(boss)
    return client


def no_reader_is_left() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "job-watch"]


class TestBlockingStart:
    def test_it_answers_with_the_job_as_it_ended(self, client):
        job = make_job(uuid=ids.uuid7())

        def engine() -> None:
            wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.QUEUED)
            end(job)

        with meanwhile(engine):
            response = client.post(f"/api/v1/jobs/{job.uuid}/start?wait=10")
        assert response.status_code == 202
        body = response.json()
        assert (body["started"], body["state"], body["duration"]) == (True, "completed", 3.0)
        assert body["progress"]["is_terminal"] is True
        wait_until(no_reader_is_left)

    def test_it_answers_when_the_time_is_over(self, client):
        job = make_job()
        response = client.post(f"/api/v1/jobs/{job.uuid}/start?wait=0.05")
        assert (response.status_code, response.json()["state"]) == (202, "queued")

    def test_a_second_one_does_not_wait_and_does_nothing(self, client):
        job = make_job(state=JobState.QUEUED)
        response = client.post(f"/api/v1/jobs/{job.uuid}/start?wait=60")
        assert (response.status_code, response.json()) == (200, {"started": False})

    def test_a_job_can_be_made_started_and_awaited_in_one_call(self, client):
        make_pool("default")

        def engine() -> None:
            end(wait_until(lambda: Job.objects.filter(state=JobState.QUEUED).first()))

        with meanwhile(engine):
            body = {"language": "shell", "code": "true", "start": True}
            response = client.post("/api/v1/jobs?wait=10", body, format="json")
        assert (response.status_code, response.json()["state"]) == (202, "completed")


def test_a_hundred_who_wait_share_one_reader_that_asks_a_few_times_a_second(boss, monkeypatch):
    jobs = [make_job(uuid=ids.uuid7()) for _ in range(100)]
    reads: list[int] = []
    read = watching.read

    def counted(wanted: Any, **more: Any) -> Any:
        reads.append(len(wanted))
        return read(wanted, **more)

    monkeypatch.setattr(watching, "read", counted)

    async def wait_all() -> list[bool]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        tasks = [asyncio.create_task(watching.until_ended([job.pk], 30)) for job in jobs]
        await asyncio.sleep(0)
        before = threading.active_count()
        for job in jobs:
            await sync_to_async(end)(job)
        done = await asyncio.gather(*tasks)
        most = (loop.time() - began) / watching.POLL_SECONDS + 2
        assert len(reads) <= most
        assert threading.active_count() <= before + 1
        return done

    assert all(async_to_sync(wait_all)())
    assert max(reads) > 50
    wait_until(no_reader_is_left)


def test_delete_with_stop_waits_for_the_end_and_removes(client):
    parent = make_job(state=JobState.RUNNING, uuid=ids.uuid7())
    child = make_job(state=JobState.RUNNING, parent=parent, uuid=ids.uuid7())

    def engine() -> None:
        for job in (child, parent):
            wait_until(Job.objects.filter(pk=job.pk, cancel_requested_at__isnull=False).exists)
            end(job, JobState.STOPPED, reason="user")

    with meanwhile(engine):
        assert client.delete(f"/api/v1/jobs/{parent.uuid}?stop=true").status_code == 204
    assert not Job.objects.exists()


def test_delete_with_stop_says_so_if_the_job_does_not_end(client, monkeypatch):
    monkeypatch.setattr(waiting, "STOP_SECONDS", 0.05)
    job = make_job(state=JobState.RUNNING)
    response = client.delete(f"/api/v1/jobs/{job.uuid}?stop=true")
    assert (response.status_code, response.json()["code"]) == (409, "job_still_open")
    assert Job.objects.get().cancel_requested_at is not None


class Stream:
    """The events of a job as a browser reads them."""

    def __init__(self, user: User) -> None:
        self.client = AsyncClient()
        self.client.force_login(user)
        self.events: list[tuple[str, str, Any]] = []

    async def open(self, job: Job, query: str = "", last: str = "") -> Any:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        response: Any = await self.client.get(f"/api/v1/jobs/{job.uuid}/events{query}", headers=headers)
        self.parts: Any = aiter(response.streaming_content) if response.streaming else None
        return response

    async def next(self) -> tuple[str, str, Any]:
        """The next event: name, id, data."""
        while True:
            part = (await asyncio.wait_for(anext(self.parts), 10)).decode()
            if not part.startswith(":"):
                lines = dict(line.split(": ", 1) for line in part.strip().split("\n"))
                self.events.append((lines["event"], lines["id"], json.loads(lines["data"])))
                return self.events[-1]

    async def rest(self) -> list[tuple[str, str, Any]]:
        with pytest.raises(StopAsyncIteration):
            while True:
                await self.next()
        return self.events

    def names(self) -> list[str]:
        return [name for name, _, _ in self.events]


class TestEvents:
    def test_they_tell_open_state_progress_and_the_end(self, boss):
        job = make_job(uuid=ids.uuid7(), public_id="mine")
        stream = Stream(boss)

        async def follow() -> None:
            response = await stream.open(job, "?result=true")
            assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
            assert (await stream.next())[2]["id"] == "mine"
            assert (await stream.next())[2] == {
                "state": "created",
                "reason": "",
                "attempt": 1,
                "stopping": False,
            }
            assert (await stream.next())[0] == "progress"
            await sync_to_async(Job.objects.filter(pk=job.pk).update)(
                percent=40, status_message="Half way", progress_at=NOON + timedelta(seconds=1)
            )
            name, _, data = await stream.next()
            assert (name, data["percent_complete"], data["status_message"]) == ("progress", 40, "Half way")
            await sync_to_async(end)(job, error_message="", output_bytes=5, output_lines=1)
            await stream.rest()

        async_to_sync(follow)()
        assert stream.names() == ["open", "state", "progress", "progress", "state", "output", "end"]
        assert stream.events[-2][2] == {"bytes": 5, "lines": 1, "dropped": 0}
        last = stream.events[-1][2]
        assert (last["state"], last["error"], last["result"]) == ("completed", None, 42)
        assert len({id for _, id, _ in stream.events}) == len(stream.events)
        wait_until(no_reader_is_left)

    def test_whoever_comes_late_gets_the_end_at_once(self, boss):
        job = make_job(state=JobState.FAILED, error_type="ValueError", error_message="no")
        stream = Stream(boss)

        async def follow() -> None:
            await stream.open(job)
            await stream.rest()

        async_to_sync(follow)()
        name, _, data = stream.events[-1]
        assert (name, data["state"], data["error"]["type"]) == ("end", "failed", "ValueError")
        assert "result" not in data

    def test_whoever_comes_back_is_told_what_differs_and_nothing_twice(self, boss):
        job = make_job(state=JobState.RUNNING, percent=10, uuid=ids.uuid7())
        first, second, third = Stream(boss), Stream(boss), Stream(boss)

        async def follow() -> None:
            await first.open(job)
            for _ in range(3):
                await first.next()
            assert first.names() == ["open", "state", "progress"]
            # Cut off between state and progress: only the progress is told again.
            await second.open(job, last=first.events[1][1])
            assert (await second.next())[0] == "progress"
            await sync_to_async(end)(job)
            await second.rest()
            assert second.names() == ["progress", "state", "end"]
            # The end was seen: a browser is told to stop asking.
            assert (await third.open(job, last=second.events[-1][1])).status_code == 204

        async_to_sync(follow)()

    @pytest.mark.parametrize(
        "last", ["x", "1-2-3", "1-running-x-y", "end-x", "9" * 100, "1-running-\u0661-0", "----"]
    )
    def test_an_id_that_is_none_of_ours_begins_anew(self, boss, last):
        job = make_job(state=JobState.COMPLETED)
        stream = Stream(boss)

        async def follow() -> None:
            await stream.open(job, last=last.encode("utf-8", "replace").decode("latin-1"))
            await stream.rest()

        async_to_sync(follow)()
        assert (stream.names()[0], stream.names()[-1]) == ("open", "end")

    def test_a_removed_job_ends_the_stream(self, boss):
        job = make_job(state=JobState.RUNNING, uuid=ids.uuid7())
        stream = Stream(boss)

        async def follow() -> None:
            await stream.open(job)
            await stream.next()
            await sync_to_async(lambda: (job.spec.delete(), Job.objects.all().delete()))()
            await stream.rest()

        async_to_sync(follow)()
        assert stream.names()[-1] == "gone"

    def test_who_loses_the_right_to_read_is_cut_off(self, home, monkeypatch):
        monkeypatch.setattr(event_views, "CHECK_RIGHTS_SECONDS", 0.05)
        viewer, job = make_user(role="viewer"), make_job(state=JobState.RUNNING, uuid=ids.uuid7())
        stream = Stream(viewer)

        async def follow() -> None:
            await stream.open(job)
            await stream.next()
            await sync_to_async(viewer.groups.clear)()
            await stream.rest()

        async_to_sync(follow)()
        assert stream.names()[-1] == "refused"
        assert stream.events[-1][2]["code"] == "job_not_found"

    def test_who_signs_out_is_cut_off(self, boss, monkeypatch):
        monkeypatch.setattr(event_views, "CHECK_RIGHTS_SECONDS", 0.05)
        job = make_job(state=JobState.RUNNING, uuid=ids.uuid7())
        stream = Stream(boss)

        async def follow() -> None:
            await stream.open(job)
            await stream.next()
            await stream.client.alogout()
            await stream.rest()

        async_to_sync(follow)()
        assert stream.events[-1][2]["code"] == "not_signed_in"

    def test_a_silent_stream_says_that_it_lives(self, boss, monkeypatch):
        monkeypatch.setattr(event_views, "KEEP_ALIVE_SECONDS", 0.05)
        job = make_job(state=JobState.RUNNING, uuid=ids.uuid7())
        stream = Stream(boss)

        async def follow() -> None:
            await stream.open(job)
            parts = [await asyncio.wait_for(anext(stream.parts), 10) for _ in range(5)]
            assert parts[-1].startswith(b":")
            await stream.parts.aclose()

        async_to_sync(follow)()
        wait_until(no_reader_is_left)

    def test_someone_elses_job_has_no_stream(self, home):
        stream = Stream(make_user())
        assert async_to_sync(stream.open)(make_job(owner=make_user())).status_code == 404

    def test_nobody_waits_beyond_what_a_process_can_hold(self, boss, monkeypatch):
        monkeypatch.setattr(watching, "MOST_WATCHERS", 0)
        job = make_job()
        client = APIClient()
        client.force_authenticate(boss)
        response = client.post(f"/api/v1/jobs/{job.uuid}/start?wait=5")
        assert response.status_code == 503
        assert response["Retry-After"]


def write_output(home: Any, job: Job, data: bytes) -> None:
    """Files as the writer leaves them: one segment of stdout."""
    folder = output_folder.folder(home / "output", job.uuid, 1)
    os.makedirs(folder)
    name = os.path.join(folder, f"{0:020d}")
    with open(name + output_folder.DATA, "wb") as file:
        file.write(data)
    lines = data.count(b"\n")
    with open(name + output_folder.INDEX, "wb") as file:
        file.write(output_folder.ENTRY.pack(0, 1, 0, output_folder.STDOUT, True))
        file.write(output_folder.ENTRY.pack(len(data), lines, 0, output_folder.END, False))


def test_output_downloads_as_it_was_written(boss, home):
    job = make_job(state=JobState.COMPLETED, uuid=ids.uuid7(), public_id="mine")
    data = b"".join(b"%06d \xff\x1b[1m<b>\n" % n for n in range(60_000))
    write_output(home, job, data)
    client = AsyncClient()
    client.force_login(boss)

    async def download() -> tuple[Any, bytes]:
        response: Any = await client.get("/api/v1/jobs/mine/output/download")
        return response, b"".join([part async for part in response.streaming_content])

    response, received = async_to_sync(download)()
    assert received == data
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="mine.log"'
    assert response["X-Content-Type-Options"] == "nosniff"


def test_output_is_read_by_bytes_by_lines_and_by_search(client, home):
    job = make_job(state=JobState.COMPLETED, uuid=ids.uuid7())
    write_output(home, job, b"one\ntwo\nthree \xff\n")
    path = f"/api/v1/jobs/{job.uuid}/output"
    answer = client.get(f"{path}?offset=4&limit=4").json()
    assert (answer["data"], answer["next_offset"], answer["bytes"], answer["complete"]) == (
        "two\n",
        8,
        16,
        True,
    )
    lines = client.get(f"{path}?line=2&lines=5").json()
    assert [(line["number"], line["text"]) for line in lines["lines"]] == [(2, "two"), (3, "three \ufffd")]
    assert (lines["next_line"], lines["total_lines"]) == (4, 3)
    found = client.get(f"{path}/search?q=T").json()
    assert [line["number"] for line in found["lines"]] == [2, 3]
    assert client.get(f"{path}?stream=stderr").json()["data"] == ""
