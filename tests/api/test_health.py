"""Health and figures."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from jobs_app.states import JobState
from taskhub import health
from tests.support import make_engine, make_execution, make_job, make_runspace, make_task

pytestmark = pytest.mark.django_db


def test_health_needs_no_sign_in(api):
    assert api.get("/health/live").json() == {"status": "ok"}
    assert api.get("/health/ready").json() == {"status": "ok", "database": "ok", "engines": 0}


def test_only_engines_that_beat_count(api):
    now = timezone.now()
    make_engine(beat_at=now)
    make_engine(beat_at=now - timedelta(minutes=1))
    make_engine(beat_at=now, state="stopped")
    assert api.get("/health/ready").json()["engines"] == 1


def test_without_a_database_it_lives_but_is_not_ready(api, monkeypatch):
    def broken(now):
        raise DatabaseError("no")

    monkeypatch.setattr(health, "living_engines", broken)
    assert api.get("/health/live").status_code == 200
    response = api.get("/health/ready")
    assert (response.status_code, response.json()["database"]) == (503, "unavailable")
    assert response["Retry-After"]


def test_the_figures_are_in_the_text_format_of_prometheus(api_admin):
    now = timezone.now()
    make_engine(beat_at=now)
    make_job(state=JobState.QUEUED)
    make_execution(status="failed", finished_at=now - timedelta(hours=2))
    make_execution(status="failed", finished_at=now)
    make_runspace(memory_bytes=5)
    make_task(enabled=False)
    response = api_admin.get("/metrics", headers={"Accept": "text/plain;version=0.0.4"})
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }
    assert found["taskhub_engines",] == 1
    assert found["taskhub_jobs", "queued"] == 1 and found["taskhub_jobs", "running"] == 0
    assert found["taskhub_executions_last_hour", "failed"] == 1
    assert found["taskhub_runspaces", "available", "default"] == 1
    assert found["taskhub_runspace_memory_bytes", "default"] == 5
    assert (found["taskhub_tasks", "true"], found["taskhub_tasks", "false"]) == (0, 1)


def test_an_unknown_address_of_the_api_gets_the_error_body(api):
    for path in ("/api/", "/api/v1/nothing", "/api/v2/jobs", "/api/v1/jobs//start", "/api/v1/jobs/a/b/c"):
        for method in ("get", "post", "delete"):
            response = getattr(api, method)(path)
            assert (response.status_code, response.json()["code"]) == (404, "not_found"), (method, path)
