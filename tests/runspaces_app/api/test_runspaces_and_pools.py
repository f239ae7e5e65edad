"""Runspaces, pools and languages over REST."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from runspaces_app import languages
from runspaces_app.models import Pool, Runspace, RunspaceSample
from taskhub.core import runtime_settings
from taskhub.core.audit import SYSTEM
from taskhub.core.models import AuditEntry
from tests.support import MINUTE, NOON, make_pool, make_runspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(home, api_admin):
    return api_admin


def ids(client, query=""):
    return [row["id"] for row in client.get(f"/api/v1/runspaces{query}").json()["results"]]


def test_runspaces_are_found_by_state_pool_engine_and_age(client):
    now = timezone.now()
    old = make_runspace(opened_at=now - timedelta(hours=2), pool="wide", engine=None).pk
    young = make_runspace(opened_at=now, availability="busy").pk
    gone = make_runspace(opened_at=NOON, state="closed", closed_at=NOON + MINUTE, close_reason="idle").pk
    assert ids(client) == [gone, young, old]
    assert ids(client, "?state=opened") == [young, old]
    assert ids(client, "?pool=wide") == [old]
    assert ids(client, "?availability=busy") == [young]
    assert ids(client, "?min_age=3600&state=opened") == [old]
    assert ids(client, "?engine=77") == []
    shape = client.get(f"/api/v1/runspaces/{gone}").json()
    assert (shape["age"], shape["close_reason"], shape["alerts"]) == (60.0, "idle", [])


def test_alerts_follow_the_settings(client):
    now = timezone.now()
    runspace = make_runspace(opened_at=now - timedelta(hours=25), memory_bytes=101 * 1024 * 1024)
    broken = make_runspace(opened_at=now, state="broken", closed_at=now)
    path = f"/api/v1/runspaces/{runspace.pk}"
    assert client.get(path).json()["alerts"] == ["memory", "age"]
    assert client.get(f"/api/v1/runspaces/{broken.pk}").json()["alerts"] == ["broken"]
    runtime_settings.set_value("memory_warning_mb", 200, actor=SYSTEM, now=now)
    runtime_settings.set_value("age_warning_seconds", 100_000, actor=SYSTEM, now=now)
    assert client.get(path).json()["alerts"] == []


def test_measurements_come_newest_first(client):
    runspace = make_runspace()
    for minute in range(3):
        RunspaceSample.objects.create(
            runspace=runspace, at=NOON + minute * MINUTE, memory_bytes=minute, threads=1, handles=1
        )
    path = f"/api/v1/runspaces/{runspace.pk}/samples"
    assert [row["memory_bytes"] for row in client.get(path).json()["results"]] == [2, 1, 0]
    since = (NOON + MINUTE).isoformat()
    assert client.get(path, {"since": since}).json()["count"] == 2


class TestClosing:
    def close(self, client, runspace, **body):
        return client.post(f"/api/v1/runspaces/{runspace.pk}/close", body, format="json")

    def test_it_needs_force_and_the_id_typed_again(self, client):
        runspace = make_runspace()
        wrong: list[dict[str, Any]] = [
            {}, {"force": True}, {"confirmation": str(runspace.pk)}, {"force": False, "confirmation": str(runspace.pk)},
            {"force": "true", "confirmation": str(runspace.pk)}, {"force": True, "confirmation": "no"},
            {"force": True, "confirmation": runspace.pk}, {"force": True, "confirmation": f" {runspace.pk}"},
        ]  # fmt: skip
        for body in wrong:
            assert self.close(client, runspace, **body).status_code == 400, body
        runspace.refresh_from_db()
        assert runspace.close_requested_at is None

    def test_it_is_asked_for_and_audited_the_refused_try_too(self, client):
        runspace = make_runspace()
        self.close(client, runspace, force=True, confirmation="no")
        self.close(client, runspace, force=False, confirmation=str(runspace.pk))
        response = self.close(client, runspace, force=True, confirmation=str(runspace.pk))
        assert response.status_code == 202
        assert response.json()["close_requested_at"]
        entries = AuditEntry.objects.filter(action="runspace.close", object_id=str(runspace.pk))
        assert sorted(entry.result for entry in entries) == ["ok", "refused", "refused"]

    def test_a_closed_one_is_a_conflict(self, client):
        runspace = make_runspace(state="closed", closed_at=NOON)
        response = self.close(client, runspace, force=True, confirmation=str(runspace.pk))
        assert (response.status_code, response.json()["code"]) == (409, "runspace_closed")


def test_a_pool_tells_how_many_runspaces_are_open_and_busy(client):
    make_pool("default")
    make_runspace()
    make_runspace(availability="busy")
    make_runspace(state="closed", closed_at=NOON)
    (pool,) = client.get("/api/v1/pools").json()["results"]
    assert (pool["opened"], pool["busy"], pool["max_runspaces"]) == (2, 1, 10)


def test_limits_of_a_pool_change_and_are_audited(client):
    make_pool("default")
    changes = {"max_runspaces": 4, "grace_seconds": 2.5, "enabled": False}
    answer = client.patch("/api/v1/pools/default", changes, format="json")
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in changes} == changes
    entry: Any = AuditEntry.objects.get(action="pool.change")
    assert (entry.before["max_runspaces"], entry.after["max_runspaces"]) == (10, 4)


@pytest.mark.parametrize(
    "changes",
    [{"max_runspaces": 0}, {"max_runspaces": 1}, {"min_runspaces": -1}, {"min_runspaces": 11}, {"max_runspaces": "4"},
     {"grace_seconds": -1}, {"grace_seconds": "1"}, {"enabled": 1}, {"reuse": None}, {"idle_seconds": 1.5},
     {"max_memory_bytes": 1}, {"output_cap_bytes": 2**63}, {"max_jobs": 10**30}],
    ids=str,
)  # fmt: skip
def test_a_limit_that_makes_no_sense_changes_nothing(client, changes):
    make_pool("default")
    response = client.patch("/api/v1/pools/default", changes, format="json")
    assert response.status_code == 400
    assert response.json()["fields"]
    pool = Pool.objects.get()
    assert (pool.min_runspaces, pool.max_runspaces, pool.grace_seconds) == (2, 10, 5)


def test_every_language_is_listed_with_whether_it_can_be_used(client):
    rows = {row["name"]: row for row in client.get("/api/v1/languages").json()["results"]}
    assert list(rows) == [language.name for language in languages.all()]
    assert rows["python"]["installed"] and rows["shell"]["installed"]
    assert rows["python"]["version"]


@pytest.mark.parametrize(
    ("language", "code", "ok", "line"),
    [
        ("python", "x = 1", True, None),
        ("python", "a = 1\nb = (", False, 2),
        ("shell", "echo a", True, None),
        ("javascript", "import fs from 'node:fs'\nawait null", True, None),
        ("javascript", "let a\nlet a", False, 2),
    ],
)
def test_a_text_is_checked_without_running(client, language, code, ok, line):
    answer = client.post(f"/api/v1/languages/{language}/check", {"code": code}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["line"]) == (ok, line)
    assert bool(answer.json()["message"]) is not ok


def test_a_text_whose_interpreter_is_missing_cannot_be_checked(client, monkeypatch):
    monkeypatch.setattr("runspaces_app.languages.base.find_program", lambda name: None)
    answer = client.post("/api/v1/languages/powershell/check", {"code": "1"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "language_not_installed")
    assert "powershell" in answer.json()["fields"]["name"]
    row = client.get("/api/v1/languages/powershell").json()
    assert (row["installed"], row["version"]) == (False, None)
    assert row["install"]


def test_a_text_too_long_is_not_checked(client):
    answer = client.post("/api/v1/languages/python/check", {"code": "#" * (1024 * 1024 + 1)}, format="json")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["code"])


def test_a_row_of_each_state_is_shown(client):
    for state in Runspace.State.values:
        make_runspace(state=state, closed_at=None if state == "opened" else NOON)
    assert len(ids(client)) == len(Runspace.State.values)
