"""Who calls, and whether he may."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from taskhub.core import tokens
from taskhub.core.roles import ROLES
from tests.support import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probes")]


def bearer(user, **options) -> dict[str, str]:
    _, text = tokens.create(user, **{"name": "ci", "now": timezone.now(), **options})
    return {"HTTP_AUTHORIZATION": f"Bearer {text}"}


@pytest.fixture
def client() -> APIClient:
    return APIClient(enforce_csrf_checks=True)


def test_a_token_signs_its_user_in(client):
    user = make_user("anna", role="viewer")
    assert client.get("/api/v1/echo", **bearer(user)).json() == {"user": "anna", "token": "ci"}


@pytest.mark.parametrize("spelling", ["bearer {}", "BEARER {}", "Bearer   {} "])
def test_the_word_bearer_may_be_spelled_in_any_case(client, spelling):
    text = bearer(make_user(role="viewer"))["HTTP_AUTHORIZATION"].split()[1]
    assert client.get("/api/v1/echo", HTTP_AUTHORIZATION=spelling.format(text)).status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Bearer th_" + "x" * 43, "Bearer \xff\xfe", "Bearer a b"]
)
def test_a_token_that_does_not_hold_is_401_with_its_own_code(client, header):
    answer = client.get("/api/v1/echo", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
    assert answer["WWW-Authenticate"] == 'Bearer realm="taskhub"'


def test_an_ended_token_is_401(client):
    header = bearer(make_user(role="viewer"), days=1, now=timezone.now() - timedelta(days=2))
    assert client.get("/api/v1/echo", **header).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"HTTP_AUTHORIZATION": "Basic YTpi"}, {"HTTP_AUTHORIZATION": ""}])
@pytest.mark.parametrize("path", ["echo", "one", "none", "raises"])
@pytest.mark.parametrize("verb", ["get", "post", "options"])
def test_the_anonymous_are_401_with_a_way_to_sign_in(client, verb, path, headers):
    answer = getattr(client, verb)(f"/api/v1/{path}", **headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer["WWW-Authenticate"] == 'Bearer realm="taskhub"'


def test_a_session_signs_in_and_needs_the_csrf_token_for_changes():
    make_user("anna", role="viewer")
    browser = Client(enforce_csrf_checks=True)
    assert browser.login(username="anna", password=PASSWORD)
    assert browser.get("/api/v1/echo").json() == {"user": "anna", "token": None}
    refused = browser.post("/api/v1/echo", {"a": 1}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    browser.cookies["taskhub_csrf"] = "a" * 32
    allowed = browser.post(
        "/api/v1/echo", {"a": 1}, content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert (allowed.status_code, allowed.json()) == (200, {"a": 1})


def test_a_token_needs_no_csrf_token(client):
    answer = client.post("/api/v1/echo", {"a": 1}, format="json", **bearer(make_user()))
    assert (answer.status_code, answer.json()) == (200, {"a": 1})


@pytest.mark.parametrize("role", [None, *ROLES])
def test_a_right_is_asked_of_the_table(client, role):
    header = bearer(make_user(role=role))
    assert client.get("/api/v1/echo", **header).status_code == (403 if role is None else 200)
    assert client.head("/api/v1/echo", **header).status_code == (403 if role is None else 200)
    assert client.post("/api/v1/echo", **header).status_code == 200
    for verb in ("get", "post"):
        answer = getattr(client, verb)("/api/v1/one", **header)
        assert answer.status_code == (200 if role == "system_admin" else 403)


@pytest.mark.parametrize(
    ("scope", "status"), [("viewer", 403), ("author", 403), ("system_admin", 200), ("", 200)]
)
def test_a_token_may_not_do_more_than_its_scope(client, scope, status):
    header = bearer(make_user(superuser=True), scope=scope)
    assert client.get("/api/v1/one", **header).status_code == status
    assert client.get("/api/v1/echo", **header).status_code == 200


def test_a_scope_gives_nothing_its_user_has_not(client):
    header = bearer(make_user(role="viewer"), scope="system_admin")
    answer = client.get("/api/v1/one", **header)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "expected one of the roles system_admin, got viewer" in answer.json()["error"]


def test_an_endpoint_that_names_no_right_is_closed_to_everybody(client):
    assert client.get("/api/v1/none", **bearer(make_user(superuser=True))).status_code == 403


def test_a_verb_that_names_no_right_is_closed_or_unknown(client):
    assert client.put("/api/v1/echo", **bearer(make_user(superuser=True))).status_code in (403, 405)


def test_options_tell_whoever_is_signed_in(client):
    assert client.options("/api/v1/one", **bearer(make_user())).status_code == 200
