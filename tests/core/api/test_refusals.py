"""Whatever is raised becomes the one error body."""

import errno
import sqlite3
from datetime import UTC, datetime
from typing import Any

import django.core.exceptions as django_errors
import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from rest_framework import exceptions as rest
from rest_framework.test import APIClient

from jobs_app.errors import DuplicateJob
from taskhub.core import errors
from taskhub.core.api.refusals import as_taskhub_error
from taskhub.core.models import AuditEntry, Setting
from tests.support import make_user

from .probes import Raises

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probes")]


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> Any:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(make_user())

    def answer_to(exc: BaseException, path: str = "raises") -> Any:
        monkeypatch.setattr(Raises, "error", staticmethod(lambda: exc), raising=False)
        return client.get(f"/api/v1/{path}")

    return answer_to


def caused(exc: Exception, cause: Exception) -> Exception:
    exc.__cause__ = cause
    return exc


class DiskFull(Exception):
    sqlstate = "53100"


TABLE: list[tuple[BaseException, int, str]] = [
    (errors.BadInput("a: expected b, got c"), 400, "bad_input"),
    (errors.NotSignedIn("x"), 401, "not_signed_in"),
    (errors.Forbidden("x"), 403, "forbidden"),
    (errors.NotFound("x"), 404, "not_found"),
    (errors.Conflict("x"), 409, "conflict"),
    (errors.TooLarge("x"), 413, "too_large"),
    (errors.Locked("x"), 423, "locked"),
    (errors.TooMany("x"), 429, "too_many"),
    (errors.Unavailable("x"), 503, "unavailable"),
    (errors.NoSpace("x"), 507, "no_space"),
    (DuplicateJob("id: taken"), 409, "duplicate_job"),
    (rest.ValidationError({"a": ["wrong"]}), 400, "bad_input"),
    (rest.ParseError(), 400, "bad_input"),
    (rest.NotAuthenticated(), 401, "not_signed_in"),
    (rest.AuthenticationFailed(), 401, "not_signed_in"),
    (rest.PermissionDenied(), 403, "forbidden"),
    (rest.NotFound(), 404, "not_found"),
    (rest.MethodNotAllowed("GET"), 405, "method_not_allowed"),
    (rest.NotAcceptable(), 406, "not_acceptable"),
    (rest.UnsupportedMediaType("a/b"), 415, "unsupported_media_type"),
    (rest.Throttled(2.2), 429, "too_many"),
    (rest.APIException(), 500, "error"),
    (Http404(), 404, "not_found"),
    (AuditEntry.DoesNotExist(), 404, "not_found"),
    (django_errors.PermissionDenied(), 403, "forbidden"),
    (django_errors.ValidationError("wrong"), 400, "bad_input"),
    (django_errors.ValidationError({"a": ["wrong"]}), 400, "bad_input"),
    (django_errors.SuspiciousOperation(), 400, "bad_input"),
    (django_errors.DisallowedHost(), 400, "bad_input"),
    (django_errors.TooManyFieldsSent(), 400, "bad_input"),
    (django_errors.RequestDataTooBig(), 413, "too_large"),
    (django_errors.BadRequest(), 400, "bad_input"),
    (MultiPartParserError("x"), 400, "bad_input"),
    (UnreadablePostError("x"), 400, "bad_input"),
    (OperationalError("database is locked"), 503, "unavailable"),
    (OperationalError("attempt to write a readonly database"), 503, "unavailable"),
    (OperationalError("server closed the connection unexpectedly"), 503, "unavailable"),
    (InterfaceError("connection already closed"), 503, "unavailable"),
    (OperationalError("database or disk is full"), 507, "no_space"),
    (caused(OperationalError("x"), DiskFull()), 507, "no_space"),
    (OperationalError('could not extend file "base/1": No space left on device'), 507, "no_space"),
    (OSError(errno.ENOSPC, "No space left on device"), 507, "no_space"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), 507, "no_space"),
    (IntegrityError("UNIQUE constraint failed"), 409, "conflict"),
    (DataError("value too long for type character varying(64)"), 400, "bad_input"),
    (OverflowError("Python int too large to convert to SQLite INTEGER"), 400, "bad_input"),
    (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), 400, "bad_input"),
    (ValueError("A string literal cannot contain NUL (0x00) characters."), 400, "bad_input"),
    (ValueError("embedded null byte"), 400, "bad_input"),
]


@pytest.mark.parametrize("path", ["raises", "plain"])
@pytest.mark.parametrize(
    ("exc", "status", "code"), TABLE, ids=[f"{type(e).__name__}-{s}" for e, s, _ in TABLE]
)
def test_every_error_has_its_status_code_and_body(raised, exc, status, code, path):
    answer = raised(exc, path)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert sorted(body) == ["code", "error", "fields", "success", "timestamp"]
    assert body["success"] is False
    assert body["error"]
    assert body["timestamp"].endswith("Z")
    assert abs(datetime.fromisoformat(body["timestamp"]) - datetime.now(UTC)).total_seconds() < 60
    assert ("Retry-After" in answer) == (status in (429, 503, 507))
    assert ("WWW-Authenticate" in answer) == (status == 401)


@pytest.mark.parametrize("path", ["raises", "plain"])
@pytest.mark.parametrize(
    "exc",
    [
        RuntimeError("a secret path"),
        KeyError("x"),
        ValueError("x"),
        OSError(errno.EIO, "x"),
        OverflowError("x"),
    ],
)
def test_a_fault_of_ours_is_500_with_the_body_and_a_traceback_in_the_log(raised, exc, path, caplog):
    answer = raised(exc, path)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.content.decode()
    assert f"fault in /api/v1/{path}" in caplog.text


def test_a_fault_is_raised_to_whoever_watches_for_faults(monkeypatch):
    client = APIClient()
    client.force_authenticate(make_user())
    monkeypatch.setattr(Raises, "error", staticmethod(lambda: RuntimeError("seen")), raising=False)
    with pytest.raises(RuntimeError, match="seen"):
        client.get("/api/v1/raises")


def test_what_the_database_says_stays_in_the_log(raised, caplog):
    answer = raised(OperationalError("unable to open database file of anna"))
    assert "anna" not in answer.content.decode()
    assert "anna" in caplog.text


def test_data_and_waiting_time_of_an_error_come_along(raised):
    answer = raised(errors.Unavailable("later", fields={"a": "b"}, retry_after=7))
    assert answer["Retry-After"] == "7"
    assert answer.json()["fields"] == {"a": "b"}
    assert raised(rest.Throttled(2.2))["Retry-After"] == "3"


def test_nested_errors_have_dotted_names(raised):
    detail: Any = {"a": {"b": ["one", "two"]}, "c": [{}, {"d": ["three"]}], "non_field_errors": ["four"]}
    answer = raised(rest.ValidationError(detail))
    assert answer.json()["fields"] == {"a.b": "one two", "c[1].d": "three", "body": "four"}
    assert answer.json()["error"] == "a.b: one two"


@pytest.mark.parametrize("verb", ["put", "patch", "delete", "trace"])
def test_other_verbs_are_405_with_those_that_are_allowed(verb):
    client = APIClient()
    client.force_authenticate(make_user(superuser=True))
    answer = client.generic(verb.upper(), "/api/v1/one")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_an_answer_nobody_can_make_is_406():
    client = APIClient()
    client.force_authenticate(make_user())
    answer = client.get("/api/v1/echo", HTTP_ACCEPT="image/png")
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize(
    "act",
    [
        lambda: Setting.objects.filter(name="a\0").exists(),
        lambda: Setting.objects.filter(name="\ud800").exists(),
        lambda: AuditEntry.objects.filter(pk=2**70).exists(),
        lambda: Setting.objects.create(name="x" * 65, value=1),
        lambda: Setting.objects.create(name="x", value=1) and Setting.objects.create(name="x", value=1),
        lambda: Setting.objects.create(name="a\0", value=1),
    ],
)
def test_values_that_slip_through_to_the_database_are_never_500(raised, act):
    def fail() -> BaseException:
        act()
        return errors.BadInput("the database took it")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Raises, "error", staticmethod(fail), raising=False)
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(make_user())
        answer = client.get("/api/v1/raises")
    assert 400 <= answer.status_code < 500


@pytest.mark.one_database
def test_a_real_full_disk_is_507():
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError) as full:
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert as_taskhub_error(OperationalError(str(full.value))).status == 507
    database.close()
