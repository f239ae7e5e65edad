"""The socket of a page: what it is told, what it is not, and when it ends."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from jobs_app.live import consumer
from jobs_app.models import Job
from taskhub.core import ids
from tests.jobs_app.live.sockets import Page, in_loop, signed_in
from tests.support import make_engine, make_job, make_runspace, make_task, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def db(call, *args, **kwargs):
    return sync_to_async(call, thread_sensitive=False)(*args, **kwargs)


def update(job, **fields):
    from django.db import connection

    Job.objects.filter(pk=job.pk).update(**fields)
    connection.close()


@pytest.fixture
def viewer():
    return make_user(role="viewer")


def test_a_page_gets_a_snapshot_and_then_only_what_differs(viewer, home):
    first, second = make_job(uuid=ids.uuid7()), make_job(uuid=ids.uuid7())
    client = signed_in(viewer)

    async def story():
        async with Page(client) as page:
            frame = await page.ask(jobs=[first.public_id, second.public_id])
            assert set(frame["jobs"]) == {first.public_id, second.public_id}
            await db(update, first, percent=40.0)
            frame = await page.frame()
            assert frame["snapshot"] is False
            assert list(frame["jobs"]) == [first.public_id]
            assert frame["jobs"][first.public_id]["progress"]["percent_complete"] == 40

    in_loop(story)


def test_rows_are_those_of_the_api(viewer, home):
    author = make_user(role="author")
    make_engine()
    job = make_job(uuid=ids.uuid7(), owner=author, code="print(1)")
    runspace, task = make_runspace(), make_task(schedule="@daily")
    for user in (viewer, author):
        client = signed_in(user)
        api = {
            "jobs": client.get("/api/v1/jobs").json()["results"][0],
            "job": client.get(f"/api/v1/jobs/{job.public_id}").json(),
            "runspaces": client.get("/api/v1/runspaces").json()["results"][0],
            "tasks": client.get("/api/v1/tasks").json()["results"][0],
        }
        polled = client.get(
            f"/api/v1/live?topics=job:{job.public_id},jobs:{job.public_id},tasks:{task.pk}"
            f",runspaces:{runspace.pk},output:{job.public_id},overview"
        ).json()

        async def story(client=client):
            async with Page(client) as page:
                return await page.ask(
                    jobs=[job.public_id],
                    job=job.public_id,
                    output=job.public_id,
                    runspaces=[runspace.pk],
                    tasks=[task.pk],
                    overview=True,
                )

        frame = in_loop(story)
        for topic, row in api.items():
            for told in (frame, polled):
                (shown,) = told[topic].values()
                if topic == "runspaces":
                    shown, row = shown | {"age": 0}, row | {"age": 0}
                assert shown == row, topic
        assert frame["overview"] == polled["overview"]
        assert frame["overview"]["open"] == {"created": 1, "queued": 0, "running": 0}
        assert frame["output"][job.public_id] == {
            "attempt": 1, "bytes": 0, "lines": 0, "dropped": 0, "complete": False,
        }  # fmt: skip


def test_a_viewer_is_told_no_code(viewer, home):
    job = make_job(uuid=ids.uuid7(), code="secret()")
    client = signed_in(viewer)

    async def story():
        async with Page(client) as page:
            return await page.ask(job=job.public_id)

    row = in_loop(story)["job"][job.public_id]
    assert not {"code", "path", "parameters", "environment"} & set(row)


def test_without_a_role_only_own_jobs_are_there(home):
    user = make_user()
    own, other = make_job(uuid=ids.uuid7(), owner=user), make_job(uuid=ids.uuid7())
    client = signed_in(user)

    async def story():
        async with Page(client) as page:
            return await page.ask(
                jobs=[own.public_id, other.public_id], output=other.public_id, overview=True, tasks=[1]
            )

    frame = in_loop(story)
    assert list(frame["jobs"]) == [own.public_id]
    assert frame["gone"] == {"jobs": [other.public_id], "output": [other.public_id]}
    assert set(frame["refused"]) == {"overview", "tasks"}
    assert "overview" not in frame


def test_a_removed_row_is_gone(viewer, home):
    job = make_job(uuid=ids.uuid7())
    client = signed_in(viewer)

    def remove():
        from django.db import connection

        Job.objects.filter(pk=job.pk).delete()
        connection.close()

    async def story():
        async with Page(client) as page:
            await page.ask(jobs=[job.public_id])
            await db(remove)
            return await page.frame()

    assert in_loop(story)["gone"] == {"jobs": [job.public_id]}


@pytest.mark.parametrize(
    "origin", [None, b"null", b"http://evil.example", b"http://localhost:9", b"http://localhost.evil.example"]
)
def test_a_foreign_origin_is_refused(viewer, origin):
    client = signed_in(viewer)

    async def story():
        page = Page(client, origin=origin)
        return await page.connect(timeout=5)

    assert in_loop(story) == (False, 4403)


def test_the_anonymous_are_told_to_sign_in():
    async def story():
        async with Page(Client()) as page:
            return await page.closed()

    assert in_loop(story) == 4401


@pytest.mark.parametrize("how", ["sign out", "password", "inactive"])
def test_a_socket_ends_with_its_session(viewer, home, monkeypatch, how):
    monkeypatch.setattr(consumer.LiveConsumer, "check_seconds", 0.05)
    client = signed_in(viewer)

    def end():
        from django.db import connection

        if how == "sign out":
            client.logout()
        elif how == "password":
            viewer.set_password("quite another one")
            viewer.save()
        else:
            viewer.is_active = False
            viewer.save()
        connection.close()

    async def story():
        async with Page(client) as page:
            await page.ask(jobs=[])
            await db(end)
            return await page.closed()

    assert in_loop(story) == 4401


def test_a_lost_role_ends_what_it_opened(viewer, home, monkeypatch):
    monkeypatch.setattr(consumer.LiveConsumer, "check_seconds", 0.05)
    job, task = make_job(uuid=ids.uuid7()), make_task()
    client = signed_in(viewer)

    def lose():
        from django.db import connection

        viewer.groups.clear()
        connection.close()

    async def story():
        async with Page(client) as page:
            assert set(await page.ask(jobs=[job.public_id], tasks=[task.pk])) >= {"jobs", "tasks"}
            await db(lose)
            return await page.frame()

    frame = in_loop(story)
    assert set(frame["refused"]) == {"tasks"}
    assert frame["gone"] == {"jobs": [job.public_id]}
    assert not {"jobs", "tasks"} & set(frame)


def test_rights_are_asked_again_within_a_minute():
    assert consumer.LiveConsumer.check_seconds <= 60


def test_a_page_that_asks_for_too_much_is_told_so_and_keeps_what_it_had(viewer, home):
    job = make_job(uuid=ids.uuid7())
    client = signed_in(viewer)

    async def story():
        async with Page(client) as page:
            await page.ask(jobs=[job.public_id])
            await page.send_json_to({"subscribe": {"jobs": [str(number) for number in range(201)]}})
            refusal = await page.frame()
            assert refusal["code"] == "bad_input" and "at most 200 ids" in refusal["error"]
            await page.send_to(text_data="[")
            assert (await page.frame())["code"] == "bad_input"
            await db(update, job, percent=10.0)
            assert (await page.frame())["jobs"]

    in_loop(story)


def test_too_many_frames_and_too_large_ones_end_the_socket(viewer, home):
    client = signed_in(viewer)

    async def many():
        async with Page(client) as page:
            for number in range(consumer.BURST + 5):
                await page.send_json_to({"ping": number})
            return await page.closed()

    async def large():
        async with Page(client) as page:
            await page.send_to(text_data=" " * (64 * 1024 + 1))
            return await page.closed()

    assert in_loop(many) == 4429
    assert in_loop(large) == 1009


def test_a_ping_is_answered_with_the_time(viewer):
    client = signed_in(viewer)

    async def story():
        async with Page(client) as page:
            await page.send_json_to({"ping": 7})
            return await page.frame()

    answer = in_loop(story)
    assert answer["pong"] == 7 and answer["now"].endswith("Z")


def test_many_changes_are_one_frame_for_a_slow_reader(viewer, home, monkeypatch):
    """While a frame is on its way nothing is queued; what comes then is how things are."""
    job = make_job(uuid=ids.uuid7())
    client = signed_in(viewer)
    monkeypatch.setattr(consumer, "SLOW_SECONDS", 0.2)
    gate = asyncio.Event()
    send = consumer.LiveConsumer.send

    async def slowly(self, text_data=None, bytes_data=None, close=False):
        await send(self, text_data=text_data)
        if '"percent_complete":1.0' in text_data:
            await gate.wait()

    monkeypatch.setattr(consumer.LiveConsumer, "send", slowly)

    async def story():
        async with Page(client) as page:
            await page.ask(jobs=[job.public_id])
            await db(update, job, percent=1.0)
            await page.frame()
            for percent in range(2, 50):
                await db(update, job, percent=float(percent))
            await asyncio.sleep(0.3)
            assert await page.receive_nothing()
            gate.set()
            frame = await page.frame()
            assert frame["snapshot"] is True
            assert frame["jobs"][job.public_id]["progress"]["percent_complete"] == 49
            assert await page.receive_nothing()

    in_loop(story)
