"""What a page may ask for, and how a frame looks."""

import json

import pytest

from jobs_app.live import frames, topics
from jobs_app.live.entries import GONE, Entry
from jobs_app.live.origins import is_ours
from jobs_app.live.topics import Key, Rights
from taskhub.core.errors import BadInput
from tests.support import NOON

pytestmark = pytest.mark.one_database

ALL = Rights(1, True, False, False, {})


def test_a_subscription_is_read():
    found = topics.subscription(
        {"jobs": ["a", "b", "a"], "job": "a", "output": None, "runspaces": [1, "2"], "overview": True}
    )
    assert found.ids == {"jobs": ("a", "b"), "job": ("a",), "runspaces": ("1", "2")}
    assert found.overview


def test_the_query_says_the_same():
    text = "overview,jobs:a,jobs:b,job:a,runspaces:1"
    asked = {"jobs": ["a", "b"], "job": "a", "runspaces": [1], "overview": True}
    assert topics.from_query(text) == topics.subscription(asked)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "an object"),
        ({"jbos": []}, "topics jobs"),
        ({"jobs": "a"}, "a list of ids"),
        ({"jobs": [1]}, "a text"),
        ({"jobs": ["x" * 65]}, "at most 64 characters"),
        ({"jobs": ["a\0"]}, "jobs"),
        ({"tasks": ["one"]}, "numbers"),
        ({"tasks": [True]}, "numbers"),
        ({"tasks": ["9" * 30]}, "numbers"),
        ({"overview": 1}, "true or false"),
        ({"runspaces": list(range(1, 202))}, "at most 200 ids"),
        ({"job": [str(number) for number in range(21)]}, "at most 20 entries"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(given, words):
    with pytest.raises(BadInput, match=words):
        topics.subscription(given)


@pytest.mark.parametrize("text", ["jobs", "jbos:a", "overview:1", "tasks:x"])
def test_a_query_that_says_nothing_is_refused(text):
    with pytest.raises(BadInput):
        topics.from_query(text)


def test_a_frame_holds_only_what_differs():
    key, other = Key("jobs", "a"), Key("jobs", "b")
    first, second = Entry({"id": "a"}, mark=1), Entry({"id": "b"}, mark=1)
    entries = {key: first, other: second}
    assert frames.differing([key, other], entries, rights=ALL, sent={key: first}) == {other: second}
    said = json.loads(frames.frame({other: second, key: GONE}, snapshot=False, now=NOON))
    assert said == {
        "now": "2026-03-10T12:00:00Z",
        "snapshot": False,
        "jobs": {"b": {"id": "b"}},
        "gone": {"jobs": ["a"]},
    }


def test_other_peoples_jobs_are_gone_for_who_has_no_role():
    own, other = Entry({}, mark=1, owner=7), Entry({}, mark=1, owner=8)
    rights = Rights(7, False, False, False, {})
    for topic in ("jobs", "job", "output"):
        assert frames.visible(Key(topic, "a"), own, rights) is own
        assert frames.visible(Key(topic, "a"), other, rights) is GONE


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://LOCALHOST", "localhost", True),
        ("http://localhost", "localhost:80", True),
        ("https://localhost", "localhost", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost:8001", "localhost:8000", False),
        ("http://localhost", "localhost:8000", False),
        ("http://evil.example", "evil.example", False),
        ("http://evil@localhost:8000", "localhost:8000", False),
        ("file://", "localhost", False),
        ("null", "localhost", False),
        ("http://localhost:x", "localhost", False),
    ],
)
def test_only_the_page_of_the_same_host_and_port_is_ours(settings, origin, host, ours):
    settings.ALLOWED_HOSTS = ["localhost", "[::1]"]
    assert is_ours([(b"host", host.encode()), (b"origin", origin.encode())]) is ours
