"""What pages say in words: messages of jobs beside their badges, settings in seconds, one's own password."""

import re
from html import unescape

import pytest

from jobs_app.models import Job
from taskhub import cells
from taskhub.core import runtime_settings
from taskhub.core.audit import Actor
from taskhub.core.models import AuditEntry
from taskhub.core.pages.durations import in_words
from tests.architecture.sources import ROOT
from tests.support import NOON, make_job

pytestmark = pytest.mark.usefixtures("home")
PASSWORD = "/admin/password_change/"


def said(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'th-progress__message" title="[^"]*">([^<]*)<', page)]


def test_a_job_says_its_own_message_and_not_what_its_badge_says(db, sign_in):
    for state, message in (
        ("created", "Not started"),
        ("running", "Running"),
        ("completed", "Completed"),
        ("failed", "Failed"),
        ("stopped", "Cancelled"),
        ("stopped", "Cancelled before start"),
        ("running", "Reading <orders>"),
    ):
        job = make_job(state=state)
        Job.objects.filter(pk=job.pk).update(status_message=message)
    client = sign_in("viewer")
    own = ["Cancelled before start", "Reading <orders>"]
    assert sorted(filter(None, said(client.get("/admin/jobs_app/job/").content.decode()))) == own
    assert list(filter(None, said(client.get("/admin/").content.decode()))) == own[1:]
    for job in Job.objects.all():
        shown = job.status_message if job.status_message in own else ""
        assert said(client.get(f"/admin/jobs_app/job/{job.pk}/change/").content.decode()) == [shown]
        assert client.get(f"/api/v1/jobs/{job.pk}").json()["progress"]["status_message"] == job.status_message


@pytest.mark.one_database
def test_scripts_know_the_same_messages():
    script = (ROOT / "static/js/elements/job_progress.js").read_text()
    listed = re.search(r"const DEFAULTS = \[(.*)\]", script)
    assert listed and set(re.findall(r'"([^"]+)"', listed[1])) == cells.DEFAULT_MESSAGES


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (86_400, "1 day"),
        (600, "10 minutes"),
        (5400, "1 hour 30 minutes"),
        (90_061, "1 day 1 hour"),
        (61, "1 minute 1 second"),
        (7.5, ""),
        (0, ""),
        (-1, "no limit"),
    ],
)
def test_seconds_are_said_in_words(seconds, words):
    assert in_words(seconds) == words


def test_settings_in_seconds_are_said_in_words_too(db, sign_in):
    client = sign_in("system_admin")
    page = client.get("/admin/core/setting/").content.decode()
    assert "The default: 1 day<" in page and "The default: 10 minutes<" in page
    runtime_settings.set_value("age_warning_seconds", 5400, actor=Actor("anna"), now=NOON)
    page = client.get("/admin/core/setting/").content.decode()
    assert re.search(r"Changed by anna .* to 1 hour 30 minutes; default: 86400 \(1 day\)", page)


def test_ones_own_password_is_changed_on_a_page_like_the_others(db, sign_in):
    client = sign_in("viewer")
    page = client.get(PASSWORD).content.decode()
    assert "Present password" in page and "At least ten characters" in page and 'id="nav-sidebar"' in page
    wrong = {"old_password": "no", "new_password1": "harbour-lamp-42", "new_password2": "harbour-lamp-43"}
    answer = client.post(PASSWORD, wrong)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "This is not your present password." in page and "The new password was typed in two ways." in page
    user = answer.context["request"].user
    user.set_password("window-stone-17")
    user.save()
    client.force_login(user)
    right = {
        "old_password": "window-stone-17",
        "new_password1": "harbour-lamp-42",
        "new_password2": "harbour-lamp-42",
    }
    answer = client.post(PASSWORD, right, follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]
    assert "Your password is changed; your other sessions are signed out." in answer.content.decode()
    user.refresh_from_db()
    assert user.check_password("harbour-lamp-42")
    entry = AuditEntry.objects.get(action="user.password")
    assert (entry.actor_id, entry.object_id) == (user.pk, str(user.pk))


def test_a_list_without_figures_has_its_buttons_in_line_with_its_search(db, sign_in):
    page = sign_in("system_admin").get("/admin/auth/user/").content.decode()
    head = page[page.index('<div class="th-head">') : page.index('id="result_list"')]
    assert head.index('name="q"') < head.index("New user") and page.count('name="q"') == 1
