"""The kinds of errors all parts share."""

import pytest

from taskhub.core import errors
from taskhub.core.errors import TaskhubError

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (errors.BadInput, 400, "bad_input"),
        (errors.NotSignedIn, 401, "not_signed_in"),
        (errors.Forbidden, 403, "forbidden"),
        (errors.NotFound, 404, "not_found"),
        (errors.Conflict, 409, "conflict"),
        (errors.TooLarge, 413, "too_large"),
        (errors.Locked, 423, "locked"),
        (errors.TooMany, 429, "too_many"),
        (errors.Unavailable, 503, "unavailable"),
        (errors.NoSpace, 507, "no_space"),
    ],
)
def test_each_kind_has_its_status_and_code(kind, status, code):
    error = kind("minute: expected 0-59, got 61", fields={"minute": "expected 0-59"}, retry_after=3)
    assert (error.status, error.code) == (status, code)
    assert (str(error), error.fields, error.retry_after) == (
        "minute: expected 0-59, got 61",
        {"minute": "expected 0-59"},
        3,
    )


def test_fields_are_the_errors_own():
    given = {"a": "b"}
    error = TaskhubError("text", fields=given)
    given["c"] = "d"
    assert error.fields == {"a": "b"}
    assert TaskhubError("text").fields == {}
