"""Whatever comes in, the answer is a 4xx with the error body, nothing is stored, and lists still answer."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from jobs_app.models import Job, JobSpec
from jobs_app.states import JobState
from tests.support import make_job, make_pool, make_runspace, make_task, make_user

pytestmark = pytest.mark.django_db

LISTS = (
    "jobs", "executions", "tasks", "runspaces", "pools", "engines", "audit", "settings", "tokens", "languages",
    "apps",
)  # fmt: skip


@pytest.fixture
def client(home: Path, api_admin: APIClient) -> APIClient:
    make_pool("default")
    return api_admin


def refused(response: Any, status: int, *, field: str = "", code: str = "") -> None:
    """Assert the one error body."""
    body = response.json()
    assert response.status_code == status, body
    assert set(body) == {"success", "error", "code", "fields", "timestamp"}
    assert body["success"] is False
    assert body["error"] and body["timestamp"].endswith("Z")
    if field:
        assert field in body["fields"], body
    if code:
        assert body["code"] == code, body


def raw(client: APIClient, body: Any, kind: str = "application/json", path: str = "/api/v1/jobs") -> Any:
    return client.generic("POST", path, body, content_type=kind)


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


NEW = {"language": "shell", "code": "true"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"NaN", 400),
        (b'{"language": "shell", "code": "\xff\xfe"}', 400),
        (b'{"language": "shell", "code": "true", "code": "false"}', 400),
        (b'{"language": "shell", "code": "\\ud800"}', 400),
        (b'{"language": "shell", "code": "a\\u0000b"}', 400),
        (b'{"language": "shell", "code": "true", "parameters": {"a": "\\udfff"}}', 400),
        (b'{"language": "shell", "code": "true", "parameters": {"a\\u0000": 1}}', 400),
        (b'{"language": "shell", "code": "true", "parameters": {"n": 9223372036854775808}}', 400),
        (b'{"language": "shell", "code": "true", "parameters": {"n": ' + b"9" * 5000 + b"}}", 400),
        (b'{"language": "shell", "code": "true", "parameters": {"n": 1e999}}', 400),
        (b'{"language": "shell", "code": "true", "parameters": {"n": NaN}}', 400),
        (f'{{"language": "shell", "code": "true", "parameters": {{"d": {deep(65)}}}}}'.encode(), 400),
        (deep(100_000).encode(), 400),
        (json.dumps({**NEW, "code": "x" * 5_000_000}).encode(), 413),
        (json.dumps({**NEW, "code": "#" * (1024 * 1024 + 1)}).encode(), 400),
        (json.dumps({**NEW, "code": "#" + "ä" * 600_000}).encode(), 413),
        (json.dumps({**NEW, "parameters": {"a": "x" * 300_000}}).encode(), (400, 413)),
        (json.dumps({**NEW, "environment": {"A": "x" * 300_000}}).encode(), (400, 413)),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_body_out_of_bounds_is_refused_and_nothing_is_stored(client, body, status):
    response = raw(client, body)
    statuses = status if isinstance(status, tuple) else (status,)
    assert response.status_code in statuses, response.content[:300]
    refused(response, response.status_code)
    assert not Job.objects.exists()
    assert not JobSpec.objects.exists()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("language", [None, 1, True, [], {}, "", "klingon", "python" * 10, "PYTHON\n"]),
        ("code", [None, 1, False, [], {}]),
        ("name", [None, 1, [], {}, "n" * 201]),
        ("description", [None, 1, [], "d" * 10_001]),
        ("id", [1, [], {}, "", " ", "a" * 65, "a b", "a/b", "ä", "a\n"]),
        ("parameters", [None, 1, "{}", [], True]),
        ("environment", [None, 1, "x", [], {"A": 1}, {"A": None}, {"": "x"}, {"A=B": "x"}, {"1A": "x"}]),
        ("pool", [None, 1, "", "nowhere", "p" * 100]),
        ("priority", [None, "1", 1.5, True, 101, -101, 2**63, 10**30]),
        ("timeout", ["1", 1.5, True, 0, -2, 2**31, 2**63, 10**40]),
        ("parent", [1, "", "nobody", "p" * 65, "../..", {}]),
        ("start", [None, "true", 1, 0, []]),
        ("cancellable", [None, "no", 1]),
        ("max_attempts", [None, 0, -1, "3", 101, 1.0, True]),
        ("idempotent", [None, "yes", 0]),
        ("app", [None, 1, "Nowhere", "../..", "a" * 65]),
        ("path", [None, 1, "../../etc/passwd", "/etc/passwd", "p" * 600]),
        ("colour", ["red", None]),
        ("uuid", ["01a1fc9f-8ed0-738c-8168-fea6ea916790"]),
        ("state", ["running"]),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_refused_by_name(client, field, values):
    for value in values:
        response = client.post("/api/v1/jobs", {**NEW, field: value}, format="json")
        assert response.status_code == 400, (field, value, response.content[:200])
        body = response.json()
        assert body["fields"], (field, value, body)
        named = {name.partition(".")[0] for name in body["fields"]}
        # Both code and path, or an app nobody knows: said of the one or the other.
        assert named & {field, "code", "path", "app"}, (field, value, body)
    assert not Job.objects.exists()


def test_neither_code_nor_path_and_both_are_refused(client):
    refused(client.post("/api/v1/jobs", {"language": "shell"}, format="json"), 400, field="code")
    refused(
        client.post("/api/v1/jobs", {"language": "shell", "code": "  "}, format="json"), 400, field="code"
    )
    both = {**NEW, "path": "x.sh", "app": ""}
    refused(client.post("/api/v1/jobs", both, format="json"), 400, field="code")


@pytest.mark.parametrize(
    "code",
    ["def f(:", "x = (", "'", "\tif 1:\n x", "return 1\x0c(", "(" * 500 + ")" * 500, "x" + "+1" * 100_000],
    ids=lambda code: code[:12],
)
def test_python_that_does_not_compile_is_refused(client, code):
    response = client.post("/api/v1/jobs", {"language": "python", "code": code}, format="json")
    refused(response, 400, field="code", code="code_does_not_compile")
    assert not Job.objects.exists()


def test_a_repeated_id_is_a_conflict_whatever_its_case(client):
    assert client.post("/api/v1/jobs", {**NEW, "id": "Mine"}, format="json").status_code == 201
    response = client.post("/api/v1/jobs", {**NEW, "id": "mINE"}, format="json")
    refused(response, 409, field="id", code="duplicate_job")
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", "nonsense"],
)
def test_a_body_that_is_no_json_is_refused(client, kind):
    refused(raw(client, b"language=shell&code=true", kind), 415, code="unsupported_media_type")


def test_an_answer_in_another_form_is_refused(client):
    refused(client.get("/api/v1/jobs", headers={"Accept": "application/xml"}), 406)
    refused(client.get("/api/v1/jobs?format=xml"), 406)
    refused(client.get("/api/schema/?format=xml"), 406)


WEIRD_IDS = [
    "..", ".", "%2e", "%2e%2e", "%252e", "a" * 64, "a" * 65, "a" * 5000, "%00", "a%00b", "%ff%fe", "%ed%a0%80", "-1", "0",
    "1", "1.0", "1e3", "9" * 19, "9" * 40, "\u0661", "null", "NaN", "%20", "a%20b", "%0a", "<script>", "'; --", "%25",
    "{id}",
    "00000000-0000-0000-0000-000000000000", "urn:uuid:00000000-0000-0000-0000-000000000000",
]  # fmt: skip


@pytest.mark.parametrize("id", WEIRD_IDS, ids=lambda id: id[:20])
def test_an_id_that_nothing_has_is_404_everywhere(client, id):
    make_job(state=JobState.COMPLETED)
    spelled = quote(id, safe="%'{}<>;:.")
    for path in (
        "jobs/{}", "jobs/{}/result", "jobs/{}/output", "jobs/{}/output/search?q=a", "jobs/{}/output/download",
        "jobs/{}/events", "executions/{}", "engines/{}", "tasks/{}", "tasks/{}/history", "tasks/{}/occurrences",
        "tasks/{}/next-runs", "tasks/{}/export", "runspaces/{}", "runspaces/{}/samples", "pools/{}", "languages/{}",
        "apps/{}", "audit/{}", "settings/{}", "tokens/{}",
    ):  # fmt: skip
        refused(client.get("/api/v1/" + path.format(spelled)), 404)
    for path in ("jobs/{}/start", "jobs/{}/cancel", "jobs/{}/stop", "jobs/{}/remove", "jobs/{}/restart",
                 "tasks/{}/run", "tasks/{}/enable", "tasks/{}/disable", "tasks/{}/restore", "tasks/{}/reset",
                 "tasks/{}/duplicate", "tasks/{}/test", "settings/{}/reset"):  # fmt: skip
        refused(client.post("/api/v1/" + path.format(spelled), {}, format="json"), 404)
    for path in ("jobs/{}", "tokens/{}"):
        refused(client.delete("/api/v1/" + path.format(spelled)), 404)
    refused(client.patch("/api/v1/jobs/" + spelled, {"name": "x"}, format="json"), 404)


BAD_QUERIES = [
    "limit=-1", "limit=0", "limit=501", "limit=x", "limit=1.5", "limit=%00", "limit=" + "9" * 50, "limit=1&limit=2",
    "offset=-1", "offset=x", "offset=" + "9" * 30, "offset=9999999999", "offset=%D9%A1", "colour=red", "%00=1",
    "Limit=5", "limit[]=5", "ordering=-id", "__class__=1",
]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_query_that_makes_no_sense_is_refused(client, name):
    for query in BAD_QUERIES:
        refused(client.get(f"/api/v1/{name}?{query}"), 400)
    assert client.get(f"/api/v1/{name}?limit=5&offset=1000000000").json()["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        "jobs?state=flying", "jobs?state=running,flying", "jobs?state=%00", "jobs?owner=%00", "jobs?search=%00",
        "jobs?created_after=yesterday", "jobs?created_after=2026-13-01", "jobs?created_before=0000-00-00T00:00:00Z",
        "jobs?state=running&state=queued", "jobs?reason=luck", "jobs?search=" + "x" * 201, "jobs?app=" + "x" * 65,
        "executions?status=fine", "executions?finished_after=x", "executions?job=%00", "tasks?enabled=maybe",
        "tasks?status=fine", "runspaces?state=ajar", "runspaces?min_age=-1", "runspaces?min_age=x",
        "runspaces?min_age=" + "9" * 30, "runspaces?engine=one", "engines?state=sleepy", "audit?result=maybe",
        "audit?after=soon", "audit?actor=%00", "apps?enabled=1",
    ],
)  # fmt: skip
def test_a_filter_that_does_not_fit_is_refused_by_name(client, query):
    response = client.get(f"/api/v1/{query}")
    refused(response, 400, field=query.partition("?")[2].partition("=")[0])


@pytest.mark.parametrize(
    "query",
    [
        "jobs?search=%25", "jobs?search=_", "jobs?search=%ff", "jobs?search=%ed%a0%80", "jobs?search='%22%5C",
        "jobs?owner=%F0%9F%98%80", "jobs?task=99999999999999999999999", "jobs?task=-1", "jobs?task=a/b/c",
        "jobs?parent=..", "executions?job=../..", "executions?task=0", "jobs?created_after=0001-01-01T00:00:00Z",
        "jobs?created_before=9999-12-31T23:59:59Z", "tasks?tag=%22", "tasks?search=%25",
        "runspaces?engine=9223372036854775807",
    ],
)  # fmt: skip
def test_a_strange_filter_finds_nothing_or_all_but_answers(client, query):
    make_job()
    make_task(tags=["a"])
    assert client.get(f"/api/v1/{query}").status_code == 200


def test_wildcards_in_a_search_are_plain_characters(client):
    make_job(name="100% done")
    make_job(name="other")
    assert client.get("/api/v1/jobs?search=0%25 d").json()["count"] == 1
    assert client.get("/api/v1/jobs?search=_").json()["count"] == 0


@pytest.mark.parametrize(
    "query",
    ["offset=-1", "offset=x", "limit=-1", "line=0", "line=-1", "line=x", "lines=-1", "offset=1&line=1", "stream=all",
     "offset=" + "9" * 30, "attempt=-1", "attempt=x", "colour=red"],
)  # fmt: skip
def test_a_range_of_output_that_makes_no_sense_is_refused(client, query):
    job = make_job(state=JobState.COMPLETED)
    refused(client.get(f"/api/v1/jobs/{job.uuid}/output?{query}"), 400)


def test_output_far_behind_its_end_is_empty(client):
    job = make_job(state=JobState.COMPLETED)
    for query in ("offset=9223372036854775807", "line=9223372036854775807", "attempt=9223372036854775807"):
        response = client.get(f"/api/v1/jobs/{job.uuid}/output?{query}")
        assert response.status_code == 200, response.content
    refused(client.get(f"/api/v1/jobs/{job.uuid}/output/search"), 400, field="q")
    refused(client.get(f"/api/v1/jobs/{job.uuid}/output/search?q=a%0ab"), 400, field="q")


@pytest.mark.parametrize("wait", ["-1", "x", "nan", "inf", "1e9", "%00", "3601"])
def test_a_wait_that_makes_no_sense_is_refused_and_nothing_starts(client, wait):
    job = make_job()
    refused(client.post(f"/api/v1/jobs/{job.uuid}/start?wait={wait}", {}, format="json"), 400, field="wait")
    job.refresh_from_db()
    assert job.state == JobState.CREATED


def test_actions_refuse_fields_they_do_not_know(client):
    job, task, runspace = make_job(), make_task(), make_runspace()
    for path in (
        f"jobs/{job.uuid}/start", f"jobs/{job.uuid}/cancel", f"jobs/{job.uuid}/remove", f"tasks/{task.pk}/run",
        f"tasks/{task.pk}/enable", f"runspaces/{runspace.pk}/close", "settings/default_timeout/reset", "tokens",
    ):  # fmt: skip
        refused(client.post(f"/api/v1/{path}", {"colour": "red"}, format="json"), 400, field="colour")
    refused(client.patch("/api/v1/pools/default", {"name": "other"}, format="json"), 400, field="name")
    refused(
        client.patch(f"/api/v1/jobs/{job.uuid}", {"state": "completed"}, format="json"), 400, field="state"
    )


def test_lists_still_answer_after_all_that(client):
    for body in ({**NEW, "name": "\u202e\u0007<script>"}, {**NEW, "id": "..."}, {**NEW, "name": "  "}):
        assert client.post("/api/v1/jobs", body, format="json").status_code == 201
    for name in LISTS:
        assert client.get(f"/api/v1/{name}").status_code == 200
    assert client.get("/api/v1/jobs/...").json()["name"] == "Job ..."


def test_a_role_that_may_not_is_told_so_before_its_body_is_judged(api_as):
    response = api_as("operator").post("/api/v1/jobs", {"nonsense": True}, format="json")
    refused(response, 403, code="forbidden")


def test_a_person_without_a_session_is_told_what_is_expected(api):
    response = api.get("/api/v1/jobs")
    refused(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_session_without_its_csrf_token_changes_nothing(client):
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(make_user(superuser=True))
    refused(browser.post("/api/v1/jobs", NEW, format="json"), 403, code="csrf_failed")
    assert not Job.objects.exists()
