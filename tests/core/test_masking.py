"""What is kept and shown: no secret, nothing a database refuses, nothing endless."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskhub.core.masking import LONGEST_TEXT, MASK, clean, is_secret, masked

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "PASSWORD",
        "db_password",
        "DBPASSWORD",
        "userPassword",
        "passwd",
        "passphrase",
        "pwd",
        "DB_PW",
        "secret",
        "client_secret",
        "SECRET_KEY",
        "token",
        "accesstoken",
        "X-Auth-Token",
        "api_key",
        "apiKey",
        "API-KEY",
        "APIKEY",
        "key",
        "private.key",
        "AWS_ACCESS_KEY_ID",
        "Authorization",
        "cookie",
        "Set-Cookie",
        "credentials",
        "SENTRY_DSN",
    ],
)
def test_names_of_secrets(name):
    assert is_secret(name)
    assert masked({name: "hunter2"}) == {name: MASK}


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "keyboard",
        "monkey",
        "author",
        "passenger",
        "compass",
        "pinned",
        "spin",
        "description",
        "timeout",
        "x",
    ],
)
def test_names_of_other_things(name):
    assert not is_secret(name)
    assert masked({name: "value"}) == {name: "value"}


def test_secrets_are_found_at_any_depth():
    given = {"environment": [{"DB": {"password": "a"}}, {"TOKEN": ["b", {"c": "d"}]}], "n": 1}
    assert masked(given) == {"environment": [{"DB": {"password": MASK}}, {"TOKEN": MASK}], "n": 1}


@pytest.mark.parametrize("empty", [None, "", {}, [], False, True])
def test_that_nothing_is_set_is_no_secret(empty):
    assert masked({"password": empty}) == {"password": empty}


def test_passwords_in_addresses_are_hidden():
    given = {"url": "see postgresql://me:hunter2@db:5432/x and https://u:p@h/?q"}
    assert masked(given) == {"url": f"see postgresql://me:{MASK}@db:5432/x and https://u:{MASK}@h/?q"}


def test_values_become_what_json_knows():
    given = {
        "at": datetime(2026, 3, 10, tzinfo=UTC), "id": UUID(int=1), "n": Decimal("1.5"), "big": 2**70, "f": float("nan"),
        "set": {1}, "tuple": (1, "x"), 5: "number",
    }  # fmt: skip
    found = masked(given)
    assert found == {
        "at": "2026-03-10T00:00:00+00:00", "id": str(UUID(int=1)), "n": "1.5", "big": str(2**70), "f": "nan",
        "set": [1], "tuple": [1, "x"], "5": "number",
    }  # fmt: skip
    json.dumps(found, allow_nan=False)


def test_texts_are_made_storable_and_cut():
    assert clean("a\0b\ud800c") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert clean("x" * 10, 10) == "x" * 10
    assert clean("x" * 11, 10) == "x" * 9 + "\N{HORIZONTAL ELLIPSIS}"
    assert len(masked({"a": "x" * 1_000_000})["a"]) == LONGEST_TEXT


def test_depth_ends():
    value: list[object] = []
    value.append(value)
    json.dumps(masked(value))


@given(
    st.recursive(
        st.none() | st.text() | st.floats() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_comes_can_be_stored(value):
    json.dumps(masked(value), allow_nan=False).encode()
