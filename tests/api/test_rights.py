"""Who may do what: every address with every kind of caller."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from jobs_app.states import JobState
from tests.api import documents
from tests.api.walk import CALLERS, TABLE, UNDOCUMENTED, Row, World, addresses, caller
from tests.support import make_job, make_task, make_user

pytestmark = pytest.mark.django_db

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@pytest.fixture
def world(home) -> World:
    return World(home)


def call(client: APIClient, row: Row, path: str) -> Any:
    body = None if row.body is None else row.body(path)
    return getattr(client, row.method.lower())(path, body, format="json")


def test_the_table_names_every_address_and_method():
    named: dict[str, set[str]] = {}
    for row in TABLE:
        named.setdefault(row.route, set()).add(row.method)
    there = {
        # The refusals have no method of their own.
        name: methods or {"GET"}
        for name, methods in addresses().items()
    }
    assert named == there


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.path}")
def test_each_caller_gets_what_the_table_says(row, world):
    got = {}
    for name, expected in zip(CALLERS, row.expected, strict=True):
        path = world.path(row.path)
        client = APIClient()
        if (user := caller(name)) is not None:
            client.force_authenticate(user)
        with CaptureQueriesContext(connection) as queries:
            response = call(client, row, path)
        got[name] = response.status_code
        if row.route not in UNDOCUMENTED:
            documents.check(row.method, path, response)
        if row.method == "GET" or response.status_code >= 400:
            assert not [q for q in queries if q["sql"].lstrip().startswith(WRITES)], (
                f"{name} wrote by {row.path}"
            )
        if expected >= 400:
            assert response.json()["success"] is False
    assert got == dict(zip(CALLERS, row.expected, strict=True))


BOTH_SPELLINGS = [row for row in TABLE if row.route not in UNDOCUMENTED]


@pytest.mark.parametrize("row", BOTH_SPELLINGS, ids=lambda row: f"{row.method} {row.path}")
def test_an_address_answers_with_a_slash_at_its_end_too(row, world):
    path, question, query = world.path(row.path).partition("?")
    client = APIClient()
    client.force_authenticate(caller("system_admin"))
    assert call(client, row, f"{path}/{question}{query}").status_code == row.expected[-1]


def test_an_unknown_method_is_refused_with_what_there_is(api_admin):
    response = api_admin.put("/api/v1/jobs", {}, format="json")
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
    assert {word.strip() for word in response["Allow"].split(",")} >= {"GET", "POST"}


def test_every_address_tells_its_methods_and_does_nothing_by_it(world):
    client = APIClient()
    client.force_authenticate(caller("system_admin"))
    there = addresses()
    for route, path in {row.route: row.path for row in TABLE if row.route not in UNDOCUMENTED}.items():
        address = world.path(path).partition("?")[0]
        with CaptureQueriesContext(connection) as queries:
            response = client.options(address)
        assert response.status_code == 200, (route, response.content[:300])
        assert {word.strip() for word in response["Allow"].split(",")} >= there[route], route
        assert not [q for q in queries if q["sql"].lstrip().startswith(WRITES)], route


def test_a_viewer_sees_no_code_no_parameters_and_no_environment(api_as):
    job = make_job(state=JobState.COMPLETED, code="secret()", parameters='{"p": 1}', environment='{"E": "1"}')
    task = make_task(code="secret()", parameters={"p": 1}, environment={"E": "1"}, path="")
    for role, sees in (("viewer", False), ("operator", False), ("author", True), ("system_admin", True)):
        for path in (f"jobs/{job.uuid}", f"tasks/{task.pk}"):
            shape = api_as(role).get(f"/api/v1/{path}").json()
            present = {"code", "path", "parameters", "environment"} & set(shape)
            assert bool(present) is sees, (role, path)
            assert ("secret()" in str(shape)) is sees
        assert "secret()" not in str(api_as(role).get("/api/v1/jobs").json())


def test_without_a_role_a_user_sees_his_own_jobs_and_their_history_only(api_as):
    me, other = make_user(), make_user()
    mine, theirs = make_job(owner=me), make_job(owner=other)
    client = api_as(user=me)
    assert [job["uuid"] for job in client.get("/api/v1/jobs").json()["results"]] == [str(mine.uuid)]
    assert client.get(f"/api/v1/jobs/{mine.uuid}").status_code == 200
    assert client.get(f"/api/v1/jobs/{theirs.uuid}").status_code == 404
    assert client.post(f"/api/v1/jobs/{mine.uuid}/start").status_code == 403
    assert client.post(f"/api/v1/jobs/{theirs.uuid}/start").status_code == 404


def test_someone_elses_job_is_not_told_from_one_that_is_not_there(api_as):
    job = make_job(owner=make_user())
    client = api_as()
    known = client.get(f"/api/v1/jobs/{job.uuid}").json()
    unknown = client.get(f"/api/v1/jobs/{str(job.uuid)[:-1]}0").json()
    assert known["code"] == unknown["code"] == "job_not_found"
    assert (
        client.post(
            "/api/v1/jobs", {"language": "shell", "code": "true", "parent": str(job.uuid)}, format="json"
        ).status_code
        == 403
    )


def test_nobody_is_signed_in_by_chance(api):
    response = api.get("/api/v1/jobs", headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
