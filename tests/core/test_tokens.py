"""Bearer tokens, and the command that makes them."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from taskhub.core import tokens
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput
from taskhub.core.models import ApiToken, AuditEntry
from tests.support import MINUTE, NOON, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def create(user=None, **options) -> tuple[ApiToken, str]:
    return tokens.create(user or make_user(), **{"name": "ci", "now": NOON, **options})


def test_a_token_lets_its_user_in():
    user = make_user("anna")
    made, text = create(user)
    found = tokens.authenticate(text, now=NOON)
    assert found == made
    assert found is not None
    assert found.user == user


def test_only_a_digest_and_the_beginning_are_stored():
    made, text = create()
    made.refresh_from_db()
    stored = json.dumps(ApiToken.objects.values().get(), default=str)
    assert text not in stored
    assert made.prefix == text[:11]
    assert made.digest != text
    assert text not in json.dumps(list(AuditEntry.objects.values()), default=str)


def test_texts_are_long_and_never_the_same():
    user = make_user()
    texts = {create(user)[1] for _ in range(20)}
    assert len(texts) == 20
    assert all(len(text) == 46 for text in texts)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: "",
        lambda t: t[:-1],
        lambda t: t + "x",
        lambda t: t.upper(),
        lambda t: "th_" + "x" * 43,
        lambda t: t + "\n",
        lambda t: "\0" * 46,
        lambda t: "é" * 46,
        lambda t: "x" * 100_000,
    ],
)
def test_another_text_lets_nobody_in(spoil):
    _, text = create()
    assert tokens.authenticate(spoil(text), now=NOON) is None


def test_it_ends_after_its_days():
    made, text = create(days=2)
    assert made.expires_at == NOON + 2 * DAY
    assert tokens.authenticate(text, now=NOON + 2 * DAY - MINUTE)
    assert tokens.authenticate(text, now=NOON + 2 * DAY) is None


def test_it_ends_when_it_is_revoked():
    made, text = create()
    assert tokens.revoke(made, by=Actor("anna"), now=NOON)
    assert not tokens.revoke(made, by=Actor("anna"), now=NOON)
    assert tokens.authenticate(text, now=NOON) is None
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["token.revoke", "token.create"]


def test_it_ends_with_its_user():
    user = make_user()
    _, text = create(user)
    user.is_active = False
    user.save()
    assert tokens.authenticate(text, now=NOON) is None


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "\0"}, "name"),
        ({"days": 0}, "days"),
        ({"days": -1}, "days"),
        ({"days": 3651}, "days"),
        ({"days": 1.5}, "days"),
        ({"scope": "root"}, "scope"),
        ({"scope": "\0"}, "scope"),
    ],
)
def test_bad_input_is_refused_by_name(options, field):
    with pytest.raises(BadInput) as refused:
        create(**options)
    assert list(refused.value.fields) == [field]
    assert not ApiToken.objects.exists()


def test_its_use_is_noted_now_and_then():
    made, text = create()
    for later, noted in ((0, 0), (9, 0), (10, 10), (19, 10), (25, 25)):
        tokens.authenticate(text, now=NOON + later * MINUTE)
        made.refresh_from_db()
        assert made.last_used_at == NOON + noted * MINUTE


def test_a_database_that_takes_no_writes_keeps_nobody_out(monkeypatch):
    _, text = create()

    def fail(*args, **kwargs):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", fail)
    assert tokens.authenticate(text, now=NOON)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_token_as_its_last_word():
    make_user("anna")
    printed = run("create", "anna", "--name", "ci", "--days", "30", "--scope", "operator")
    found = tokens.authenticate(printed.split()[-1], now=NOON)
    assert found is not None
    assert (found.name, found.scope, found.user.get_username()) == ("ci", "operator", "anna")
    assert found.expires_at is not None


def test_the_command_answers_in_json():
    make_user("anna")
    made = json.loads(run("create", "anna", "--json"))
    assert tokens.authenticate(made["token"], now=NOON)
    assert made["expires_at"] is None
    listed = json.loads(run("list", "anna", "--json"))
    assert [each["id"] for each in listed] == [made["id"]]
    assert "token" not in listed[0]
    assert json.loads(run("revoke", str(made["id"]), "--json")) == {"id": made["id"], "revoked": True}
    assert tokens.authenticate(made["token"], now=NOON) is None


def test_the_list_tells_tokens_apart():
    made, text = create(make_user("anna"))
    tokens.revoke(made, by=Actor("x"), now=NOON)
    create(make_user("bert"), days=1)
    shown = run("list")
    assert text not in shown
    assert [line.split()[2] for line in shown.splitlines()] == ["revoked", "ended"]
    assert "had been revoked before" in run("revoke", str(made.pk))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "nobody"), "USER: expected the name of a user, got 'nobody'"),
        (("create", "anna", "--days", "0"), "days: expected 1 to 3650"),
        (("create", "anna", "--days", "soon"), "invalid int value"),
        (("create", "anna", "--scope", "root"), "scope: expected one of viewer"),
        (("create", "anna", "--name", ""), "name: expected a text that is not blank"),
        (("create", "off"), "switched off"),
        (("revoke", "999999"), "ID: expected the id of a token"),
        (("list", "nobody"), "USER: expected"),
        ((), "required"),
    ],
)
def test_the_command_refuses_with_a_sentence(arguments, said):
    make_user("anna")
    off = make_user("off")
    off.is_active = False
    off.save()
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert not ApiToken.objects.exists()
