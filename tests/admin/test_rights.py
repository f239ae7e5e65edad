"""Every page and every action of the admin, by role: the one table decides."""

import pytest

from taskhub.core import permissions
from tests.admin.conftest import ROLES
from tests.admin.pages import ACTIONS, PAGES, Page


def allowed(page: Page, role: str) -> bool:
    return not page.right or role in permissions.ACTIONS[page.right]


@pytest.mark.parametrize("role", ROLES)
def test_pages_open_to_whom_the_table_says(rows, sign_in, role):
    client = sign_in(role)
    wrong = []
    for page in PAGES:
        status = client.get(page.address.format(**rows)).status_code
        if status != (200 if allowed(page, role) else 403):
            wrong.append((page.address, status))
    assert not wrong


@pytest.mark.parametrize("role", ROLES)
def test_actions_obey_whom_the_table_says(rows, sign_in, role):
    wrong = []
    for page in ACTIONS:
        status = sign_in(role).post(page.address.format(**rows), page.sent(rows)).status_code
        if status != ((200 if page.shows else 302) if allowed(page, role) else 403):
            wrong.append((page.address, status))
    assert not wrong


@pytest.mark.parametrize("role", [None, "no role"])
def test_the_door_is_closed_without_a_role(rows, sign_in, role):
    client = sign_in(role)
    for page in (*PAGES, *ACTIONS):
        send = client.post if page.post else client.get
        answer = send(page.address.format(**rows))
        assert answer.status_code == 302, page.address
        assert answer["Location"].startswith("/admin/login/"), page.address


def test_staff_without_a_role_sees_own_jobs_only(rows, sign_in):
    client = sign_in("staff without role")
    assert b"anna" not in client.get("/admin/jobs_app/job/").content
    assert client.get(f"/admin/jobs_app/job/{rows['failed']}/change/").status_code == 404
    assert client.get("/admin/jobs_app/execution/").status_code == 403
    assert client.get("/admin/").status_code == 200
