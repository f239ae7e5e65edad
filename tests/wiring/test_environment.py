"""Variables from outside: read once, typed, and refused in words that name them."""

import pytest

from taskhub import environment
from taskhub.environment import BadVariable, Bind, parse_bind

pytestmark = pytest.mark.one_database

# Any names of the table will do; the readers do not know what a variable is for.
NAME = "TASKHUB_LOG_LEVEL"


@pytest.fixture
def given(monkeypatch):
    return lambda value, name=NAME: monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("reader", "default", "text", "value"),
    [
        (environment.env_text, "a", "b", "b"),
        (environment.env_text, "a", "   ", "a"),
        (environment.env_int, 1, " 42 ", 42),
        (environment.env_int, 1, "", 1),
        (environment.env_float, 1.0, "2.5", 2.5),
        (environment.env_bool, False, "Yes", True),
        (environment.env_bool, True, "off", False),
        (environment.env_bool, True, "", True),
        (environment.env_list, ["a"], "b, c,,", ["b", "c"]),
        (environment.env_list, ["a"], " , ", ["a"]),
    ],
)
def test_a_reader_gives_the_value_or_the_default(given, reader, default, text, value):
    given(text)
    assert reader(NAME, default) == value


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (lambda: environment.env_int(NAME, 1), "1.5", "a whole number"),
        (lambda: environment.env_int(NAME, 1, least=0), "-1", "a whole number of at least 0"),
        (lambda: environment.env_float(NAME, 1), "nan", "a number"),
        (lambda: environment.env_float(NAME, 1, least=1), "0.5", "a number of at least 1"),
        (lambda: environment.env_float(NAME, 1), "much", "a number"),
        (lambda: environment.env_bool(NAME, True), "maybe", "yes or no"),
        (lambda: environment.env_choice(NAME, "INFO", of=("INFO",)), "LOUD", "one of INFO"),
        (lambda: environment.env_bind(NAME, "x:1"), "somewhere", "host:port"),
    ],
)
def test_what_does_not_fit_is_refused_with_name_form_and_value(given, read, text, expected):
    given(text)
    with pytest.raises(BadVariable) as refused:
        read()
    assert NAME in str(refused.value)
    assert f"expected {expected}" in str(refused.value)
    assert text.lower() in str(refused.value).lower()


def test_a_refused_secret_is_not_shown(given):
    given("hunter2", "TASKHUB_SECRET_KEY")
    with pytest.raises(BadVariable) as refused:
        environment.env_int("TASKHUB_SECRET_KEY", 1)
    assert "hunter2" not in str(refused.value)


def test_a_name_outside_the_table_is_a_mistake_of_ours():
    with pytest.raises(LookupError):
        environment.env_text("TASKHUB_NOT_IN_THE_TABLE")


def test_a_path_becomes_absolute(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somebody")
    given("here", "TASKHUB_HOME")
    assert environment.env_path("TASKHUB_HOME", tmp_path) == tmp_path / "here"
    given("~/data", "TASKHUB_HOME")
    assert str(environment.env_path("TASKHUB_HOME", tmp_path)) == "/somebody/data"


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("9000", ("127.0.0.1", 9000)),
        (":9000", ("0.0.0.0", 9000)),  # noqa: S104 - read, not listened on
        ("[::1]:80", ("::1", 80)),
        ("example.org:443", ("example.org", 443)),
    ],
)
def test_an_address_to_listen_on(text, bind):
    assert parse_bind(text, name="--bind") == bind


@pytest.mark.parametrize(
    "text", ["", "host", "host:", "host:0", "host:65536", "host:8x", "::1:80", "a b:80", "h:\uff18\uff10"]
)
def test_no_address_to_listen_on(text):
    with pytest.raises(BadVariable, match="--bind: expected host:port"):
        parse_bind(text, name="--bind")


def test_an_ipv6_address_is_shown_in_brackets():
    assert str(Bind("::1", 80)) == "[::1]:80"
