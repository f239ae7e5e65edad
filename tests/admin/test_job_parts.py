"""What the page of a job asks for while it is open, and the questions it shows."""

import re

import pytest

from runspaces_app import languages

PART = re.compile(r'data-live="([\w-]+)"')


@pytest.fixture
def client(rows, sign_in):
    return sign_in("system_admin")


@pytest.mark.parametrize("name", ["job", "running", "failed", "ended"])
def test_the_parts_are_those_of_the_page(client, rows, name):
    page = client.get(f"/admin/jobs_app/job/{rows[name]}/change/").content.decode()
    parts = client.get(f"/admin/jobs_app/job/{rows[name]}/parts/").content.decode()
    assert PART.findall(parts)
    assert set(PART.findall(parts)) == set(PART.findall(page))
    assert "<html" not in parts


def test_the_parts_keep_to_the_attempt_that_is_shown(client, rows):
    parts = client.get(f"/admin/jobs_app/job/{rows['failed']}/parts/?attempt=1").content.decode()
    assert re.search(r'href="\?attempt=1#output" aria-current="true"', parts)


def test_kill_now_is_offered_as_the_first_choice_only_to_those_who_may(client, sign_in, rows):
    address = f"/admin/jobs_app/job/{rows['running']}/stop/"
    asked = client.get(f"{address}?now=yes").content.decode()
    assert "now?" in asked
    assert re.search(r'name="now" value="yes" checked', asked)
    assert " checked" not in client.get(address).content.decode().split("th-confirm__title", 1)[1]
    operator = sign_in("operator").get(f"{address}?now=yes").content.decode()
    assert 'name="now"' not in operator


def test_nothing_is_left_to_press_in_the_question_about_a_job_that_has_ended(client, rows):
    asked = client.get(f"/admin/jobs_app/job/{rows['ended']}/stop/").content.decode()
    question = asked.split('class="th-confirm"', 1)[1].split("</form>", 1)[0]
    assert "There is nothing to stop." in question
    assert "has not begun" not in question
    assert "<button" not in question


def test_a_missing_language_is_named_with_its_reason_and_cannot_be_chosen(client, monkeypatch):
    monkeypatch.setattr(type(languages.get("shell")), "interpreter", lambda self: None)
    form = client.get("/admin/jobs_app/job/add/").content.decode()
    option = re.search(r'<option value="shell"([^>]*)>([^<]*)<', form)
    assert option is not None
    assert "disabled" in option[1]
    assert "not installed" in option[2]


def test_the_editor_is_told_which_line_does_not_compile(client):
    answer = client.post(
        "/admin/jobs_app/job/add/",
        {"language": "python", "code": "a = 1\nb = (", "pool": "default", "_create": "1"},
    )
    assert answer.status_code == 422
    assert 'data-line="2"' in answer.content.decode()
