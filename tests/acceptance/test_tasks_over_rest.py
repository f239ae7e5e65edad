"""Tasks as a program meets them: over REST and in files, against a real `up`."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.harness import Installation
from tests.acceptance.http_client import Answer
from tests.support import wait_until

pytestmark = pytest.mark.processes

TASKS = "/api/v1/tasks"
# So long may a changed file take to count.
SEEN_SECONDS = 10

ALPHA = """
tasks:
  - name: Shared
    script: {code: "print('said by alpha'); [context.app, context.parameters, dict(context.environment)]"}
    schedule: {cron: "0 5 * * *", timezone: Europe/Berlin}
    environment: {WHO: alpha, KEPT: "yes"}
    parameters: {depth: 1}
    termination: {maxRuntime: 60}
  - name: Gives up
    code: "raise ValueError('no luck')"
    termination: {maxFailures: 2}
  - name: Tries twice
    code: "if context.attempt == 1: raise ValueError('not yet')\\ncontext.trigger"
    retry: {maxAttempts: 2, backoff: 0}
  - name: Overstays
    code: "import time; time.sleep(60)"
    termination: {maxRuntime: 1}
  - name: May overstay
    code: "import time; time.sleep(2.5); 'through'"
    termination: {maxRuntime: 1, killOnTimeout: false}
  - {name: No script, scriptPath: scripts/nothing.py}
  - {name: Says no, code: "{'Success': False}"}
"""
BETA = """
- {name: Shared, code: "[context.app, context.parameters, dict(context.environment)]"}
"""


class Api:
    """What a caller does with tasks."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.http = installation.client()

    def made(self, **fields: Any) -> Any:
        answer = self.http.post(TASKS, {"name": f"Task {uuid4().hex[:8]}", "code": "None"} | fields)
        assert answer.status == 201, answer.text
        return answer.json()

    def find(self, app: str, name: str) -> Any:
        """The task in the list, or None."""
        rows = self.http.get(TASKS, app=app or "-", limit=500).json()["results"]
        return next((row for row in rows if row["name"] == name), None)

    def id(self, app: str, name: str) -> int:
        found = wait_until(lambda: self.find(app, name), SEEN_SECONDS, f"there is {app}/{name}")
        return int(found["id"])

    def get(self, task: int, more: str = "") -> Any:
        answer = self.http.get(f"{TASKS}/{task}{more}")
        assert answer.status == 200, answer.text
        return answer.json()

    def act(self, task: int, verb: str, body: Any = None) -> Answer:
        return self.http.post(f"{TASKS}/{task}/{verb}", {} if body is None else body)

    def ran(self, task: int, **parameters: Any) -> Any:
        """Run it by hand and return its job when it has ended."""
        answer = self.act(task, "run", {"parameters": parameters} if parameters else {})
        assert (answer.status, answer.json()["started"]) == (202, True), answer.text
        return self.ended(answer.json()["id"])

    def ended(self, job: str) -> Any:
        def look() -> Any:
            found = self.http.get(f"/api/v1/jobs/{job}").json()
            return found if found["state"] in ("completed", "failed", "stopped") else None

        return wait_until(look, 30, f"{job} has ended")

    def result(self, job: Any) -> Any:
        return json.loads(self.http.get(f"/api/v1/jobs/{job['id']}/result").body)

    def history(self, task: int) -> list[Any]:
        return list(self.get(task, "/history")["results"])


@pytest.fixture(scope="module")
def api(shared_installation: Installation) -> Api:
    """One `up` with two apps for all tests of this file; each has tasks of its own or puts them back."""
    for name, tasks in (("Alpha", ALPHA), ("Beta", BETA)):
        _write(shared_installation.home / "apps" / name / "app.yaml", _manifest(name))
        _write(_file(shared_installation, name), tasks)
    shared_installation.start()
    return Api(shared_installation)


def _manifest(name: str, *, enabled: bool = True) -> str:
    return f"name: {name}\nversion: '1.0'\nenabled: {str(enabled).lower()}\n"


def _file(installation: Installation, app: str) -> Path:
    folder = installation.home / "apps" / app if app else installation.home
    return folder / "config" / "tasks.yaml"


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _soon(seconds: float = 1.5) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_equal_names_in_two_apps_share_nothing(api: Api) -> None:
    alpha, beta = api.id("Alpha", "Shared"), api.id("Beta", "Shared")
    assert alpha != beta
    before = len(api.history(alpha)), len(api.history(beta))
    app, parameters, environment = api.result(api.ran(alpha, more=2))
    assert (app, parameters) == ("Alpha", {"depth": 1, "more": 2})
    assert (environment["WHO"], environment["KEPT"]) == ("alpha", "yes")
    app, parameters, environment = api.result(api.ran(beta))
    assert (app, parameters) == ("Beta", {}) and "WHO" not in environment
    assert (len(api.history(alpha)), len(api.history(beta))) == (before[0] + 1, before[1] + 1)


def test_a_run_by_hand_is_named_and_moves_no_due_time(api: Api) -> None:
    task = api.id("Alpha", "Shared")
    due = api.get(task)["next_due_at"]
    job = api.ran(task)
    started = datetime.fromisoformat(job["created_at"])
    assert job["name"] == f"Task_Shared_{started:%Y%m%d_%H%M%S}"
    assert (job["trigger"], job["due_at"], job["task"]) == ("api", None, task)
    assert api.get(task)["next_due_at"] == due
    assert api.get(task, "/occurrences")["count"] == 0


def test_a_file_edited_meanwhile_counts_within_ten_seconds(api: Api) -> None:
    file = _file(api.installation, "")
    _write(file, "Nightly: {code: '1', schedule: '0 3 * * *', maxRuntime: 7}\n".join(("tasks:\n  ", "")))
    task = api.id("", "Nightly")
    assert (api.get(task)["schedule"], api.get(task)["source"]) == ("0 3 * * *", "default")

    _write(file, "- {name: Nightly, script: {code: '2'}, schedule: {cron: 0 4 * * *}}\n")
    wait_until(lambda: api.get(task)["schedule"] == "0 4 * * *", SEEN_SECONDS, "the new schedule counts")
    assert (api.get(task)["code"], api.get(task)["termination"]["max_runtime"]) == ("2", None)

    file.unlink()
    wait_until(lambda: api.find("", "Nightly") is None, SEEN_SECONDS, "it has left with its file")
    assert api.act(task, "run").status == 404


def test_a_broken_file_is_told_exactly_and_stops_no_other(api: Api) -> None:
    broken, other = _file(api.installation, "Alpha"), _file(api.installation, "Beta")
    try:
        _write(broken, ALPHA + "  - name: Late\n    code: '1'\n    schedule: 61 * * * *\n")
        _write(other, BETA + "- {name: Newcomer, code: '1'}\n")
        api.id("Beta", "Newcomer")
        assert api.find("Alpha", "Shared") and not api.find("Alpha", "Late")
        (problem,) = api.http.get("/api/v1/apps/Alpha").json()["problems"]
        line = broken.read_text().splitlines().index("    schedule: 61 * * * *") + 1
        assert problem.startswith(f"{broken}, line {line}: tasks[7].schedule: minute: 61 is not in 0-59")
        job = api.ran(api.id("Alpha", "Shared"))
        assert job["state"] == "completed"
    finally:
        _write(broken, ALPHA)
        _write(other, BETA)
    wait_until(lambda: not api.http.get("/api/v1/apps/Alpha").json()["problems"], 5, "nothing is wrong")


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_outside_the_calendar_is_refused_and_stops_no_file(api: Api, moment: str) -> None:
    answer = api.http.post(TASKS, {"name": "Never", "code": "1", "at": moment})
    assert (answer.status, list(answer.json()["fields"])) == (400, ["at"])
    other, broken = _file(api.installation, "Beta"), _file(api.installation, "")
    try:
        _write(broken, f"- {{name: Never, code: '1', at: '{moment}'}}\n")
        _write(other, BETA + "- {name: Beside, code: '1'}\n")
        api.id("Beta", "Beside")
    finally:
        broken.unlink()
        _write(other, BETA)
    wait_until(lambda: api.find("Beta", "Beside") is None, SEEN_SECONDS, "it has left")


def test_a_one_off_task_fires_once_and_switches_itself_off(api: Api) -> None:
    task = api.made(code="[str(context.due_at), context.trigger]", at=_soon())
    ended = wait_until(lambda: api.history(task["id"]), 20, "it has run")
    (run,) = ended
    assert (run["status"], run["trigger"], run["due_at"]) == ("success", "scheduled", task["at"])
    due, trigger = api.result({"id": run["job"]})
    assert (datetime.fromisoformat(due), trigger) == (datetime.fromisoformat(task["at"]), "scheduled")
    (occurrence,) = api.get(task["id"], "/occurrences")["results"]
    assert (occurrence["decision"], occurrence["due_at"], occurrence["job"]) == (
        "fired", task["at"], run["job"],
    )  # fmt: skip
    over = api.get(task["id"])
    assert (over["enabled"], over["next_due_at"], over["last_status"]) == (False, None, "success")
    assert api.get(task["id"], "/next-runs")["results"] == []


def test_a_disabled_task_is_not_fired_but_runs_by_hand(api: Api) -> None:
    task = api.made(at=_soon(), enabled=False)
    skipped = wait_until(lambda: api.get(task["id"], "/occurrences")["results"], 20, "it is decided")
    assert [(row["decision"], row["reason"]) for row in skipped] == [("skipped", "disabled")]
    assert api.history(task["id"]) == []
    assert api.ran(task["id"])["state"] == "completed"


def test_a_disabled_app_fires_nothing_and_says_why(api: Api) -> None:
    manifest = api.installation.home / "apps" / "Beta" / "app.yaml"
    _write(manifest, _manifest("Beta", enabled=False))
    try:
        app = "/api/v1/apps/Beta"
        wait_until(lambda: not api.http.get(app).json()["enabled"], SEEN_SECONDS, "it is off")
        task = api.made(app="Beta", at=_soon())
        refused = api.act(task["id"], "run")
        assert (refused.status, refused.json()["code"]) == (409, "app_disabled")
        skipped = wait_until(lambda: api.get(task["id"], "/occurrences")["results"], 20, "it is decided")
        assert [(row["decision"], row["reason"]) for row in skipped] == [("skipped", "app_disabled")]
        assert api.history(task["id"]) == []
    finally:
        _write(manifest, _manifest("Beta"))

    def begun() -> Any:
        answer = api.act(api.id("Beta", "Shared"), "run")
        return answer.json() if answer.status == 202 else None

    assert api.ended(wait_until(begun, SEEN_SECONDS, "it is on")["id"])["state"] == "completed"


def test_an_override_changes_merges_and_can_be_taken_back(api: Api) -> None:
    task = api.id("Alpha", "Shared")
    before = api.get(task)
    changes = {
        "enabled": False, "schedule": "*/5 * * * *", "environment": {"WHO": "me", "NEW": "1"},
        "parameters": {"depth": 9}, "termination": {"max_runtime": 5},
    }  # fmt: skip
    answer = api.http.patch(f"{TASKS}/{task}", changes)
    assert answer.status == 200, answer.text
    after = answer.json()
    assert (after["source"], after["enabled"], after["schedule"]) == ("overridden", False, "*/5 * * * *")
    assert after["environment"] == {"WHO": "me", "KEPT": "yes", "NEW": "1"}
    assert after["last_modified"] > before["last_modified"]
    assert api.result(api.ran(task))[1] == {"depth": 9}
    refused = api.http.patch(f"{TASKS}/{task}", {"description": "x"})
    assert (refused.status, refused.json()["code"]) == (409, "defined_by_file")

    reset = api.act(task, "reset").json()
    moving = ("last_modified", "last_run_at", "last_status", "next_due_at", "is_running")
    assert [name for name in before if before[name] != reset[name] and name not in moving] == []
    assert reset["last_modified"] > after["last_modified"]


def test_a_deleted_task_is_out_until_it_is_restored(api: Api) -> None:
    task = api.id("Alpha", "Says no")
    assert api.http.delete(f"{TASKS}/{task}").status == 204
    assert api.find("Alpha", "Says no") is None
    assert [api.act(task, verb).status for verb in ("run", "enable", "duplicate")] == [409] * 3
    assert task in {row["id"] for row in api.http.get(TASKS, deleted="true").json()["results"]}
    assert api.act(task, "restore").status == 200
    assert api.find("Alpha", "Says no")["id"] == task
    assert api.act(task, "restore").status == 409


def test_switched_off_and_on_again_nothing_is_overridden(api: Api) -> None:
    task = api.id("Alpha", "Shared")
    off = api.act(task, "disable").json()
    assert (off["enabled"], off["source"]) == (False, "overridden")
    on = api.act(task, "enable").json()
    assert (on["enabled"], on["source"], on["next_due_at"]) == (True, "default", api.get(task)["next_due_at"])


def test_failures_in_a_row_switch_a_task_off_once(api: Api) -> None:
    task = api.id("Alpha", "Gives up")
    assert api.ran(task)["state"] == "failed"
    wait_until(lambda: api.get(task)["failure_count"] == 1, 10, "it is counted")
    assert api.get(task)["enabled"]
    for _ in range(2):
        api.ran(task)
    wait_until(lambda: api.get(task)["failure_count"] == 3, 10, "all are counted")
    assert not api.get(task)["enabled"]
    told = api.http.get("/api/v1/audit", limit=500).json()["results"]
    of_task = [row for row in told if row["object_type"] == "task" and row["object_id"] == str(task)]
    assert len(of_task) == 1 and of_task[0]["after"]["enabled"] is False
    on = api.act(task, "enable").json()
    assert (on["enabled"], on["failure_count"]) == (True, 0)


def test_a_retry_is_an_attempt_of_its_own(api: Api) -> None:
    task = api.id("Alpha", "Tries twice")
    job = api.ran(task)
    assert (job["state"], job["attempt"], api.result(job)) == ("completed", 2, "retry")
    assert [(run["attempt"], run["status"], run["trigger"]) for run in api.history(task)] == [
        (2, "success", "retry"), (1, "failed", "api"),
    ]  # fmt: skip
    assert api.get(task)["failure_count"] == 0


def test_who_overstays_is_stopped_or_only_marked(api: Api) -> None:
    killed = api.act(api.id("Alpha", "Overstays"), "run").json()["id"]
    marked = api.act(api.id("Alpha", "May overstay"), "run").json()["id"]
    stopped, through = api.ended(killed), api.ended(marked)
    assert (stopped["state"], stopped["reason"]) == ("stopped", "timeout")
    assert api.history(stopped["task"])[0]["status"] == "terminated"
    assert (through["state"], stopped["overdue_at"]) == ("completed", None)
    assert through["started_at"] < through["overdue_at"] < through["finished_at"]


def test_a_missing_script_is_a_failure_that_says_so(api: Api) -> None:
    task = api.id("Alpha", "No script")
    looks = {look["name"]: look["ok"] for look in api.act(task, "test").json()["looks"]}
    assert (looks["inside"], looks["exists"]) == (True, False)
    job = api.ran(task)
    assert (job["state"], job["error"]["type"]) == ("failed", "script_missing")
    assert "scripts/nothing.py" in job["error"]["message"]
    assert [run["status"] for run in api.history(task)] == ["failed"]


def test_a_result_may_say_that_it_failed(api: Api) -> None:
    job = api.ran(api.id("Alpha", "Says no"))
    assert (job["state"], api.result(job)) == ("failed", {"Success": False})


def test_what_was_changed_goes_out_and_comes_in_again(api: Api) -> None:
    task = api.id("Beta", "Shared")
    custom = api.made(app="Beta", name="Exported", code="'mine'", schedule="@daily", tags=["kept"])
    api.http.patch(f"{TASKS}/{task}", {"environment": {"X": "1"}, "schedule": "0 1 * * *"})
    document = api.http.get(f"{TASKS}/export", app="Beta").json()
    assert document["version"] == "1.0"
    assert {"Shared", "Exported"} <= {entry["name"] for entry in document["tasks"]}

    api.act(task, "reset")
    assert api.http.delete(f"{TASKS}/{custom['id']}").status == 204
    tried = api.http.post(f"{TASKS}/import?dry_run=true", document).json()
    assert (tried["created"], tried["changed"], tried["dry_run"]) == (1, 1, True)
    assert api.find("Beta", "Exported") is None
    done = api.http.post(f"{TASKS}/import", document).json()
    assert (done["created"], done["changed"]) == (1, 1)
    again = api.http.post(f"{TASKS}/import", document).json()
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, len(document["tasks"]))

    assert api.get(task)["environment"] == {"X": "1"} and api.get(task)["schedule"] == "0 1 * * *"
    back = api.find("Beta", "Exported")
    assert (back["custom"], back["tags"], back["code"]) == (True, ["kept"], "'mine'")
    assert api.http.get(f"{TASKS}/export", app="Beta").json()["tasks"] == document["tasks"]
    api.act(task, "reset")


def test_one_wrong_entry_and_nothing_is_imported(api: Api) -> None:
    good = {"name": "Never made", "appName": "Beta", "custom": True, "code": "1"}
    wrong = {"name": "Shared", "appName": "Beta", "schedule": "61 * * * *"}
    answer = api.http.post(f"{TASKS}/import", {"version": "1.0", "tasks": [good, wrong]})
    assert (answer.status, list(answer.json()["fields"])) == (400, ["tasks[1].schedule"])
    assert api.find("Beta", "Never made") is None
    assert api.get(api.id("Beta", "Shared"))["source"] == "default"


def test_a_copy_runs_nothing_twice_and_needs_a_free_name(api: Api) -> None:
    task = api.made(schedule="0 5 * * *")
    copied = api.act(task["id"], "copy", {"targetApp": "Alpha"})
    assert (copied.status, copied.json()["app"], copied.json()["enabled"]) == (201, "Alpha", False)
    assert api.act(task["id"], "copy", {"targetApp": "Alpha"}).status == 409
    assert api.act(task["id"], "copy", {"targetApp": "Nowhere"}).status == 400
    twin = api.act(task["id"], "duplicate", {"schedule": "@hourly"}).json()
    assert (twin["name"], twin["enabled"]) == (f"{task['name']} copy", True)
    for each in (task, copied.json(), twin):
        assert api.http.delete(f"{TASKS}/{each['id']}").status == 204


def test_a_minutely_task_fires_on_the_minute_with_its_due_time(api: Api) -> None:
    task = api.made(code="str(context.due_at)", schedule="* * * * *")
    due = datetime.fromisoformat(task["next_due_at"])
    assert due.second == 0
    # The minute may be all but whole: the longest wait of this file.
    (run,) = wait_until(lambda: api.history(task["id"]), 75, "the minute has come", interval=0.2)
    assert datetime.fromisoformat(run["due_at"]) == due
    assert 0 <= (datetime.fromisoformat(run["started_at"]) - due).total_seconds() < 5
    assert datetime.fromisoformat(api.result({"id": run["job"]})) == due
    assert datetime.fromisoformat(api.get(task["id"])["next_due_at"]) == due + timedelta(minutes=1)
    api.act(task["id"], "disable")


def test_a_hostile_expression_is_refused_at_once(api: Api) -> None:
    for text in ("*" * 257, "0 0 30 2 *", ",".join(["0-59"] * 60) + " * * * *", "\u0661 * * * *"):
        begun = time.monotonic()
        answer = api.http.post(TASKS, {"name": "Hostile", "code": "1", "schedule": text})
        assert (answer.status, list(answer.json()["fields"])) == (400, ["schedule"])
        assert time.monotonic() - begun < 2
