"""Lists of jobs and executions: filters, pages, order, cost."""

from datetime import timedelta

import pytest

from jobs_app.models import Job
from jobs_app.states import JobState
from tests.support import MINUTE, NOON, make_execution, make_job, make_task, make_user

pytestmark = pytest.mark.django_db


def names(client, path):
    return [row["name"] for row in client.get(f"/api/v1/{path}").json()["results"]]


def test_the_newest_comes_first_and_the_order_holds(api_admin):
    for minute in (2, 0, 1):
        make_job(name=f"{minute}", now=NOON + minute * MINUTE)
    assert names(api_admin, "jobs") == names(api_admin, "jobs") == ["2", "1", "0"]


def test_a_line_says_nothing_of_result_error_output_and_code(api_admin):
    make_job(
        state=JobState.FAILED,
        error_message="boom",
        error_traceback="Traceback",
        result='"secret"',
        code="pass",
    )
    (line,) = api_admin.get("/api/v1/jobs").json()["results"]
    assert not {"result", "error", "output", "code", "parameters", "description"} & set(line)


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("created", {"created"}),
        ("CREATED", {"created"}),
        ("NotStarted", {"created", "queued"}),
        ("Success", {"completed"}),
        ("aborted", {"stopped"}),
        ("Terminated", {"stopped"}),
        ("failed,running", {"failed", "running"}),
        ("failed, NotStarted", {"failed", "created", "queued"}),
    ],
)  # fmt: skip
def test_states_are_found_by_their_own_and_other_words(api_admin, state, found):
    for each in JobState:
        make_job(state=each, name=each)
    answer = api_admin.get("/api/v1/jobs", {"state": state}).json()
    assert {row["state"] for row in answer["results"]} == found
    assert answer["count"] == len(found)


def test_each_filter_narrows_and_all_must_hold(api_admin):
    owner, task = make_user("ann"), make_task("daily", app="Demo")
    make_job(name="mine", owner=owner, task=task, app="Demo", pool="wide", language="shell", now=NOON)
    make_job(name="other", now=NOON + MINUTE)
    for query in ("owner=ann", "task=daily", "task=Demo/daily", f"task={task.pk}", "app=Demo", "pool=wide",
                  "language=shell", "search=MIN", "owner=ann&app=Demo&state=created"):  # fmt: skip
        assert names(api_admin, f"jobs?{query}") == ["mine"], query
    for query in ("owner=bob", "task=weekly", "task=Other/daily", "owner=ann&app=Other", "search=nothing"):
        assert names(api_admin, f"jobs?{query}") == [], query


def test_a_range_of_creation_times_has_its_begin_and_not_its_end(api_admin):
    for minute in range(4):
        make_job(name=f"{minute}", now=NOON + minute * MINUTE)
    begin, end = (NOON + MINUTE).isoformat(), (NOON + 3 * MINUTE).isoformat()
    answer = api_admin.get("/api/v1/jobs", {"created_after": begin, "created_before": end}).json()
    assert [row["name"] for row in answer["results"]] == ["2", "1"]


def test_executions_are_found_by_status_task_job_owner_and_time(api_admin):
    owner, task = make_user("ann"), make_task("daily")
    job = make_job(state=JobState.COMPLETED, public_id="mine")
    make_execution(job, status="failed")
    make_execution(name="hers", owner=owner.pk)
    make_execution(name="daily run", task=task.pk, finished_at=NOON + timedelta(days=1))
    assert names(api_admin, "executions") == ["daily run", "hers", job.name]
    assert names(api_admin, "executions?status=failed") == [job.name]
    assert (
        names(api_admin, "executions?job=MINE")
        == names(api_admin, f"executions?job={job.uuid}")
        == [job.name]
    )
    assert names(api_admin, "executions?owner=ann") == ["hers"]
    assert (
        names(api_admin, "executions?task=daily")
        == names(api_admin, f"tasks/{task.pk}/history")
        == ["daily run"]
    )
    assert names(api_admin, f"tasks/{task.pk}/history?status=failed") == []
    assert names(api_admin, "executions?finished_after=2026-03-11") == ["daily run"]
    assert names(api_admin, "executions?search=HERS") == ["hers"]
    Job.objects.all().delete()
    assert names(api_admin, "executions?job=mine") == [job.name]


def test_pages_follow_each_other_without_gap_or_repeat(api_admin):
    for n in range(7):
        make_job(name=f"{n}", now=NOON + n * MINUTE)
    seen, url = [], "/api/v1/jobs?limit=3"
    while url:
        page = api_admin.get(url).json()
        assert page["count"] == 7
        seen += [row["name"] for row in page["results"]]
        url = page["next"]
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]
    assert page["previous"].endswith("limit=3&offset=3")


def test_a_page_behind_the_middle_of_a_long_list_is_the_right_one(api_admin, monkeypatch):
    monkeypatch.setattr("taskhub.core.api.pages._DEEP", 2)
    for n in range(11):
        make_execution(name=f"{n}")
    expected = [f"{n}" for n in reversed(range(11))]
    for offset in range(13):
        for limit in (1, 3, 20):
            answer = api_admin.get(f"/api/v1/executions?limit={limit}&offset={offset}").json()
            assert [row["name"] for row in answer["results"]] == expected[offset : offset + limit]
            assert answer["count"] == 11


@pytest.mark.parametrize(
    ("path", "most"),
    [("jobs", 3), ("executions", 3), ("tasks", 4), ("jobs?owner=ann", 4), ("executions?owner=ann", 4)],
)
def test_the_number_of_queries_does_not_grow_with_the_rows(
    api_admin, django_assert_max_num_queries, path, most
):
    owner = make_user("ann")
    parent = make_job(owner=owner)
    for _ in range(60):
        make_job(owner=owner, parent=parent)
        make_execution(owner=owner.pk)
        make_task()
    with django_assert_max_num_queries(most):
        assert len(api_admin.get(f"/api/v1/{path}").json()["results"]) == 50


def test_a_job_in_full_costs_a_fixed_number_of_queries(api_admin, django_assert_max_num_queries):
    parent = make_job()
    for _ in range(20):
        make_job(parent=parent)
    with django_assert_max_num_queries(4):
        assert len(api_admin.get(f"/api/v1/jobs/{parent.uuid}").json()["children"]) == 20
