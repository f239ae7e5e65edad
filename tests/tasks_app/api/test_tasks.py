"""Tasks over REST: lists, switching, due times."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from jobs_app.states import JobState
from taskhub.core.models import AuditEntry
from tasks_app.models import Occurrence, Task, TaskOverride
from tests.support import MINUTE, NOON, make_job, make_task

pytestmark = pytest.mark.django_db


def names(client, query=""):
    return [row["name"] for row in client.get(f"/api/v1/tasks{query}").json()["results"]]


def test_tasks_come_by_app_and_name_without_the_deleted(api_admin):
    make_task("b", app="Zoo")
    make_task("c")
    make_task("a", app="Zoo")
    make_task("gone", deleted=True)
    assert names(api_admin) == ["c", "a", "b"]


def test_filters_narrow_and_all_must_hold(api_admin):
    make_task("backup", app="Zoo", tags=["night", "big"], last_status="failed", description="of the Database")
    make_task("other", enabled=False)
    for query in ("?app=Zoo", "?enabled=true", "?status=failed", "?search=DATA", "?search=back", "?tag=big",
                  "?app=Zoo&enabled=true&tag=night"):  # fmt: skip
        assert names(api_admin, query) == ["backup"], query
    for query in ("?app=-", "?enabled=false", "?status=never"):
        assert names(api_admin, query) == ["other"], query
    assert names(api_admin, "?tag=bi") == names(api_admin, "?app=Zoo&enabled=false") == []


def test_a_task_says_whether_a_job_of_it_runs(api_admin):
    task, idle = make_task("busy"), make_task("idle")
    make_job(task=task, state=JobState.RUNNING)
    make_job(task=idle, state=JobState.QUEUED)
    make_job(task=idle, state=JobState.COMPLETED)
    assert {row["name"]: row["is_running"] for row in api_admin.get("/api/v1/tasks").json()["results"]} == {
        "busy": True, "idle": False,
    }  # fmt: skip
    assert names(api_admin, "?status=running") == ["busy"]


def test_a_task_has_the_shape_of_the_interface(api_admin):
    task = make_task("nightly", schedule="0 3 * * *", max_runtime=60, source=Task.Source.CUSTOM)
    shape = api_admin.get(f"/api/v1/tasks/{task.pk}").json()
    assert set(shape) == {
        "id", "name", "app", "description", "enabled", "source", "custom", "deleted", "tags", "language", "code", "path",
        "parameters", "environment", "schedule", "at", "timezone", "misfire", "overlap", "pool", "priority",
        "idempotent", "termination", "retry", "is_running", "last_run_at", "last_status", "next_due_at",
        "failure_count", "created_at", "last_modified",
    }  # fmt: skip
    assert shape["termination"] == {"max_runtime": 60, "kill_on_timeout": True, "max_failures": None}
    assert shape["retry"] == {"max_attempts": 1, "backoff": 30.0}
    assert (shape["schedule"], shape["custom"]) == ("0 3 * * *", True)
    by_hand = api_admin.get(f"/api/v1/tasks/{make_task().pk}").json()
    assert by_hand["schedule"] is None


def test_a_deleted_task_is_not_there(api_admin):
    task = make_task(deleted=True)
    for path in ("", "/history", "/occurrences", "/next-runs"):
        assert api_admin.get(f"/api/v1/tasks/{task.pk}{path}").status_code == 404
    assert api_admin.post(f"/api/v1/tasks/{task.pk}/run").status_code == 404


def test_switching_off_and_on_answers_with_the_task_and_is_audited(api_admin):
    task = make_task("daily", schedule="*/5 * * * *", failure_count=3)
    off = api_admin.post(f"/api/v1/tasks/{task.pk}/disable")
    assert (off.status_code, off.json()["enabled"], off.json()["source"]) == (200, False, "overridden")
    assert TaskOverride.objects.get(name="daily").enabled is False
    on = api_admin.post(f"/api/v1/tasks/{task.pk}/enable").json()
    assert (on["enabled"], on["failure_count"]) == (True, 0)
    assert datetime.fromisoformat(on["next_due_at"]) > timezone.now() - MINUTE
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "task.disable",
        "task.enable",
    ]


def test_next_runs_are_told_in_utc_and_on_the_clock_of_the_zone(api_admin):
    task = make_task(schedule="0 12 * * *", timezone="Europe/Berlin")
    answer = api_admin.get(f"/api/v1/tasks/{task.pk}/next-runs?count=3").json()
    assert (answer["enabled"], answer["timezone"], len(answer["results"])) == (True, "Europe/Berlin", 3)
    for run in answer["results"]:
        local = datetime.fromisoformat(run["local"])
        assert (local.hour, local.minute) == (12, 0)
        assert datetime.fromisoformat(run["due_at"]) == local.astimezone(UTC)
    assert len(api_admin.get(f"/api/v1/tasks/{task.pk}/next-runs").json()["results"]) == 5


def test_a_task_by_hand_has_no_next_run_and_a_one_off_has_one(api_admin):
    at = timezone.now().replace(microsecond=0) + timedelta(days=1)
    by_hand, ahead, past = make_task(), make_task(at=at), make_task(at=NOON)
    runs = {
        task: api_admin.get(f"/api/v1/tasks/{task.pk}/next-runs").json()["results"]
        for task in (by_hand, ahead, past)
    }
    assert runs[by_hand] == runs[past] == []
    assert [datetime.fromisoformat(run["due_at"]) for run in runs[ahead]] == [at]


def test_occurrences_tell_why_a_task_did_not_run(api_admin):
    task = make_task()
    for minute, reason in enumerate(["", "overlap", "disabled"]):
        Occurrence.objects.create(
            task=task, due_at=NOON + minute * MINUTE, decided_at=NOON, reason=reason,
            decision="skipped" if reason else "fired",
        )  # fmt: skip
    path = f"/api/v1/tasks/{task.pk}/occurrences"
    assert [row["reason"] for row in api_admin.get(path).json()["results"]] == ["disabled", "overlap", ""]
    assert api_admin.get(f"{path}?decision=fired").json()["count"] == 1
    assert api_admin.get(f"{path}?reason=overlap").json()["results"][0]["decision"] == "skipped"
