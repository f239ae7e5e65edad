"""The overview and the shell: true numbers, a sentence on top, a next step where there is nothing."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.utils import timezone

from jobs_app.models import Engine, Job
from jobs_app.pages import figures, job_page
from taskhub.admin_chart import bars
from taskhub.admin_overview import verdict
from tests.support import MINUTE, NOON, make_engine, make_execution, make_job, make_runspace, make_user


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((0, 0, 0, 0), "All quiet: no failures in the last 24 hours, nothing running."),
        ((3, 0, 0, 0), "All quiet: no failures in the last 24 hours, 3 jobs running."),
        ((1, 7, 0, 0), "7 runs failed in the last 24 hours; 1 job running."),
        ((0, 7, 1, 0), "1 task failed in its last run; nothing running."),
        ((0, 0, 2, 1), "2 tasks failed in their last run, 1 runspace broke; nothing running."),
    ],
)
def test_the_verdict_names_the_worst_first(numbers, sentence):
    running, bad, failing, broken = numbers
    said = verdict(running=running, bad=bad, failing=failing, broken=broken)
    assert "".join(phrase.words + phrase.after for phrase in said) == sentence
    # Whatever has a number in it leads to what it counts.
    assert all(phrase.link for phrase in said if phrase.words[0].isdigit())


@pytest.mark.parametrize(
    ("source", "panel", "words"),
    [
        ("_open_jobs", "Running and queued", "Could not load."),
        ("_coming", "Next runs", "Could not load."),
        ("_failures", "Recent failures", "Could not load."),
        ("bars", "Runs per hour", "Could not load."),
        ("_opened", None, "Could not load all numbers."),
        ("_tasks", None, "Could not load all numbers."),
    ],
)
def test_a_panel_that_cannot_be_read_says_so_while_the_others_stay(
    rows, sign_in, monkeypatch, source, panel, words
):
    from taskhub import admin_overview

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("its source is gone")

    client = sign_in("viewer")
    whole = client.get("/admin/").content.decode()
    assert "Could not load" not in whole.replace("Could not load what is new", "")
    monkeypatch.setattr(admin_overview, source, fail)
    page = client.get("/admin/").content.decode().replace("Could not load what is new", "")
    assert page.count("Could not load") == 1
    part = page[page.index(f'aria-label="{panel}"') :] if panel else page[page.index('data-part="cards"') :]
    assert words in part[: part.index("</section>")]
    assert "data-retry" in part[: part.index("</section>")]
    others = {
        "Running and queued": "next in line",
        "Next runs": "MachinePulse",
        "Recent failures": "ValueError",
    }
    assert all(shown in page for name, shown in others.items() if name != panel)


def test_a_first_start_shows_first_steps_instead_of_zeros(db, home, sign_in):
    page = sign_in("author").get("/admin/").content.decode()
    assert "First steps" in page
    assert "No failures in the last 24 hours." in page
    assert "No enabled task has a schedule." in page
    assert "Nothing is running." in page


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/admin/jobs_app/job/", "Run your first script"),
        ("/admin/jobs_app/execution/", "No history yet"),
        ("/admin/tasks_app/task/", "config/tasks.yaml"),
        ("/admin/tasks_app/occurrence/", "No due time has come yet"),
        ("/admin/runspaces_app/runspace/", "No runspace is open"),
        ("/admin/jobs_app/engine/", "No engine has run yet"),
        ("/admin/core/apitoken/", "No API tokens yet"),
        ("/admin/jobs_app/job/?state=failed", "Nothing matches"),
    ],
)
def test_an_empty_list_says_the_next_step(db, home, sign_in, address, words):
    assert words in sign_in("system_admin").get(address).content.decode()


def test_a_banner_says_that_no_engine_beats(db, home, sign_in):
    client = sign_in("viewer")
    words = "No engine is running, so nothing starts."
    assert words in client.get("/admin/").content.decode()
    engine = make_engine()
    Engine.objects.filter(pk=engine.pk).update(beat_at=timezone.now())
    cache.clear()
    assert words not in client.get("/admin/").content.decode()
    Engine.objects.filter(pk=engine.pk).update(beat_at=timezone.now() - timedelta(seconds=16))
    cache.clear()
    page = client.get("/admin/").content.decode()
    assert words in page and "The last sign of life came" in page


@pytest.mark.parametrize(
    ("name", "words", "look"),
    [("production", "production", "bg-red-100"), ("staging", "staging", "bg-blue-100")],
)
def test_the_environment_stands_on_every_page(db, home, sign_in, settings, name, words, look):
    settings.TASKHUB_ENVIRONMENT = name
    page = sign_in("viewer").get("/admin/").content.decode()
    label = page[: page.index(words + "\n")].rsplit("<span", 1)[1]
    assert look in label


def test_the_door_tells_nobody_about_engines(db, client):
    page = client.get("/admin/login/").content.decode()
    assert "No engine is running" not in page


def test_ended_attempts_are_counted_since_a_moment(db):
    make_execution(now=NOON - timedelta(days=2))
    for status in ("success", "success", "failed", "lost", "terminated", "stopped"):
        make_execution(now=NOON, status=status)
    assert figures.ended_since(NOON - MINUTE) == figures.Ended(ok=2, bad=3, stopped=1)
    assert figures.ended_since(NOON + timedelta(days=1)) == figures.Ended(0, 0, 0)


def test_hours_are_counted_apart(db):
    make_execution(now=NOON, status="failed")
    make_execution(now=NOON - timedelta(hours=3))
    hours = figures.by_hour(NOON + 5 * MINUTE)
    assert len(hours) == 24
    assert hours[-1] == figures.Hour(NOON, figures.Ended(0, 1, 0))
    assert hours[-4].ended.ok == 1
    assert sum(hour.ended.total for hour in hours) == 2


def test_a_single_failure_among_thousands_is_seen():
    chart = bars([figures.Hour(NOON, figures.Ended(ok=5000, bad=1, stopped=0))])
    failed = chart.bars[0].segments[1]
    assert failed.look == "bad" and failed.height >= 1
    assert chart.lines[-1].value == "8,000"


def test_a_chart_of_nothing_divides_by_nothing():
    assert bars([figures.Hour(NOON, figures.Ended(0, 0, 0))]).total == 0


def test_the_line_of_states_says_how_long_each_lasted(db):
    job = make_job(state="failed", now=NOON, reason="timeout")
    Job.objects.filter(pk=job.pk).update(queued_at=NOON + MINUTE, started_at=NOON + 3 * MINUTE)
    job.refresh_from_db()
    job.finished_at = NOON + 4 * MINUTE
    steps = job_page.line_of_states(job, NOON + timedelta(days=1))
    assert [(step.state, step.seconds) for step in steps] == [
        ("created", 60.0),
        ("queued", 120.0),
        ("running", 60.0),
        ("failed", None),
    ]
    assert steps[-1].note == "its time limit was over"


def test_a_waiting_job_says_how_many_are_ahead(db):
    make_job(state="queued", now=NOON)
    make_job(state="queued", now=NOON + MINUTE, priority=5)
    make_job(state="queued", now=NOON + MINUTE, pool="other")
    job = make_job(state="queued", now=NOON + 2 * MINUTE)
    assert "(2 ahead)" in job_page.why_waiting(job)


def test_alerts_come_worst_first(db, home, sign_in):
    now = timezone.now()
    make_runspace(now=now - timedelta(hours=25))
    make_runspace(now=now, memory_bytes=200 * 1024 * 1024)
    make_runspace(now=now, state="broken", closed_at=now, close_reason="ended by itself")
    page = sign_in("viewer").get("/admin/").content.decode()
    found = [page.index(words) for words in ("Broken: ended by itself", "Over 100 MB", "Older than 24 h")]
    assert found == sorted(found)


def test_more_alerts_than_fit_lead_to_all_of_them(db, home, sign_in):
    now = timezone.now()
    for _ in range(7):
        make_runspace(now=now - timedelta(hours=25))
    heavy = make_runspace(now=now, memory_bytes=200 * 1024 * 1024)
    broken = make_runspace(now=now, state="broken", closed_at=now)
    fine = make_runspace(now=now)
    past = make_runspace(now=now - timedelta(days=3), state="broken", closed_at=now - timedelta(days=2))
    client = sign_in("viewer")
    link = re.search(r'<a href="([^"]*)">And 3 more</a>', client.get("/admin/").content.decode())
    assert link
    page = client.get(unescape(link[1])).content.decode()
    found = {int(key) for key in re.findall(r'<tr data-runspace="(\d+)"', page)}
    assert len(found) == 9 and {heavy.pk, broken.pk} <= found and not {fine.pk, past.pk} & found


def test_what_a_role_does_not_allow_is_said_in_the_shell_with_a_way_back(db, sign_in):
    answer = sign_in("viewer").get("/admin/auth/user/")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Your role does not allow this." in page and 'id="nav-sidebar"' in page
    assert re.search(r'<a class="[^"]*" href="/admin/">To the overview</a>', page)


@pytest.mark.parametrize("address", ["/admin/nothing/", "/nothing/"])
def test_an_unknown_address_is_answered_in_the_shell(db, sign_in, address):
    answer = sign_in("viewer").get(address)
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.content.decode()
    assert 'id="nav-sidebar"' in answer.content.decode()


def test_strangers_get_a_plain_page(db, client):
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "nav-sidebar" not in answer.content.decode()


def test_a_broken_page_is_answered_without_the_database(db, sign_in, monkeypatch):
    from taskhub import admin_overview, admin_shell

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the database is gone")

    client = sign_in("viewer")
    client.raise_request_exception = False
    monkeypatch.setattr(admin_overview, "overview", fail)
    monkeypatch.setattr(admin_shell, "pulse", fail)
    answer = client.get("/admin/")
    assert answer.status_code == 500
    assert "Something went wrong on our side." in answer.content.decode()


def test_no_page_of_djangos_own_stands_beside_ours(db, sign_in):
    client = sign_in("system_admin")
    assert client.get("/admin/jobs_app/")["Location"] == "/admin/"
    assert client.get("/admin/auth/group/").status_code == 404
    assert client.get("/admin/jobs_app/job/1/delete/").status_code == 404


def test_odd_addresses_are_no_faults_of_ours(db, sign_in, rows, caplog):
    client = sign_in("system_admin")
    for address in (
        "/admin/search/?s=x&page=abc", "/admin/search/?s=x&page=99", "/admin/jobs_app/job/?p=abc",
        "/admin/jobs_app/job/?p=99999", "/admin/jobs_app/job/?owner__password=x", "/admin/jobs_app/job/?state=nope",
        "/admin/jobs_app/job/?owner=abc", "/admin/jobs_app/job/?q=%00", "/admin/jobs_app/job/?created=never",
        "/admin/jobs_app/job/?task=99999999999999999999999", "/admin/jobs_app/execution/?q=%F0%28",
        f"/admin/jobs_app/job/{rows['failed']}/change/?line=99999999999999999999&attempt=-1&stream=x",
        f"/admin/jobs_app/job/{rows['failed']}/change/?line=abc",
    ):  # fmt: skip
        assert client.get(address).status_code in (200, 302, 400, 404), address
    # Nor does the log tell of a fault: what was refused was answered.
    assert [record.message for record in caplog.records if record.exc_info] == []


def test_the_last_user_to_come_in_needs_no_staff_flag(db, client):
    user = make_user(role="viewer")
    user.is_staff = False
    user.save()
    client.force_login(user)
    assert client.get("/admin/").status_code == 200
