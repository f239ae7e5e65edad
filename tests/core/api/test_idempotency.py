"""`Idempotency-Key`: equal calls with one key have one effect and one answer."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from taskhub.core.errors import Conflict
from taskhub.core.models import AuditEntry, IdempotencyKey
from tests.support import MINUTE, NOON, make_user

from .probes import Once

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probes")]

BODY = {"id": "one", "n": {"a": 1, "b": [2]}}


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("prepared", "within"):
        monkeypatch.setattr(Once, name, staticmethod(lambda: None))
    monkeypatch.setattr(Once, "now", NOON)


@pytest.fixture
def send() -> Callable[..., Any]:
    return sender(make_user())


def sender(user: Any, path: str = "once") -> Callable[..., Any]:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)

    def post(body: Any = BODY, key: str | None = "k1", verb: str = "post", query: str = "") -> Any:
        headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
        return getattr(client, verb)(f"/api/v1/{path}{query}", body, format="json", **headers)

    return post


def effects() -> int:
    return AuditEntry.objects.filter(action="probe.effect").count()


def test_without_a_key_each_call_counts(send):
    assert [send(key=None).json()["number"] for _ in range(3)] == [1, 2, 3]
    assert not IdempotencyKey.objects.exists()


def test_an_equal_call_gets_the_same_answer_and_does_nothing(send):
    first, second = send(), send()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second["Location"] == first["Location"] == "/made/1"
    assert "Idempotent-Replay" not in first
    assert second["Idempotent-Replay"] == "true"
    assert effects() == 1


def test_equal_means_the_same_value_however_it_was_written(send):
    send({"a": 1, "b": 2})
    assert send({"b": 2, "a": 1})["Idempotent-Replay"] == "true"


@pytest.mark.parametrize(
    "other", [{}, {**BODY, "id": "two"}, {**BODY, "x": None}, {"id": "one", "n": {"a": 1, "b": [2, 3]}}]
)
def test_another_body_with_the_same_key_is_409(send, other):
    send()
    answer = send(other)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert effects() == 1


def test_another_query_is_another_call(send):
    send()
    assert send(query="?wait=5").status_code == 409


def test_another_verb_is_another_call(send):
    send()
    assert send(verb="put").status_code == 409


def test_keys_belong_to_caller_and_path():
    user = make_user()
    first = [sender(user), sender(make_user()), sender(user, "long/" * 60 + "once")]
    assert [post().json()["number"] for post in first] == [1, 2, 3]
    assert [post().json()["number"] for post in first] == [1, 2, 3]


def test_other_keys_are_other_calls(send):
    assert [send(key=key).json()["number"] for key in ("k1", "k2", "k1", "K1")] == [1, 2, 1, 3]


def test_after_24_hours_a_key_is_new(send, monkeypatch):
    send()
    monkeypatch.setattr(Once, "now", NOON + timedelta(hours=24) - MINUTE)
    assert send()["Idempotent-Replay"] == "true"
    monkeypatch.setattr(Once, "now", NOON + timedelta(hours=24))
    again = send({"id": "other"})
    assert (again.status_code, again.json()["number"]) == (201, 2)
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", "a\x01b", "a\x7f"])
def test_a_key_that_is_none_is_400(send, key):
    answer = send(key=key)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Idempotency-Key"])
    assert effects() == 0


@pytest.mark.parametrize("error", [Conflict("taken"), RuntimeError("a fault")])
def test_what_fails_keeps_nothing_and_frees_the_key(send, monkeypatch, error):
    def fail() -> None:
        raise error

    monkeypatch.setattr(Once, "within", staticmethod(fail))
    assert send().status_code in (409, 500)
    assert effects() == 0
    assert not IdempotencyKey.objects.exists()
    monkeypatch.setattr(Once, "within", staticmethod(lambda: None))
    assert send().status_code == 201


def test_input_that_is_refused_does_not_take_the_key(send, monkeypatch):
    def refuse() -> None:
        raise Conflict("not now")

    monkeypatch.setattr(Once, "prepared", staticmethod(refuse))
    assert send().status_code == 409
    monkeypatch.setattr(Once, "prepared", staticmethod(lambda: None))
    assert send({"id": "other"}).status_code == 201


def test_an_answer_is_repeated_without_checking_anew(send, monkeypatch):
    send()

    def refuse() -> None:
        raise Conflict("the language is gone")

    monkeypatch.setattr(Once, "prepared", staticmethod(refuse))
    assert send()["Idempotent-Replay"] == "true"


def at_once(number: int, act: Callable[[], Any]) -> list[Any]:
    """Call `act` from that many threads at the same moment."""
    answers: list[Any] = []
    gate = threading.Barrier(number)

    def call() -> None:
        gate.wait(30)
        try:
            answers.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == number
    return answers


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_calls_at_once_have_one_effect():
    user = make_user()
    number = 50 if connection.vendor == "sqlite" else 20
    answers = at_once(number, lambda: sender(user)())
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replay" not in answer for answer in answers) == 1
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_bodies_at_once_one_wins():
    user = make_user()
    bodies = iter([{"id": "a"}, {"id": "b"}] * 5)
    lock = threading.Lock()

    def call() -> Any:
        with lock:
            body = next(bodies)
        return sender(user)(body)

    answers = at_once(10, call)
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 5
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_a_first_call_that_dies_lets_the_next_one_do_the_work(monkeypatch):
    """Its connection is cut off inside the effect, which is what the database sees of a killed process."""
    user = make_user()

    class Died(BaseException):
        pass

    def die() -> None:
        connection.connection.close()
        raise Died

    monkeypatch.setattr(Once, "within", staticmethod(die))
    with pytest.raises(Died):
        sender(user)()
    connection.close()
    assert effects() == 0
    monkeypatch.setattr(Once, "within", staticmethod(lambda: None))
    answer = sender(user)()
    assert (answer.status_code, effects()) == (201, 1)
    assert "Idempotent-Replay" not in answer
