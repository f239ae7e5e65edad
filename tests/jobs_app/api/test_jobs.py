"""Making, starting, stopping, changing and removing jobs over REST."""

from uuid import UUID

import pytest
from rest_framework.test import APIClient

from jobs_app.models import Execution, Job, JobSpec
from jobs_app.states import JobState
from taskhub.core.models import AuditEntry
from tests.support import NOON, make_job, make_pool, make_task, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(home, admin) -> APIClient:
    make_pool("default")
    client = APIClient()
    client.force_authenticate(admin)
    return client


def create(client, **body):
    return client.post("/api/v1/jobs", {"language": "shell", "code": "true"} | body, format="json")


def test_a_new_job_waits_for_its_start(client, admin):
    response = create(
        client, parameters={"n": 1}, environment={"A": "b"}, priority=5, timeout=-1, idempotent=True
    )
    job = response.json()
    assert response.status_code == 201
    assert job["id"] == job["uuid"] and UUID(job["uuid"]).version == 7
    assert (job["name"], job["description"], job["state"]) == (f"Job {job['id']}", "", "created")
    assert (job["owner"], job["source"], job["trigger"], job["pool"]) == ("admin", "api", "api", "default")
    assert (job["priority"], job["timeout"], job["idempotent"], job["attempt"]) == (5, -1, True, 1)
    assert job["progress"] | {"last_updated_at": ""} == {
        "percent_complete": 0.0, "status_message": "Not started", "last_updated_at": "", "is_terminal": False,
    }  # fmt: skip
    assert job["queued_at"] is job["started_at"] is job["duration"] is job["error"] is None
    assert job["output"] == {"bytes": 0, "lines": 0, "dropped": 0}
    assert job["created_at"].endswith("Z")
    spec = JobSpec.objects.get(pk=job["uuid"])
    assert (spec.code, spec.parameters, spec.environment) == ("true", '{"n":1}', '{"A":"b"}')
    assert AuditEntry.objects.filter(action="job.create", actor="admin", object_id=job["uuid"]).count() == 1


def test_with_start_it_is_queued_at_once(client):
    response = create(client, start=True)
    assert response.status_code == 202
    assert response.json()["started"] is True
    assert response.json()["state"] == "queued"
    assert response.json()["waiting_for"] == "runspace"


def test_an_own_id_is_kept_in_lower_case_and_found_in_any(client):
    job = create(client, id="My.Job_1-x", name="  ").json()
    assert (job["id"], job["name"]) == ("my.job_1-x", "Job my.job_1-x")
    for spelled in ("my.job_1-x", "MY.JOB_1-X", job["uuid"], job["uuid"].upper()):
        assert client.get(f"/api/v1/jobs/{spelled}").json()["uuid"] == job["uuid"]


def test_a_parent_lists_its_children_and_a_child_its_parent(client):
    parent = create(client, id="parent").json()
    child = create(client, id="child", parent="PARENT").json()
    assert child["parent"] == "parent"
    assert client.get(f"/api/v1/jobs/{parent['id']}").json()["children"] == ["child"]
    assert client.get("/api/v1/jobs?parent=parent").json()["results"][0]["id"] == "child"


def test_of_two_starts_one_starts(client):
    job = create(client).json()
    first = client.post(f"/api/v1/jobs/{job['id']}/start")
    second = client.post(f"/api/v1/jobs/{job['id']}/start")
    assert (first.status_code, first.json()["started"], first.json()["id"]) == (202, True, job["id"])
    assert (second.status_code, second.json()) == (200, {"started": False})


def test_a_job_cancelled_before_its_start_does_not_start(client):
    job = create(client).json()
    response = client.post(f"/api/v1/jobs/{job['id']}/cancel")
    assert (response.status_code, response.json()["state"], response.json()["reason"]) == (
        200,
        "stopped",
        "user",
    )
    assert response.json()["progress"]["status_message"] == "Cancelled before start"
    assert client.post(f"/api/v1/jobs/{job['id']}/start").json() == {"started": False}
    assert Execution.objects.get(job=job["uuid"]).status == "stopped"


def test_a_job_cancelled_before_its_next_attempt_bears_no_error_of_the_last(client):
    job = make_job(
        state=JobState.QUEUED, held="retry", attempt=2, error_type="ValueError", error_message="seven",
        error_traceback="Traceback", exit_code=3,
    )  # fmt: skip
    stopped = client.post(f"/api/v1/jobs/{job.uuid}/cancel").json()
    assert stopped["error"] == {"type": "", "message": "Cancelled before start", "traceback": ""}
    assert (stopped["state"], stopped["exit_code"]) == ("stopped", None)


def test_a_running_job_is_asked_to_stop_once(client):
    job = make_job(state=JobState.RUNNING)
    first = client.post(f"/api/v1/jobs/{job.uuid}/stop")
    second = client.post(f"/api/v1/jobs/{job.uuid}/cancel")
    assert first.status_code == second.status_code == 202
    assert first.json()["cancel_requested_at"] == second.json()["cancel_requested_at"] is not None
    assert second.json()["state"] == "running"


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.FAILED, JobState.STOPPED])
def test_an_ended_job_cannot_be_stopped(client, state):
    response = client.post(f"/api/v1/jobs/{make_job(state=state).uuid}/cancel")
    assert response.status_code == 409
    assert response.json()["code"] == "job_ended"
    assert state in response.json()["error"]


def test_a_job_that_cannot_be_cancelled_keeps_running_unless_killed(client):
    job = make_job(state=JobState.RUNNING, cancellable=False)
    response = client.post(f"/api/v1/jobs/{job.uuid}/cancel")
    assert (response.status_code, response.json()["code"]) == (423, "not_cancellable")
    job.refresh_from_db()
    assert job.cancel_requested_at is None
    killed = client.post(f"/api/v1/jobs/{job.uuid}/cancel", {"now": True}, format="json")
    assert killed.status_code == 202
    job.refresh_from_db()
    assert job.cancel_now


def test_name_and_description_change_later_but_a_blank_name_is_refused(client):
    job = make_job()
    path = f"/api/v1/jobs/{job.uuid}"
    answer = client.patch(path, {"name": "new", "description": "why"}, format="json").json()
    assert (answer["name"], answer["description"]) == ("new", "why")
    for blank in ("", "   "):
        assert client.patch(path, {"name": blank}, format="json").json()["fields"]["name"]
    assert client.patch(path, {}, format="json").json()["name"] == "new"
    entry = AuditEntry.objects.get(action="job.edit")
    assert entry.after == {"name": "new", "description": "why"}


@pytest.mark.parametrize("how", ["delete", "post"])
def test_an_ended_job_is_removed_and_its_history_stays(client, how):
    job = make_job(state=JobState.COMPLETED)
    Execution.objects.create(
        job=job.uuid, public_id=job.public_id, name=job.name, attempt=1, status="success", finished_at=NOON
    )
    path = f"/api/v1/jobs/{job.uuid}"
    response = client.delete(path) if how == "delete" else client.post(f"{path}/remove")
    assert response.status_code == 204
    assert client.get(path).status_code == 404
    assert client.get("/api/v1/jobs").json()["count"] == 0
    assert client.get(f"/api/v1/executions?job={job.uuid}").json()["count"] == 1


@pytest.mark.parametrize("how", ["delete", "post"])
def test_an_open_job_is_not_removed(client, how):
    parent = make_job(state=JobState.COMPLETED)
    make_job(state=JobState.RUNNING, parent=parent)
    path = f"/api/v1/jobs/{parent.uuid}"
    response = client.delete(path) if how == "delete" else client.post(f"{path}/remove")
    assert (response.status_code, response.json()["code"]) == (409, "job_still_open")
    assert Job.objects.count() == 2


def test_delete_with_stop_takes_a_job_that_never_started(client):
    job = make_job()
    assert client.delete(f"/api/v1/jobs/{job.uuid}?stop=true").status_code == 204
    assert not Job.objects.exists()


def test_restart_makes_a_new_job_that_names_the_old_one(client, admin):
    old = make_job(
        state=JobState.FAILED, language="shell", code="true", parameters='{"n": 1}', owner=make_user()
    )
    make_pool("other")
    answer = client.post(f"/api/v1/jobs/{old.uuid}/restart")
    new = answer.json()
    assert answer.status_code == 202
    assert (new["restarted_from"], new["state"], new["owner"]) == (str(old.uuid), "queued", "admin")
    assert new["uuid"] != str(old.uuid) and new["parameters"] == {"n": 1}
    assert client.post(f"/api/v1/jobs/{new['id']}/restart").status_code == 409


@pytest.mark.parametrize(
    "stored", ["0", "false", '""', "[]", "null", '{"a":[1.5,"\\u00e4"]}', "12345678901234567890123"]
)
def test_a_result_is_the_bare_value_as_it_was_stored(client, stored):
    job = make_job(state=JobState.COMPLETED, result=stored)
    response = client.get(f"/api/v1/jobs/{job.uuid}/result")
    assert (response.content.decode(), response["Content-Type"]) == (stored, "application/json")


def test_there_is_no_result_until_the_end(client):
    for job in (make_job(state=JobState.RUNNING, result="1"), make_job(state=JobState.FAILED, result=None)):
        assert client.get(f"/api/v1/jobs/{job.uuid}/result").content == b"null"


def test_an_error_is_told_with_type_text_and_traceback(client):
    job = make_job(
        state=JobState.FAILED, error_type="ValueError", error_message="no", error_traceback="Traceback …"
    )
    assert client.get(f"/api/v1/jobs/{job.uuid}").json()["error"] == {
        "type": "ValueError", "message": "no", "traceback": "Traceback …",
    }  # fmt: skip


def test_a_task_is_run_by_hand_and_by_parameters_of_ones_own(client):
    task = make_task("nightly", language="shell", code="true", enabled=False, parameters={"a": 1, "b": 2})
    answer = client.post(f"/api/v1/tasks/{task.pk}/run", {"parameters": {"b": 3}}, format="json")
    job = answer.json()
    assert (answer.status_code, job["task"], job["state"], job["started"]) == (202, task.pk, "queued", True)
    assert job["parameters"] == {"a": 1, "b": 3}
    assert job["name"].startswith("Task_nightly_")
    assert client.get(f"/api/v1/jobs?task={task.pk}").json()["count"] == 1
    assert client.get("/api/v1/jobs?task=nightly").json()["count"] == 1


class TestIdempotency:
    def test_an_equal_call_gets_the_first_answer_and_makes_nothing(self, client):
        first = client.post(
            "/api/v1/jobs",
            {"language": "shell", "code": "true"},
            format="json",
            headers={"Idempotency-Key": "k"},
        )
        again = client.post(
            "/api/v1/jobs",
            {"language": "shell", "code": "true"},
            format="json",
            headers={"Idempotency-Key": "k"},
        )
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        assert "Idempotent-Replay" not in first and again["Idempotent-Replay"] == "true"
        assert Job.objects.count() == 1

    def test_another_body_with_the_key_is_a_conflict(self, client):
        headers = {"Idempotency-Key": "k"}
        client.post("/api/v1/jobs", {"language": "shell", "code": "true"}, format="json", headers=headers)
        other = client.post(
            "/api/v1/jobs", {"language": "shell", "code": "false"}, format="json", headers=headers
        )
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
        assert Job.objects.count() == 1

    def test_a_start_and_a_removal_are_repeated_too(self, client):
        job = make_job()
        path = f"/api/v1/jobs/{job.uuid}"
        started = [client.post(f"{path}/start", headers={"Idempotency-Key": "s"}) for _ in range(2)]
        assert [answer.json()["started"] for answer in started] == [True, True]
        assert started[1]["Idempotent-Replay"] == "true"
        ended = make_job(state=JobState.COMPLETED)
        removed = [
            client.post(f"/api/v1/jobs/{ended.uuid}/remove", headers={"Idempotency-Key": "r"})
            for _ in range(2)
        ]
        assert [answer.status_code for answer in removed] == [204, 204]

    def test_a_refused_call_leaves_its_key_free(self, client):
        headers = {"Idempotency-Key": "k"}
        bad = client.post("/api/v1/jobs", {"language": "shell", "code": "if"}, format="json", headers=headers)
        good = client.post(
            "/api/v1/jobs", {"language": "shell", "code": "true"}, format="json", headers=headers
        )
        assert (bad.status_code, good.status_code) == (400, 201)

    def test_callers_do_not_meet_in_a_key(self, client, api_as):
        headers = {"Idempotency-Key": "k"}
        body = {"language": "shell", "code": "true"}
        client.post("/api/v1/jobs", body, format="json", headers=headers)
        other = api_as("author").post("/api/v1/jobs", body, format="json", headers=headers)
        assert other.status_code == 201 and "Idempotent-Replay" not in other
        assert Job.objects.count() == 2
