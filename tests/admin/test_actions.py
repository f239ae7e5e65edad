"""What the buttons of the admin do: one function each, and a sentence about it."""

import re
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages

from jobs_app.models import Job
from runspaces_app.models import Pool, Runspace
from taskhub.core import runtime_settings, tokens
from taskhub.core.models import ApiToken, AuditEntry, Setting
from tasks_app.models import Task, TaskOverride
from tests.support import PASSWORD, make_user

NEW_JOB = {
    "language": "python", "name": "sum", "code": "print('hello')\n1 + 1", "parameters": '{"days": 7}',
    "environment": "", "pool": "default", "timeout": "", "priority": "5",
}  # fmt: skip


@pytest.fixture
def client(rows, sign_in):
    return sign_in("system_admin")


def said(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_create_makes_a_job_that_waits(client):
    answer = client.post("/admin/jobs_app/job/add/", {**NEW_JOB, "_create": "1"})
    job = Job.objects.get(name="sum")
    assert answer["Location"] == f"/admin/jobs_app/job/{job.pk}/change/"
    assert (job.state, job.priority, job.source, job.trigger) == ("created", 5, "manual", "manual")
    assert job.spec.code == NEW_JOB["code"]
    assert job.spec.parameters == '{"days":7}'


def test_create_and_start_queues_it(client):
    client.post("/admin/jobs_app/job/add/", {**NEW_JOB, "_start": "1"})
    assert Job.objects.get(name="sum").state == "queued"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("code", "1 +", "invalid syntax"),
        ("code", "", "required"),
        ("parameters", "[1]", "Expected a JSON object"),
        ("parameters", "{", "expected"),
        ("environment", '{"A": 1}', "text"),
        ("environment", '{"A B": "1"}', "variable"),
        ("timeout", "0", "Expected seconds"),
        ("priority", "101", "less than or equal to 100"),
        ("language", "cobol", "Select a valid choice"),
        ("pool", "nowhere", "Select a valid choice"),
        ("parameters", '{"a": "\\ud800"}', ""),
        ("name", "a\0b", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(client, field, value, words):
    before = Job.objects.count()
    data = {**NEW_JOB, field: value, "_start": "1"}
    form = urlencode(data, errors="surrogatepass")
    answer = client.post("/admin/jobs_app/job/add/", form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    page = answer.content.decode()
    errors = re.findall(r'<div class="th-field__error" id="id_(\w+)_error">(.*?)</div>', page, re.S)
    assert [name for name, _ in errors] == [field]
    assert words in errors[0][1]
    assert Job.objects.count() == before


def test_a_second_start_says_that_nothing_changed(client, rows):
    assert "is queued" in said(client.post(f"/admin/jobs_app/job/{rows['job']}/start/"))
    assert "nothing changed" in said(client.post(f"/admin/jobs_app/job/{rows['job']}/start/"))


def test_stop_of_a_waiting_job_ends_it(client, rows):
    assert "is stopped" in said(client.post(f"/admin/jobs_app/job/{rows['job']}/stop/"))
    assert Job.objects.get(pk=rows["job"]).status_message == "Cancelled before start"


def test_stop_of_a_running_job_asks_it(client, rows):
    assert "was asked to stop" in said(client.post(f"/admin/jobs_app/job/{rows['running']}/stop/"))
    assert Job.objects.get(pk=rows["running"]).cancel_requested_at is not None


def test_an_operator_cannot_kill_at_once(sign_in, rows):
    answer = sign_in("operator").post(f"/admin/jobs_app/job/{rows['running']}/stop/", {"now": "yes"})
    assert answer.status_code == 403
    assert Job.objects.get(pk=rows["running"]).cancel_requested_at is None


def test_a_system_admin_kills_at_once(client, rows):
    client.post(f"/admin/jobs_app/job/{rows['running']}/stop/", {"now": "yes"})
    assert Job.objects.get(pk=rows["running"]).cancel_now


def test_stop_of_an_ended_job_says_its_state(client, rows):
    assert "completed" in said(client.post(f"/admin/jobs_app/job/{rows['ended']}/stop/"))


def test_a_job_that_cannot_be_stopped_keeps_running(client, rows):
    Job.objects.filter(pk=rows["running"]).update(cancellable=False)
    assert "keeps running" in said(client.post(f"/admin/jobs_app/job/{rows['running']}/stop/"))


def test_run_again_makes_a_new_job(client, rows):
    answer = client.post(f"/admin/jobs_app/job/{rows['ended']}/restart/")
    again = Job.objects.get(restarted_from=rows["ended"])
    assert answer["Location"] == f"/admin/jobs_app/job/{again.pk}/change/"


def test_remove_takes_the_family_and_goes_to_the_list(client, rows):
    answer = client.post(f"/admin/jobs_app/job/{rows['ended']}/remove/")
    assert answer["Location"] == "/admin/jobs_app/job/"
    assert not Job.objects.filter(name="part 0").exists()


def test_remove_of_an_open_job_is_refused_with_a_sentence(client, rows):
    answer = client.post(f"/admin/jobs_app/job/{rows['running']}/remove/")
    assert "expected the job and its descendants to have ended" in said(answer)
    assert Job.objects.filter(pk=rows["running"]).exists()


def test_rename(client, rows):
    client.post(f"/admin/jobs_app/job/{rows['ended']}/edit/", {"name": "other", "description": ""})
    assert Job.objects.get(pk=rows["ended"]).name == "other"


def test_an_unknown_job_is_not_found(client):
    for address in ("change/", "start/", "stop/"):
        send = client.post if address == "start/" else client.get
        answer = send(f"/admin/jobs_app/job/019a0000-0000-7000-8000-000000000001/{address}")
        assert answer.status_code == 404
    assert client.get("/admin/jobs_app/job/nonsense/change/").status_code == 404
    assert client.get("/admin/runspaces_app/runspace/99999999999999999999999/change/").status_code == 404


def test_after_an_action_one_is_back_where_one_was_but_never_elsewhere(client, rows):
    start = f"/admin/jobs_app/job/{rows['job']}/start/"
    assert client.post(start, {"next": "/admin/jobs_app/job/?state=created"})["Location"].endswith(
        "?state=created"
    )
    assert client.post(start, {"next": "https://evil.example/"})["Location"].endswith("/change/")


def test_run_now_makes_a_job_and_shows_it(client, rows):
    task = Task.objects.get(name="QuarterlyReport")
    answer = client.post(f"/admin/tasks_app/task/{task.pk}/run/")
    job = Job.objects.get(task=task)
    assert (job.trigger, job.state) == ("manual", "queued")
    assert answer["Location"] == f"/admin/jobs_app/job/{job.pk}/change/"


def test_the_switch_says_what_it_shall_be(client, rows):
    address = f"/admin/tasks_app/task/{rows['task']}/switch/"
    for _ in range(2):
        client.post(address, {"enabled": "no"})
    assert not Task.objects.get(pk=rows["task"]).enabled
    assert TaskOverride.objects.get(name="ImportOrders").enabled is False
    assert AuditEntry.objects.filter(action="task.disable", object_id=str(rows["task"])).count() == 1


def test_close_needs_the_typed_id(client, rows):
    address = f"/admin/runspaces_app/runspace/{rows['runspace']}/close/"
    assert "expected the runspace" in said(client.post(address, {"confirmation": "0"}))
    assert Runspace.objects.get(pk=rows["runspace"]).close_requested_at is None
    client.post(address, {"confirmation": str(rows["runspace"])})
    assert Runspace.objects.get(pk=rows["runspace"]).close_requested_at is not None
    tries = AuditEntry.objects.filter(action="runspace.close", object_id=str(rows["runspace"]))
    assert sorted(tries.values_list("result", flat=True)) == ["ok", "refused"]


def pool_form(**changes: str) -> dict[str, str]:
    return {
        "enabled": "on", "reuse": "on", "min_runspaces": "2", "max_runspaces": "10", "idle_seconds": "300",
        "grace_seconds": "5", "drain_seconds": "30", "max_jobs": "-1", "max_age_seconds": "86400",
        "max_memory_bytes": "512", "output_cap_bytes": "10", **changes,
    }  # fmt: skip


def test_limits_of_a_pool(client):
    answer = client.post(
        "/admin/runspaces_app/pool/default/change/", pool_form(max_runspaces="3", max_memory_bytes="64")
    )
    assert answer.status_code == 302
    pool = Pool.objects.get(pk="default")
    assert (pool.max_runspaces, pool.max_memory_bytes) == (3, 64 * 1024 * 1024)
    entry = AuditEntry.objects.get(action="pool.change")
    assert entry.before == {"max_runspaces": 10, "max_memory_bytes": 536870912}


@pytest.mark.parametrize(
    ("field", "value"), [("max_runspaces", "0"), ("min_runspaces", "11"), ("idle_seconds", "0")]
)
def test_a_limit_that_cannot_be_is_refused(client, field, value):
    answer = client.post("/admin/runspaces_app/pool/default/change/", pool_form(**{field: value}))
    assert answer.status_code == 422
    assert Pool.objects.get(pk="default").max_runspaces == 10


def test_a_pool_is_not_changed_by_who_may_only_see_it(sign_in, rows):
    assert sign_in("author").post("/admin/runspaces_app/pool/default/change/", pool_form()).status_code == 403


SETTINGS = {
    "history_retention_days": "30", "max_concurrent_tasks": "10", "notifications_enabled": "on",
    "default_timeout": "600", "auto_refresh_seconds": "5", "memory_warning_mb": "100", "age_warning_seconds": "86400",
}  # fmt: skip


def test_settings_are_stored_and_reset(client):
    client.post(
        "/admin/core/setting/", {**SETTINGS, "max_concurrent_tasks": "3", "notifications_enabled": ""}
    )
    assert runtime_settings.get("max_concurrent_tasks") == 3
    assert runtime_settings.get("notifications_enabled") is False
    client.post("/admin/core/setting/max_concurrent_tasks/reset/")
    assert not Setting.objects.filter(pk="max_concurrent_tasks").exists()


def test_a_setting_out_of_bounds_stores_nothing(client):
    answer = client.post(
        "/admin/core/setting/", {**SETTINGS, "max_concurrent_tasks": "0", "memory_warning_mb": "7"}
    )
    assert answer.status_code == 422
    assert not Setting.objects.exists()


def test_an_unknown_setting_is_not_found(client):
    assert client.post("/admin/core/setting/colour/reset/").status_code == 404


def test_a_token_is_shown_once_and_works(client, rows):
    user = make_user("robot-2", role="operator")
    answer = client.post(
        "/admin/core/apitoken/add/", {"user": user.pk, "name": "cron", "scope": "viewer", "days": "30"}
    )
    text = re.search(r'id="token-text">([^<]+)<', answer.content.decode())
    assert text is not None
    from django.utils import timezone

    token = tokens.authenticate(text[1], now=timezone.now())
    assert token is not None and token.user == user and token.scope == "viewer"
    assert text[1] not in client.get("/admin/core/apitoken/").content.decode()


def test_a_revoked_token_is_of_no_use(client, rows):
    client.post(f"/admin/core/apitoken/{rows['token']}/revoke/")
    assert ApiToken.objects.get(pk=rows["token"]).revoked_at is not None


NEW_USER = {
    "username": "clara", "first_name": "", "last_name": "", "email": "", "role": "viewer", "is_active": "on",
    "password": PASSWORD,
}  # fmt: skip


def test_a_new_user_may_sign_in_by_his_role_alone(client):
    assert client.post("/admin/auth/user/add/", NEW_USER).status_code == 302
    clara = User.objects.get(username="clara")
    assert not clara.is_staff
    client.logout()
    answer = client.post("/admin/login/", {"username": "clara", "password": PASSWORD, "next": "/admin/"})
    assert answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"), [("username", "Anna"), ("username", "a b"), ("password", "short"), ("email", "no")]
)
def test_a_user_that_cannot_be_is_refused(client, field, value):
    answer = client.post("/admin/auth/user/add/", {**NEW_USER, field: value})
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not User.objects.filter(username="clara").exists()


def test_a_role_is_changed_and_written_down(client, rows):
    data = {**NEW_USER, "username": "somebody", "password": "", "role": "operator"}
    client.post(f"/admin/auth/user/{rows['user']}/change/", data)
    entry = AuditEntry.objects.get(action="user.change")
    assert entry.before is not None and entry.after is not None
    assert (entry.before["role"], entry.after["role"]) == (None, "operator")
    assert User.objects.get(pk=rows["user"]).check_password(PASSWORD)


def test_a_refused_sign_in_is_written_down(client):
    client.logout()
    answer = client.post("/admin/login/", {"username": "anna", "password": "wrong"})
    assert answer.status_code == 200
    assert "do not match" in answer.content.decode()
    entry = AuditEntry.objects.filter(action="user.sign_in").latest("pk")
    assert (entry.actor, entry.result, entry.message) == ("anna", "refused", "invalid_login")


def test_who_has_no_role_is_told_so_at_the_door(client):
    make_user("dora")
    client.logout()
    answer = client.post("/admin/login/", {"username": "dora", "password": PASSWORD})
    assert "no role yet" in answer.content.decode()
