"""Looking changes nothing, at any address; what changes something cannot be looked at."""

import pytest
from django.apps import apps

from tests.admin.pages import ACTIONS, PAGES

# Signing in writes these; no page does.
LEFT_OUT = {"Session"}


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    return {
        model.__name__: [tuple(map(repr, row)) for row in model._default_manager.order_by("pk").values_list()]
        for model in apps.get_models()
        if model.__name__ not in LEFT_OUT
    }


def test_no_get_changes_a_row(rows, sign_in):
    client = sign_in("system_admin")
    before = everything()
    for page in (*PAGES, *ACTIONS):
        client.get(page.address.format(**rows))
        client.head(page.address.format(**rows))
    assert everything() == before


@pytest.mark.parametrize("page", [page for page in ACTIONS if not page.asks], ids=lambda page: page.address)
def test_an_action_by_get_is_refused(rows, sign_in, page):
    answer = sign_in("system_admin").get(page.address.format(**rows))
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"


def test_a_post_without_token_is_refused(rows, sign_in):
    client = sign_in("system_admin")
    client.handler.enforce_csrf_checks = True
    for page in ACTIONS:
        answer = client.post(page.address.format(**rows), page.sent(rows))
        assert answer.status_code == 403, page.address


def test_a_list_takes_no_post(rows, sign_in):
    assert (
        sign_in("system_admin").post("/admin/jobs_app/job/", {"action": "delete_selected"}).status_code == 403
    )
