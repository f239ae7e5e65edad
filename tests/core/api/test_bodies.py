"""Bodies of requests."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from taskhub.core.api.bodies import LIMIT
from tests.support import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probes")]


@pytest.fixture
def send() -> Any:
    client = APIClient()
    client.force_authenticate(make_user())

    def post(body: Any, content_type: str = "application/json", **headers: Any) -> Any:
        return client.generic("POST", "/api/v1/echo", body, content_type=content_type, **headers)

    return post


def test_json_comes_through(send):
    answer = send(json.dumps({"a": [1, "é", None, 2.5]}))
    assert (answer.status_code, answer.json()) == (200, {"a": [1, "é", None, 2.5]})


@pytest.mark.parametrize("body", ["", "  ", "\n"])
def test_an_empty_body_is_an_empty_object(send, body):
    assert send(body).json() == {}


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON"]
)
def test_the_type_may_be_spelled_in_several_ways(send, content_type):
    assert send("{}", content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "nonsense",
    ],
)
def test_other_types_are_415(send, content_type):
    answer = send("a=1", content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "bad_input"), ("nonsense", 400, "bad_input"), (b"\xff\xfe", 400, "bad_input"),
        ('{"a": NaN}', 400, "bad_input"), ('{"a": 1, "a": 2}', 400, "bad_input"), ('"\\u0000"', 400, "bad_input"),
        ('"\\ud800"', 400, "bad_input"), ('{"a": 99999999999999999999}', 400, "bad_input"),
        ("[" * 100_000, 400, "bad_input"), ('{"a":' * 100_000, 400, "bad_input"), ("1" * 100_000, 400, "bad_input"),
        (" " * (LIMIT + 1), 413, "too_large"), ('"' + "x" * LIMIT + '"', 413, "too_large"),
    ],
    ids=range(13),
)  # fmt: skip
def test_bad_ones_are_refused_with_the_error_body(send, body, status, code):
    answer = send(body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["success"] is False


def test_the_limit_itself_fits(send):
    assert send('"' + "x" * (LIMIT - 2) + '"').status_code == 200


def test_a_length_that_is_too_large_is_refused_before_reading(send):
    assert send(b"{}", CONTENT_LENGTH=str(LIMIT + 1)).status_code == 413


@pytest.mark.parametrize("length", ["x", "-5", "1.5", "9" * 50])
def test_a_length_that_makes_no_sense_is_no_fault(send, length):
    assert send(b"{}", CONTENT_LENGTH=length).status_code in (200, 400, 413)
