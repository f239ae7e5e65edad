"""Ids of requests, and refusals that no view makes."""

import asyncio
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from taskhub.core.api.middleware import api_answers

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probes")]


@pytest.fixture
def client(settings) -> Client:
    settings.MIDDLEWARE = ["taskhub.core.api.middleware.api_answers", *settings.MIDDLEWARE]
    return Client()


def test_every_answer_names_its_request(client):
    first, second = (client.get("/page?status=200")["X-Request-Id"] for _ in range(2))
    assert first != second
    assert len(first) == 32


def test_a_plain_id_of_the_callers_own_is_kept(client):
    assert (
        client.get("/page?status=200", headers={"X-Request-Id": "build-7.a_b"})["X-Request-Id"]
        == "build-7.a_b"
    )


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "<script>", "é"])
def test_other_ids_are_replaced(client, given):
    assert client.get("/page?status=200", headers={"X-Request-Id": given})["X-Request-Id"] != given


def test_an_unknown_address_of_the_api_has_the_error_body(client):
    answer = client.get("/api/v1/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get("/nowhere")["Content-Type"].startswith("text/html")


def test_a_bad_host_has_the_error_body(client):
    answer = client.get("/api/v1/echo", HTTP_HOST="evil.example.com")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_input"),
        (401, "not_signed_in"),
        (403, "forbidden"),
        (404, "not_found"),
        (413, "too_large"),
        (429, "too_many"),
        (500, "internal_error"),
        (502, "internal_error"),
        (503, "unavailable"),
    ],
)
def test_pages_of_refusal_become_the_error_body_below_the_api_alone(client, status, code):
    answer = client.get(f"/api/v1/page?status={status}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get(f"/page?status={status}").content == b"<h1>no</h1>"


def test_good_pages_and_refusals_of_views_stay_as_they_are(client):
    assert client.get("/api/v1/page?status=200").content == b"<h1>no</h1>"
    assert client.get("/api/v1/echo").json()["code"] == "not_signed_in"


def test_it_serves_asynchronous_stacks_too():
    async def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse("<h1>no</h1>", status=404)

    request = HttpRequest()
    request.path = "/api/v1/x"
    answer_of: Any = api_answers(page)
    answer = asyncio.run(answer_of(request))
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert len(answer["X-Request-Id"]) == 32
