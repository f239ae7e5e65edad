"""Tasks changed over REST: what each call does, what it answers, and what it leaves behind."""

from datetime import datetime

import pytest
from django.utils import timezone

from jobs_app.states import JobState
from taskhub.core.models import AuditEntry
from tasks_app.definitions import Loader
from tasks_app.models import Task, TaskOverride
from tests.support import MINUTE, NOON, make_job

pytestmark = pytest.mark.django_db


def actions():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_a_task_is_made_with_all_it_is_told(call):
    given = {
        "name": "Nightly", "description": "of all", "enabled": True, "tags": ["night"], "language": "shell",
        "code": "true", "parameters": {"n": [1]}, "environment": {"A": "1"}, "schedule": "0 3 * * *",
        "timezone": "Europe/Berlin", "misfire": "skip", "overlap": "queue_one", "pool": "django", "priority": 5,
        "idempotent": True, "termination": {"max_runtime": 9, "kill_on_timeout": False, "max_failures": 3},
        "retry": {"max_attempts": 4, "backoff": 1.5, "jitter": True}, "reuse": False,
    }  # fmt: skip
    answer = call("post", "", given)
    made = answer.json()
    assert answer.status_code == 201
    assert {name: made[name] for name in given} == given
    assert (made["source"], made["custom"], made["app"], made["deleted"]) == ("custom", True, "", False)
    assert datetime.fromisoformat(made["next_due_at"]) > timezone.now()
    assert call("get", f"/{made['id']}").json() == made
    assert actions() == ["task.create"]


def test_what_is_not_told_takes_its_default(call):
    made = call("post", "", {"name": "Bare", "code": "1"}).json()
    assert made["schedule"] is made["next_due_at"] is made["at"] is None
    assert made["termination"] == {"max_runtime": None, "kill_on_timeout": True, "max_failures": None}
    assert made["retry"] == {"max_attempts": 1, "backoff": 30.0}
    assert (made["enabled"], made["timezone"], made["language"], made["pool"]) == (
        True,
        "UTC",
        "python",
        "default",
    )
    assert "reuse" not in made


def test_one_key_makes_one_task(call):
    body = {"name": "Mine", "code": "1"}
    first, second = (call("post", "", body, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == second.json()
    assert (second.status_code, second["Idempotent-Replay"]) == (201, "true")
    assert call("post", "", {**body, "code": "2"}, **{"Idempotency-Key": "k"}).status_code == 409
    assert Task.objects.filter(name="Mine").count() == 1


def test_changes_are_laid_over_the_file_by_key(call, sweep):
    answer = call("patch", f"/{sweep.pk}", {
        "enabled": False, "schedule": "30 * * * *", "environment": {"B": "x", "C": "3"}, "parameters": {"new": 1},
        "termination": {"max_runtime": 5, "max_failures": 2}, "retry": {"max_attempts": 3},
    })  # fmt: skip
    task = answer.json()
    assert answer.status_code == 200
    assert (task["enabled"], task["schedule"], task["source"]) == (False, "30 * * * *", "overridden")
    assert task["environment"] == {"A": "1", "B": "x", "C": "3"}
    assert task["parameters"] == {"depth": 1, "new": 1}
    assert task["termination"] == {"max_runtime": 5, "kill_on_timeout": True, "max_failures": 2}
    back = call("patch", f"/{sweep.pk}", {"environment": {"B": None}}).json()
    assert back["environment"] == {"A": "1", "B": "2", "C": "3"}
    assert actions() == ["task.edit", "task.edit"]


def test_last_modified_moves_with_each_change_and_with_nothing_else(call, sweep):
    seen = [sweep.last_modified.isoformat()]

    def moved(verb, path, body=None):
        call(verb, f"/{sweep.pk}{path}", body)
        now = Task.objects.get(pk=sweep.pk).last_modified.isoformat()
        seen.append(now)
        return now > seen[-2]

    assert moved("patch", "", {"schedule": "5 * * * *"})
    assert not moved("patch", "", {"schedule": "5 * * * *"})
    assert moved("patch", "", {"environment": {"A": "9"}})
    assert moved("patch", "", {"termination": {"max_failures": 4}})
    assert moved("post", "/disable")
    assert moved("post", "/enable")
    assert not moved("post", "/enable")
    assert moved("put", "", {"schedule": "6 * * * *"})
    assert moved("post", "/reset")
    assert moved("delete", "")
    assert moved("post", "/restore")


def test_what_get_answers_can_be_put_back(call, sweep):
    call("patch", f"/{sweep.pk}", {"schedule": "5 * * * *", "environment": {"C": "3"}})
    once = Task.objects.get(name="Once").pk
    custom = call(
        "post", "", {"name": "Mine", "code": "1", "tags": ["x"], "reuse": False, "at": "2126-01-01T00:00"}
    )
    for task in (sweep.pk, once, custom.json()["id"]):
        before = call("get", f"/{task}").json()
        answer = call("put", f"/{task}", before)
        assert answer.status_code == 200, answer.content
        assert answer.json() == before
    assert TaskOverride.objects.count() == 1


def test_putting_a_whole_takes_back_what_it_leaves_out(call, sweep):
    call("patch", f"/{sweep.pk}", {"enabled": False, "environment": {"C": "3"}, "retry": {"max_attempts": 5}})
    task = call("put", f"/{sweep.pk}", {"schedule": None, "termination": {"max_runtime": None}}).json()
    assert (task["enabled"], task["environment"], task["retry"]["max_attempts"]) == (
        True,
        {"A": "1", "B": "2"},
        1,
    )
    assert (task["schedule"], task["next_due_at"], task["termination"]["max_runtime"]) == (None, None, None)
    custom = call("post", "", {"name": "Mine", "code": "1", "schedule": "@daily", "tags": ["x"]}).json()["id"]
    task = call("put", f"/{custom}", {"name": "Yours", "path": "a.sh"}).json()
    assert (task["name"], task["code"], task["path"], task["language"]) == ("Yours", "", "a.sh", "shell")
    assert (task["schedule"], task["tags"]) == (None, [])


def test_a_one_off_out_of_a_file_gives_way_to_a_schedule_and_comes_back(call, file):
    once = Task.objects.get(name="Once")
    task = call("patch", f"/{once.pk}", {"schedule": "@daily"}).json()
    assert (task["schedule"], task["at"]) == ("@daily", None)
    assert call("put", f"/{once.pk}", task).json()["schedule"] == "@daily"
    assert call("post", f"/{once.pk}/reset").json()["at"] == "2126-03-01T09:30:00Z"


def test_what_only_the_file_can_change_is_a_conflict(call, sweep):
    for body in (
        {"code": "2"},
        {"name": "Other"},
        {"tags": ["x"]},
        {"retry": {}, "pool": "django"},
        {"at": "2126-01-01"},
    ):
        for verb in ("patch", "put"):
            answer = call(verb, f"/{sweep.pk}", body)
            assert (answer.status_code, answer.json()["code"]) == (409, "defined_by_file"), (verb, body)
            assert set(answer.json()["fields"]) & set(body)
    assert not TaskOverride.objects.exists()


def test_a_custom_task_may_be_changed_in_all_but_its_app(call):
    custom = call("post", "", {"name": "Mine", "code": "1", "environment": {"A": "1"}}).json()["id"]
    task = call(
        "patch", f"/{custom}", {"name": "Ours", "environment": {"B": "2"}, "at": "2126-01-01T10:00"}
    ).json()
    assert (task["name"], task["environment"], task["at"]) == ("Ours", {"B": "2"}, "2126-01-01T10:00:00Z")
    assert call("patch", f"/{custom}", {"app": ""}).status_code == 200
    for verb, body in (("patch", {"app": "Shop"}), ("put", {"name": "A", "code": "1", "app": "Shop"})):
        answer = call(verb, f"/{custom}", body)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["app"])


def test_a_deleted_task_is_out_of_all_but_its_own_page_until_it_is_restored(call, sweep, api_admin):
    call("patch", f"/{sweep.pk}", {"schedule": "30 * * * *"})
    assert call("delete", f"/{sweep.pk}").status_code == 204
    assert "Sweep" not in [row["name"] for row in call("get").json()["results"]]
    assert [row["name"] for row in call("get", "?deleted=true").json()["results"]] == ["Sweep"]
    shape = call("get", f"/{sweep.pk}").json()
    assert (shape["deleted"], shape["next_due_at"]) == (True, None)
    assert call("get", f"/{sweep.pk}/next-runs").json()["results"] == []
    for verb, path in (("post", "/run"), ("post", "/enable"), ("post", "/disable"), ("patch", ""), ("put", ""),
                       ("delete", ""), ("post", "/reset"), ("post", "/duplicate"), ("post", "/test")):  # fmt: skip
        answer = call(verb, f"/{sweep.pk}{path}", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "task_deleted"), path
        assert "deleted" in answer.json()["error"]
    assert call("post", "", {"name": "Sweep", "code": "1"}).json()["code"] == "task_exists"
    Loader().step(now=NOON)
    back = call("post", f"/{sweep.pk}/restore")
    assert (back.status_code, back.json()["deleted"], back.json()["schedule"]) == (200, False, "30 * * * *")
    assert call("post", f"/{sweep.pk}/restore").json()["code"] == "task_not_deleted"
    assert actions() == ["task.edit", "task.delete", "task.restore"]


def test_a_task_that_left_its_file_is_not_there(call, sweep, file):
    file.write_text("[]")
    Loader().step(now=NOON)
    for verb, path in (("get", ""), ("patch", ""), ("delete", ""), ("post", "/restore"), ("post", "/run")):
        answer = call(verb, f"/{sweep.pk}{path}", None if verb == "get" else {})
        assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found"), path
    assert call("get", "?deleted=true").json()["count"] == 0


def test_a_custom_task_is_removed_once_nothing_of_it_is_open(call):
    custom = call("post", "", {"name": "Mine", "code": "1"}).json()["id"]
    job = make_job(task=Task.objects.get(pk=custom), state=JobState.QUEUED)
    refused = call("delete", f"/{custom}")
    assert (refused.status_code, refused.json()["code"]) == (409, "task_has_open_jobs")
    job.delete()
    assert call("delete", f"/{custom}").status_code == 204
    assert call("get", f"/{custom}").status_code == 404
    assert not Task.objects.filter(pk=custom).exists()


def test_reset_is_for_tasks_that_have_a_file(call, sweep):
    call("patch", f"/{sweep.pk}", {"enabled": False})
    assert call("post", f"/{sweep.pk}/reset").json()["source"] == "default"
    custom = call("post", "", {"name": "Mine", "code": "1"}).json()["id"]
    assert call("post", f"/{custom}/reset").json()["code"] == "no_definition"


def test_a_duplicate_takes_a_free_name_and_runs_nothing_twice(call, sweep):
    first = call("post", f"/{sweep.pk}/duplicate")
    assert first.status_code == 201
    assert (first.json()["name"], first.json()["enabled"], first.json()["custom"]) == (
        "Sweep copy",
        False,
        True,
    )
    other = call("post", f"/{sweep.pk}/duplicate", {"name": "Mop", "schedule": "5 * * * *"}).json()
    assert (other["name"], other["enabled"], other["schedule"]) == ("Mop", True, "5 * * * *")
    by_hand = call("post", f"/{sweep.pk}/duplicate", {"schedule": None}).json()
    assert (by_hand["enabled"], by_hand["schedule"]) == (True, None)
    clash = call("post", f"/{sweep.pk}/duplicate", {"name": "Mop"})
    assert (clash.status_code, clash.json()["code"], list(clash.json()["fields"])) == (
        409,
        "task_exists",
        ["name"],
    )
    for body, field in (
        ({"schedule": "x"}, "schedule"),
        ({"name": "n" * 129}, "name"),
        ({"app": "Nowhere"}, "app"),
    ):
        answer = call("post", f"/{sweep.pk}/duplicate", body)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_a_copy_goes_to_an_app_that_is_there_and_has_no_such_task(call, sweep, home):
    (home / "apps" / "Shop").mkdir(parents=True)
    (home / "apps" / "Shop" / "app.yaml").write_text("name: Shop\nversion: 1.0.0\nenabled: true\n")
    answer = call("post", f"/{sweep.pk}/copy", {"targetApp": "Shop"})
    assert (answer.status_code, answer.json()["name"], answer.json()["app"]) == (201, "Sweep", "Shop")
    assert call("post", f"/{sweep.pk}/copy", {"targetApp": "Shop"}).status_code == 409
    for body in ({"targetApp": "Nowhere"}, {"targetApp": "../.."}, {"targetApp": 5}, {}):
        assert call("post", f"/{sweep.pk}/copy", body).status_code == 400
    call("patch", f"/{sweep.pk}", {"enabled": False})
    assert call("get", f"/{answer.json()['id']}").json()["schedule"] == "0 * * * *"


def test_a_test_says_what_stands_in_the_way(call):
    def looks(**given):
        task = call("post", "", {"name": f"T{Task.objects.count()}", **given}).json()["id"]
        report = call("post", f"/{task}/test").json()
        return report["ok"], {look["name"]: look["ok"] for look in report["looks"]}

    assert looks(code="1 + 1") == (True, {"exists": True, "interpreter": True, "compiles": True})
    assert looks(code="1 +") == (False, {"exists": True, "interpreter": True, "compiles": False})
    ok, found = looks(path="gone.py")
    assert not ok and found["exists"] is False and found["compiles"] is None


def test_a_disabled_task_runs_by_hand_and_a_switch_is_not_written_down_twice(call, sweep):
    assert not call("post", f"/{sweep.pk}/disable").json()["enabled"]
    assert not call("post", f"/{sweep.pk}/disable").json()["enabled"]
    ran = call("post", f"/{sweep.pk}/run", {"parameters": {"depth": 2, "more": "x"}})
    job = ran.json()
    assert (ran.status_code, job["started"], job["task"]["id"] if isinstance(job["task"], dict) else job["task"]) == (
        202, True, sweep.pk,
    )  # fmt: skip
    assert job["parameters"] == {"depth": 2, "more": "x"}
    assert job["name"].startswith("Task_Sweep_")
    assert actions() == ["task.disable", "job.create"]


def test_a_task_of_a_disabled_app_does_not_run(call, home):
    app = home / "apps" / "Shop"
    app.mkdir(parents=True)
    (app / "app.yaml").write_text("name: Shop\nversion: 1.0.0\nenabled: true\n")
    task = call("post", "", {"name": "Sell", "app": "Shop", "code": "1"}).json()["id"]
    (app / "app.yaml").write_text("name: Shop\nversion: 1.0.0\nenabled: false\n")
    refused = call("post", f"/{task}/run", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "app_disabled")
    (app / "app.yaml").write_text("name: Shop\nversion: 1.0.0\nenabled: true\n\n")
    assert call("post", f"/{task}/run", {}).status_code == 202


def test_the_list_can_be_put_in_order(call):
    for name, failures in (("b", 3), ("a", 1), ("c", 2)):
        task = call("post", "", {"name": name, "code": "1"}).json()["id"]
        Task.objects.filter(pk=task).update(failure_count=failures, last_run_at=NOON + failures * MINUTE)

    def names(ordering):
        return [row["name"] for row in call("get", f"?ordering={ordering}").json()["results"]]

    assert names("-name") == ["c", "b", "a", "Sweep", "Once"]
    assert names("-failure_count")[:3] == ["b", "c", "a"]
    assert names("last_run_at")[:3] == ["a", "c", "b"], "those that never ran come last"
    assert names("-last_run_at")[:3] == ["b", "c", "a"]
