"""Ad-hoc jobs as a program meets them: over REST, against a real `up`, line by line of what must hold."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acceptance.harness import Installation
from tests.acceptance.http_client import Answer, HttpClient
from tests.support import wait_until

pytestmark = pytest.mark.processes

JOBS = "/api/v1/jobs"


class Api:
    """What a caller does with jobs."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.http = installation.client()

    def client(self) -> HttpClient:
        return self.installation.client()

    def post(self, code: str = "None", **fields: Any) -> Answer:
        return self.http.post(JOBS, {"language": "python", "code": code} | fields)

    def made(self, code: str = "None", **fields: Any) -> str:
        answer = self.post(code, **fields)
        assert answer.status in (201, 202), answer.text
        return str(answer.json()["id"])

    def get(self, job: str, more: str = "") -> Any:
        answer = self.http.get(f"{JOBS}/{job}{more}")
        assert answer.status == 200, answer.text
        return answer.json()

    def act(self, job: str, verb: str, body: Any = None) -> Answer:
        return self.http.post(f"{JOBS}/{job}/{verb}", {} if body is None else body)

    def until(self, job: str, *states: str, seconds: float = 30) -> Any:
        """The job's detail as soon as it is in one of these states (any end, if none is named)."""
        wanted = states or ("completed", "failed", "stopped")

        def look() -> Any:
            found = self.get(job)
            return found if found["state"] in wanted else None

        return wait_until(look, seconds, f"{job} is {' or '.join(wanted)}")

    def ran(self, code: str, **fields: Any) -> Any:
        return self.until(self.made(code, start=True, **fields))

    def result(self, job: str) -> bytes:
        answer = self.http.get(f"{JOBS}/{job}/result")
        assert answer.status == 200
        return answer.body


@pytest.fixture(scope="module")
def api(shared_installation: Installation) -> Api:
    """One `up` for all tests of this file; each makes jobs of its own."""
    shared_installation.start()
    return Api(shared_installation)


def test_a_created_job_waits_for_its_start(api: Api) -> None:
    answer = api.post("1 + 1")
    assert answer.status == 201
    job = answer.json()
    assert job["state"] == "created" and job["started_at"] is None
    assert api.get(job["id"])["state"] == "created"

    started = api.act(job["id"], "start")
    assert (started.status, started.json()["started"]) == (202, True)
    again = api.act(job["id"], "start")
    assert (again.status, again.json()["started"]) == (200, False)
    assert api.until(job["id"])["state"] == "completed"
    assert api.result(job["id"]) == b"2"


def test_a_job_may_start_with_its_creation(api: Api) -> None:
    answer = api.post("'now'", start=True)
    assert (answer.status, answer.json()["started"]) == (202, True)
    assert api.until(answer.json()["id"])["reason"] in (None, "")


def test_the_callers_own_id_is_compared_without_case(api: Api) -> None:
    assert api.made(id="My-Job.1") == "my-job.1"
    repeated = api.post(id="MY-JOB.1")
    assert (repeated.status, repeated.json()["code"]) == (409, "duplicate_job")
    assert "my-job.1" in repeated.json()["error"]
    assert api.get("mY-jOB.1")["name"] == "Job my-job.1"


def test_fifty_starts_at_once_are_one(api: Api) -> None:
    job = api.made("None")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: api.client().post(f"{JOBS}/{job}/start", {}), range(50)))
    assert sorted(answer.json()["started"] for answer in answers) == [False] * 49 + [True]
    assert api.until(job)["attempt"] == 1


def test_fifty_equal_calls_with_one_key_make_one_job(api: Api) -> None:
    key, name = str(uuid4()), f"keyed {uuid4()}"
    body = {"language": "python", "code": "None", "name": name}
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: api.client().post(JOBS, body, **{"Idempotency-Key": key}), range(50))
        )
    assert {answer.status for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status == 201]
    assert len({answer.json()["id"] for answer in made}) == 1
    assert sum("Idempotent-Replay" not in answer.headers for answer in made) == 1
    found = api.http.get(JOBS, limit=500).json()["results"]
    assert sum(job["name"] == name for job in found) == 1
    other = api.http.post(JOBS, body | {"code": "2"}, **{"Idempotency-Key": key})
    assert other.status == 409


def test_a_start_may_wait_for_the_end(api: Api) -> None:
    job = api.made("import time; time.sleep(0.3); 'waited'")
    answer = api.http.post(f"{JOBS}/{job}/start?wait=20", {})
    assert answer.json()["state"] == "completed"
    slow = api.made("import time; time.sleep(60)")
    begun = time.monotonic()
    answer = api.http.post(f"{JOBS}/{slow}/start?wait=0.5", {})
    assert answer.json()["state"] in ("queued", "running")
    assert time.monotonic() - begun < 10
    api.act(slow, "cancel")
    api.until(slow)


@pytest.mark.parametrize("value", ["0", "False", "''", "[]", "{}", "None", "1.5", "'\\u00e4 <b>'"])
def test_a_result_comes_bare(api: Api, value: str) -> None:
    job = api.made(value)
    assert api.result(job) == b"null"
    api.act(job, "start")
    api.until(job)
    assert json.loads(api.result(job)) == eval(value)  # noqa: S307 - literals from above


def test_emitted_items_are_a_list_even_one_alone(api: Api) -> None:
    job = api.ran("emit(7)")
    assert json.loads(api.result(job["id"])) == [7]


def test_cancel_before_the_start_and_after_the_end(api: Api) -> None:
    job = api.made()
    answer = api.act(job, "cancel")
    assert (answer.status, answer.json()["state"]) == (200, "stopped")
    assert api.get(job)["progress"]["status_message"] == "Cancelled before start"
    again = api.act(job, "cancel")
    assert (again.status, again.json()["code"]) == (409, "job_ended") and "stopped" in again.json()["error"]
    started = api.act(job, "start")
    assert started.json()["started"] is False


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "import time\nprint('up', flush=True)\ntime.sleep(60)"),
        ("python", "print('up', flush=True)\nwhile True: pass"),
        ("shell", "echo up; trap '' TERM; setsid sleep 60 & while :; do sleep 1; done"),
        ("shell", "echo up; sleep 60"),
    ],
)
def test_cancel_of_a_running_job_leaves_no_process(api: Api, language: str, code: str) -> None:
    job = api.made(code, language=language, start=True)
    wait_until(lambda: "up" in api.http.get(f"{JOBS}/{job}/output").text, 20, "the script runs")
    before = {process.pid for process in api.installation.remember()}
    begun = time.monotonic()
    assert api.act(job, "cancel").status == 202
    assert api.act(job, "cancel").status in (202, 409)
    ended = api.until(job)
    assert time.monotonic() - begun < 10 + 5
    assert (ended["state"], ended["reason"]) == ("stopped", "user")
    sleepers = [each for each in api.installation.living() if each.pid in before and "sleep" in each.name()]
    assert sleepers == []


def test_an_end_after_a_cancel_is_stopped_and_keeps_what_there_was(api: Api) -> None:
    code = (
        "import time\nprint('first', flush=True)\nemit('kept')\n"
        "while not context.cancelled: time.sleep(0.01)\nprint('last')"
    )
    job = api.made(code, start=True)
    wait_until(lambda: "first" in api.http.get(f"{JOBS}/{job}/output").text, 20, "the script runs")
    api.act(job, "cancel")
    ended = api.until(job)
    assert (ended["state"], ended["reason"]) == ("stopped", "user")
    assert json.loads(api.result(job)) == ["kept"]
    assert "first" in api.http.get(f"{JOBS}/{job}/output").text


def test_an_uncaught_error_is_readable(api: Api) -> None:
    ended = api.ran(
        "import sys\nprint('warned', file=sys.stderr)\ndef f():\n    raise ValueError('no luck')\nf()"
    )
    assert (ended["state"], ended["reason"]) == ("failed", "error")
    assert (ended["error"]["type"], ended["error"]["message"]) == ("ValueError", "no luck")
    assert "line 4, in f" in ended["error"]["traceback"]
    fine = api.ran("import sys, warnings; print('x', file=sys.stderr); warnings.warn('careful')")
    assert fine["state"] == "completed"


def test_progress_is_seen_while_the_job_runs(api: Api) -> None:
    code = (
        "import time\nprogress.percent_complete = 40\nprogress.status_message = 'Copying'\n"
        "while not context.cancelled: time.sleep(0.01)"
    )
    job = api.made(code)
    fresh = api.get(job)["progress"]
    assert (fresh["percent_complete"], fresh["status_message"], fresh["is_terminal"]) == (
        0,
        "Not started",
        False,
    )
    api.act(job, "start")
    wait_until(lambda: api.get(job)["progress"]["status_message"] == "Copying", 20, "the progress is seen")
    assert api.get(job)["progress"]["percent_complete"] == 40
    api.act(job, "cancel")
    ended = api.until(job)["progress"]
    assert (ended["percent_complete"], ended["status_message"], ended["is_terminal"]) == (
        40,
        "Cancelled",
        True,
    )


def test_times_are_utc_and_a_duration_needs_both_ends(api: Api) -> None:
    job = api.made("None")
    fresh = api.get(job)
    assert fresh["created_at"].endswith("Z") and fresh["duration"] is None and fresh["finished_at"] is None
    api.act(job, "start")
    ended = api.until(job)
    assert ended["finished_at"].endswith("Z") and ended["duration"] >= 0
    assert ended["created_at"] <= ended["queued_at"] <= ended["started_at"] <= ended["finished_at"]


def test_remove_takes_an_ended_job_and_its_output_and_leaves_its_history(api: Api) -> None:
    waiting = api.made()
    refused = api.http.delete(f"{JOBS}/{waiting}")
    assert (refused.status, refused.json()["code"]) == (409, "job_still_open")
    assert api.get(waiting)["state"] == "created"

    job = api.ran("print('something')")
    folder = _output_folder(api.installation.home, job["uuid"])
    assert folder is not None
    assert api.http.delete(f"{JOBS}/{job['id']}").status == 204
    assert api.http.get(f"{JOBS}/{job['id']}").status == 404
    wait_until(lambda: _output_folder(api.installation.home, job["uuid"]) is None, 20, "its output is gone")
    history = api.http.get("/api/v1/executions", limit=500).json()["results"]
    assert job["uuid"] in {row["job"] for row in history}


def _output_folder(home: Path, uuid: str) -> Path | None:
    return next(
        (found for name in (uuid, uuid.replace("-", "")) for found in (home / "output").rglob(name)), None
    )


def test_delete_may_stop_first(api: Api) -> None:
    job = api.made("import time; time.sleep(60)", start=True)
    api.until(job, "running")
    wait_until(lambda: api.http.delete(f"{JOBS}/{job}?stop=true").status in (204, 404), 30, "it is gone")
    assert api.http.get(f"{JOBS}/{job}").status == 404


def test_a_job_spawns_children_and_goes_with_them(api: Api) -> None:
    code = "ids = [context.spawn('None'), context.spawn('import time; time.sleep(60)', start=True)]\nids"
    parent = api.ran(code)
    quick, slow = json.loads(api.result(parent["id"]))
    assert set(api.get(parent["id"])["children"]) == {quick, slow}
    assert api.get(quick)["parent"] == parent["id"]
    api.until(slow, "running")
    assert api.http.delete(f"{JOBS}/{parent['id']}").json()["code"] == "job_still_open"
    api.act(slow, "cancel")
    api.until(slow)
    api.until(quick)
    assert api.http.delete(f"{JOBS}/{parent['id']}").status == 204
    assert [api.http.get(f"{JOBS}/{job}").status for job in (quick, slow)] == [404, 404]


def test_a_list_is_a_summary_in_a_stable_order(api: Api) -> None:
    marked = [api.made(f"print('secret output {n}')", name=f"listed {n}") for n in range(3)]
    first = api.http.get(JOBS, limit=2).json()
    assert first["count"] >= 3 and first["next"] and len(first["results"]) == 2
    for row in first["results"]:
        assert not {"result", "error", "code", "parameters"} & set(row)
    seen, path = [], f"{JOBS}?limit=2"
    while path:
        page = api.http.get(path.removeprefix(api.installation.address)).json()
        seen += [row["id"] for row in page["results"]]
        path = page["next"] or ""
    assert [job for job in seen if job in marked] == marked[::-1]
    assert len(seen) == len(set(seen))


def test_name_and_description_can_change_later(api: Api) -> None:
    job = api.made()
    assert api.http.patch(f"{JOBS}/{job}", {"name": "Better", "description": "Why"}).status == 200
    assert (api.get(job)["name"], api.get(job)["description"]) == ("Better", "Why")
    blank = api.http.patch(f"{JOBS}/{job}", {"name": " "})
    assert blank.status == 400 and "name" in blank.json()["fields"]
    assert api.get(job)["name"] == "Better"


def test_what_waits_says_why_and_goes_by_priority(api: Api) -> None:
    pool = api.http.get("/api/v1/pools").json()["results"]
    most = next(row for row in pool if row["name"] == "default")["max_runspaces"]
    sleepers = [api.made("import time; time.sleep(600)", start=True) for _ in range(most)]
    for job in sleepers:
        api.until(job, "running", seconds=60)
    low = api.made("import time; time.time()", start=True, priority=-5)
    high = api.made("import time; time.time()", start=True, priority=5)
    assert api.get(low)["state"] == "queued"
    assert api.get(low)["waiting_for"] == "runspace"
    for job in sleepers:
        api.act(job, "cancel")
    first, second = api.until(high), api.until(low)
    assert first["claimed_at" if "claimed_at" in first else "started_at"] <= second["started_at"]


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        ({"language": "cobol"}, 400, "language"),
        ({"code": "def ("}, 400, "code"),
        ({"code": "x" * (1024 * 1024 + 1)}, 400, "code"),
        ({"code": "# " + "x" * 5_000_000}, 413, ""),
        ({"code": "a\0b"}, 400, "code"),
        ({"code": "('" + "[" * 100_000}, 400, "code"),
        ({"name": "\ud800"}, 400, ""),
        ({"name": 5}, 400, "name"),
        ({"priority": 10**30}, 400, ""),
        ({"priority": 101}, 400, "priority"),
        ({"timeout": 0}, 400, "timeout"),
        ({"start": "yes"}, 400, "start"),
        ({"colour": "red"}, 400, "colour"),
        ({"pool": "nowhere"}, 400, "pool"),
        ({"app": "Nobody", "path": "x.py", "code": ""}, 400, "app"),
        ({"id": "../../etc"}, 400, "id"),
        ({"parameters": [1]}, 400, "parameters"),
        ({"environment": {"A=B": "c"}}, 400, "environment"),
        ({"parent": "no-such-job"}, 400, "parent"),
    ],
)
def test_bad_input_is_refused_by_name_and_leaves_nothing(
    api: Api, fields: dict[str, Any], status: int, word: str
) -> None:
    before = api.http.get(JOBS, limit=1).json()["count"]
    answer = api.http.post(JOBS, {"language": "python", "code": "None"} | fields)
    assert answer.status == status, answer.text[:500]
    body = answer.json()
    assert body["success"] is False and body["code"] and body["timestamp"].endswith("Z")
    if word:
        assert word in body["fields"], body
    after = api.http.get(JOBS, limit=1)
    assert (after.status, after.json()["count"]) == (200, before)


def test_json_that_is_too_deep_or_none_at_all_is_refused(api: Api) -> None:
    deep = (
        b'{"language": "python", "code": "None", "parameters": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}"
    )
    for body in (
        deep,
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"code": "None", "code": "None", "language": "python"}',
        b"NaN",
    ):
        answer = api.http.post(JOBS, body)
        assert answer.status == 400, (body[:60], answer.text[:300])
        assert answer.json()["success"] is False


def test_unknown_jobs_and_strangers_get_the_stated_answers(api: Api) -> None:
    assert api.http.get(f"{JOBS}/{uuid4()}").status == 404
    for verb in ("start", "cancel", "stop", "remove", "restart"):
        assert api.act(str(uuid4()), verb).status == 404
    stranger = api.installation.client(token="")
    assert stranger.get(JOBS).status == 401
    assert api.installation.client(token="wrong").get(JOBS).status == 401


def test_what_nobody_reads_never_blocks_a_script(api: Api) -> None:
    code = (
        "import ctypes\nlibc = ctypes.PyDLL(None)\nline = b'x' * 99 + b'\\n'\n"
        "for _ in range(200_000): libc.write(1, line, 100)\n'through'"
    )
    job = api.ran(code)
    assert (job["state"], json.loads(api.result(job["id"]))) == ("completed", "through")
    assert job["output"]["bytes"] == 20_000_000 and job["output"]["lines"] == 200_000
    assert job["output"]["dropped"] > 0
    chunk = api.http.get(f"{JOBS}/{job['id']}/output", line=1, lines=5).json()
    assert len(chunk["lines"]) == 5
    middle = api.http.get(f"{JOBS}/{job['id']}/output", offset=5_000_000, limit=100).json()
    assert middle["gaps"] and middle["gaps"][0]["bytes"] > 0


@pytest.mark.parametrize(
    ("code", "error"), [("object()", "result_not_json"), ("'x' * 1_100_000", "result_too_large")]
)
def test_a_result_that_cannot_be_kept_fails_the_job_by_name(api: Api, code: str, error: str) -> None:
    job = api.ran(f"print('kept')\n{code}")
    assert (job["state"], job["reason"], job["error"]["type"]) == ("failed", "output", error)
    assert "kept" in api.http.get(f"{JOBS}/{job['id']}/output").text


def test_reading_changes_nothing(api: Api) -> None:
    job = api.made()
    for path in ("", "/start", "/cancel", "/stop", "/remove", "/restart", "/result", "/output"):
        assert api.http.get(f"{JOBS}/{job}{path}").status in (200, 404, 405)
    assert api.get(job)["state"] == "created"


def test_a_failed_job_runs_again_as_a_new_one(api: Api) -> None:
    failed = api.ran("1 / 0", name="Flaky")
    answer = api.act(failed["id"], "restart")
    assert answer.status == 202
    again = api.until(answer.json()["id"])
    assert again["id"] != failed["id"] and again["restarted_from"] == failed["id"]
    assert api.get(failed["id"])["state"] == "failed"
