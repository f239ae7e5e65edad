"""The pages of runspaces: what they show of each, what happened to one, and by whom."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runspaces_app import closing
from runspaces_app.models import Runspace
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput
from tests.browser.demo import HOSTILE
from tests.support import make_execution, make_job, make_runspace, make_user

MB = 1024 * 1024
LIST = "/admin/runspaces_app/runspace/"
HISTORY = "/admin/jobs_app/execution/"

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def now(db):
    return timezone.now()


def page_of(runspace: Runspace) -> str:
    return f"{LIST}{runspace.pk}/change/"


def ids(page: str) -> list[int]:
    return [int(key) for key in re.findall(r'<tr data-runspace="(\d+)"', page)]


def text(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def get(client, address):
    return client.get(address).content.decode()


def test_the_list_shows_the_open_ones_the_heaviest_first(sign_in, now):
    light = make_runspace(now=now, memory_bytes=10 * MB).pk
    heavy = make_runspace(now=now, memory_bytes=90 * MB).pk
    closed = make_runspace(now=now, state="closed", closed_at=now, memory_bytes=200 * MB).pk
    broken = make_runspace(now=now, state="broken", closed_at=now).pk
    client = sign_in("viewer")
    assert ids(get(client, LIST)) == ids(get(client, f"{LIST}?state=opened")) == [heavy, light]
    assert ids(get(client, f"{LIST}?state=closed")) == [closed]
    assert ids(get(client, f"{LIST}?state=broken")) == [broken]
    assert ids(get(client, f"{LIST}?state=any")) == [broken, closed, heavy, light]
    assert ids(get(client, f"{LIST}?state=nonsense")) == []


def test_what_is_wrong_stands_in_words_beside_a_shape(sign_in, now):
    row = make_runspace(now=now - timedelta(hours=30), memory_bytes=164 * MB)
    page = get(sign_in("viewer"), LIST)
    for words, shape in (("Over 100 MB", "triangle"), ("Older than 24 h", "square")):
        assert re.search(rf'th-shape--{shape}"></span>\s*{words}', page), words
    page = get(sign_in("viewer"), page_of(row))
    assert "Over 100 MB: 164 MB." in text(page) and "Older than 24 h." in text(page)


def test_rows_are_told_anew_by_their_ids(sign_in, now):
    job = make_job(name="nightly import", state="running", now=now)
    first, second = make_runspace(now=now, job=job.pk, availability="busy"), make_runspace(now=now)
    client = sign_in("viewer")
    page = get(client, f"{LIST}rows/?ids={first.pk},x,²,-1,{10**30},{second.pk},{second.pk + 1}")
    assert sorted(ids(page)) == [first.pk, second.pk]
    assert f'href="/admin/jobs_app/job/{job.pk}/change/" title="nightly import"' in page
    assert ids(get(client, f"{LIST}rows/")) == []
    assert "Force close" not in page
    assert "Force close" in get(sign_in("system_admin"), f"{LIST}rows/?ids={first.pk}")


def test_a_page_takes_as_many_statements_for_a_busy_life_as_for_a_short_one(sign_in, now):
    row = make_runspace(now=now - timedelta(hours=1), jobs_run=1)
    make_execution(now=now - timedelta(minutes=30), runspace=row.pk)
    client = sign_in("system_admin")

    def statements() -> int:
        get(client, page_of(row))
        with CaptureQueriesContext(connection) as captured:
            get(client, page_of(row))
        return len(captured)

    short = statements()
    for minute in range(20):
        make_execution(now=now - timedelta(minutes=minute), runspace=row.pk, status="failed")
        with pytest.raises(BadInput):
            closing.request_close(row.pk, confirmation="no", by=Actor("anna"), now=now)
    assert statements() <= short <= 20


def test_the_jobs_it_ran_are_counted_by_their_ends_and_each_number_leads_to_them(sign_in, now):
    opened = now - timedelta(hours=2)
    row, other = make_runspace(now=opened, jobs_run=3), make_runspace(now=opened)
    # Nothing is looked for outside the time in which it was open.
    make_execution(now=opened - timedelta(hours=1), runspace=row.pk)
    for minute, status in enumerate(["success", "success", "failed"], start=5):
        make_execution(now=opened + timedelta(minutes=minute), runspace=row.pk, status=status)
    make_execution(now=opened + timedelta(minutes=9), runspace=other.pk)
    client = sign_in("viewer")
    told = re.search(r"What happened.*", get(client, page_of(row)), re.S)
    assert told
    links = dict(re.findall(r'<a href="([^"]*)">([^<]+)</a>', unescape(told[0])))
    assert links[f"{HISTORY}?runspace={row.pk}"] == "3 jobs"
    assert links[f"{HISTORY}?runspace={row.pk}&status=success"] == "2 success"
    assert links[f"{HISTORY}?runspace={row.pk}&status=failed"] == "1 failed"
    for address, number in links.items():
        if address.startswith(f"{HISTORY}?runspace"):
            assert len(re.findall(r'<th scope="row">', get(client, address))) == int(number.split()[0]), (
                address
            )


@pytest.mark.parametrize("value", ["x", "²", "-1", str(10**30), "424242"])
def test_the_history_of_no_runspace_is_empty(sign_in, now, value):
    make_execution(runspace=1)
    assert "Nothing matches" in get(sign_in("viewer"), f"{HISTORY}?runspace={value}")


def test_a_forced_end_is_told_with_the_job_and_by_whom(sign_in, now):
    job = make_job(name=HOSTILE, state="running", now=now)
    row = make_runspace(now=now - timedelta(hours=1), job=job.pk, availability="busy")
    boss = sign_in("system_admin")
    question = get(boss, f"{LIST}{row.pk}/close/")
    assert f"end the job {HOSTILE}, which it runs" in unescape(question) and "<img src=x" not in question
    boss.post(f"{LIST}{row.pk}/close/", {"confirmation": "0"})
    said = boss.post(f"{LIST}{row.pk}/close/", {"confirmation": str(row.pk)}, follow=True).content.decode()
    assert f"is told to close; the job {HOSTILE}, which it runs, ends with it." in text(said)
    assert "its engine ends it within seconds, and the job" in text(said)
    Runspace.objects.filter(pk=row.pk).update(
        state="closed", job=None, availability="available", closed_at=now, close_reason="closed by a person"
    )
    page = get(boss, page_of(row))
    name = User.objects.get(pk=boss.session["_auth_user_id"]).username
    assert f"closed by a person. The job {HOSTILE} ended with it." in text(page)
    assert re.search(
        rf"Close refused.*By {name}.*Asked to close.*By {name}.*While it ran.*Closed", text(page)
    )
    assert "<img src=x" not in page
    # Who did it stands in the audit log, which is not for everybody.
    page = text(get(sign_in("operator"), page_of(row)))
    assert name not in page and "Close refused" not in page and f"While it ran {HOSTILE}" in page


def test_whom_it_serves_is_said_by_name_with_one_statement_for_all(sign_in, now):
    anna, ben = make_user("anna"), make_user("ben")
    served = {
        make_runspace(now=now, affinity=affinity).pk: words
        for affinity, words in (
            (f"owner:{anna.pk}", "anna"),
            (f"owner:{ben.pk}", "ben"),
            ("owner:424242", "user 424242, who was removed"),
            ("owner:", "jobs without an owner"),
            ("app:Sample", "the app Sample"),
            ("app:", "the data folder"),
        )
    }
    client = sign_in("system_admin")
    with CaptureQueriesContext(connection) as captured:
        page = get(client, LIST)
    assert sum('"username"' in each["sql"] and " IN (" in each["sql"] for each in captured) == 1
    for key, words in served.items():
        row = page[page.index(f'<tr data-runspace="{key}"') :]
        assert f"for {words} " in text(row[: row.index("</tr>")])
        assert f"Serves {words} " in text(get(client, f"{LIST}{key}/change/"))
        assert f"Serves {words} " in text(get(client, f"{LIST}{key}/close/"))


def test_a_job_that_was_removed_keeps_its_name(sign_in, now):
    gone = make_execution(now=now, name="was removed since")
    row = make_runspace(now=now, job=gone.job, availability="busy")
    page = get(sign_in("viewer"), page_of(row))
    assert re.search(rf'href="{re.escape(HISTORY)}\?runspace={row.pk}" title="was removed since"', page)


def test_a_question_about_an_idle_one_says_that_it_runs_nothing(sign_in, now):
    row = make_runspace(now=now - timedelta(hours=26))
    page = text(get(sign_in("system_admin"), f"{LIST}{row.pk}/close/"))
    assert "Age 1 d 2 h Runs nothing" in page and "end a job that begins in it meanwhile" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "No measurements of the last 6 h yet."),
        ({"state": "closed"}, "No measurements of its last 6 h are left; they are kept for 24 hours."),
    ],
)
def test_a_chart_without_measurements_says_why(sign_in, now, fields, words):
    row = make_runspace(now=now, closed_at=now if fields else None, **fields)
    assert words in text(get(sign_in("viewer"), f"{page_of(row)}?period=6"))
