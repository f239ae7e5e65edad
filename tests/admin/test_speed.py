"""Lists stay quick however many rows there are: few queries, walks along indexes, no wide columns."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs_app.models import Execution, Job
from tests.browser import demo
from tests.support import make_execution, make_job, make_runspace, make_task

# One of each is the settings, of which the connection pill wants one; they are cached for a second.
LISTS = {
    "/admin/": 64,
    "/admin/jobs_app/job/": 23,
    "/admin/jobs_app/execution/": 22,
    # Six of these count the failed runs of a day, kept for five seconds.
    "/admin/tasks_app/task/": 24,
    "/admin/tasks_app/occurrence/": 10,
    "/admin/runspaces_app/runspace/": 23,
    "/admin/auth/user/": 10,
    "/admin/core/auditentry/": 13,
}


@pytest.fixture
def client(rows, sign_in):
    return sign_in("system_admin")


def queries(client, address: str) -> list[str]:
    from django.core.cache import cache

    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("address", LISTS)
def test_a_list_asks_as_often_for_many_rows_as_for_few(client, address):
    client.get(address)
    few = len(queries(client, address))
    for _ in range(15):
        make_execution(make_job(state="completed", owner=None))
        make_runspace()
        make_task()
    many = len(queries(client, address))
    assert many <= few
    assert many <= LISTS[address]


@pytest.mark.parametrize("address", ["/admin/jobs_app/job/", "/admin/jobs_app/job/?state=failed", "/admin/"])
def test_lists_of_jobs_read_no_wide_column(client, address):
    for sql in queries(client, address):
        for column in ("error_traceback", '"result"', '"jobs_app_job"."error_message"', "output_preview"):
            assert column not in sql, sql


@pytest.mark.parametrize(
    "address",
    [
        "/admin/jobs_app/job/",
        "/admin/jobs_app/job/?state=failed",
        "/admin/jobs_app/job/?owner=mine",
        "/admin/jobs_app/job/?state=failed&created=day",
        "/admin/jobs_app/execution/",
        "/admin/jobs_app/execution/?status=failed",
        "/admin/jobs_app/execution/?ended=hour",
        "/admin/jobs_app/execution/?status=success&ended=day",
        "/admin/jobs_app/execution/?runspace=1",
        "/admin/",
    ],
)
@pytest.mark.one_database
def test_no_list_sorts_jobs_or_history_by_hand(client, address):
    """By the plans of SQLite, whose planner has the fewest ways round an index."""
    with connection.cursor() as cursor:
        for sql in queries(client, address):
            if not sql.startswith("SELECT") or not ("jobs_app_job" in sql or "jobs_app_execution" in sql):
                continue
            cursor.execute("EXPLAIN QUERY PLAN " + sql)
            plan = "; ".join(row[3] for row in cursor.fetchall())
            assert "TEMP B-TREE FOR ORDER BY" not in plan, (sql, plan)


def test_counting_stops(client, monkeypatch):
    from taskhub.core.pages import paging

    monkeypatch.setattr(paging, "MOST", 5)
    page = client.get("/admin/jobs_app/execution/").content.decode()
    assert "of more than 5" in " ".join(page.split())


def test_the_demo_has_enough_rows_for_these_tests(rows):
    assert Execution.objects.count() > 300 and Job.objects.count() > 10
    assert demo.HOSTILE in Job.objects.values_list("name", flat=True) and timezone.now()
