"""Who did what."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.test import Client, RequestFactory
from rest_framework.request import Request

from taskhub.core import audit
from taskhub.core.audit import ENGINE, SYSTEM, Actor
from taskhub.core.masking import MASK
from taskhub.core.models import AppendOnly, AuditEntry
from tests.support import NOON, make_user

ANNA = Actor("anna", 7, "192.0.2.1")


def record(**values) -> None:
    audit.record(**{"actor": ANNA, "action": "job.cancel", "now": NOON, **values})


def lines(home: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (home / "logs" / "audit.log").read_text().splitlines()]


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_what():
    record(
        object_type="job",
        object_id="j1",
        before={"state": "running"},
        after={"state": "stopped"},
        message="by hand",
    )
    entry = AuditEntry.objects.get()
    assert (entry.at, entry.actor, entry.actor_id, entry.address) == (NOON, "anna", 7, "192.0.2.1")
    assert (entry.action, entry.object_type, entry.object_id) == ("job.cancel", "job", "j1")
    assert (entry.before, entry.after) == ({"state": "running"}, {"state": "stopped"})
    assert (entry.result, entry.message) == ("ok", "by hand")
    assert str(entry) == "anna job.cancel j1"


@pytest.mark.django_db
def test_secrets_are_masked_in_the_row_and_in_the_line(home, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        record(
            before={"environment": {"API_KEY": "abc"}}, after={"url": "x://u:pw@h"}, message="at x://u:pw@h"
        )
    entry = AuditEntry.objects.get()
    assert entry.before == {"environment": {"API_KEY": MASK}}
    assert entry.after == {"url": f"x://u:{MASK}@h"}
    assert entry.message == f"at x://u:{MASK}@h"
    assert "pw" not in (home / "logs" / "audit.log").read_text()


@pytest.mark.django_db(transaction=True)
def test_the_line_is_written_when_the_change_is_committed(home):
    with transaction.atomic():
        record(object_id="j1", after={"a": "é\n"})
        assert not (home / "logs" / "audit.log").exists()
    assert lines(home) == [
        {
            "at": "2026-03-10T12:00:00Z", "actor": "anna", "actor_id": 7, "address": "192.0.2.1", "action": "job.cancel",
            "object_type": "", "object_id": "j1", "before": None, "after": {"a": "é\n"}, "result": "ok", "message": "",
        }
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_neither_row_nor_line(home):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record()
        _ = 1 / 0
    assert not AuditEntry.objects.exists()
    assert not (home / "logs" / "audit.log").exists()


@pytest.mark.django_db(transaction=True)
def test_a_line_that_cannot_be_written_does_not_undo_the_change(home, caplog):
    (home / "logs").rmdir()
    (home / "logs").touch()
    record()
    assert AuditEntry.objects.count() == 1
    assert "audit line not written" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_log_is_its_owners_alone_and_its_folder_is_made(home):
    (home / "logs").rmdir()
    record()
    assert (home / "logs" / "audit.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_whatever_was_typed_is_recorded():
    record(
        actor=Actor("x\0" * 200, None, "a" * 100), object_id="\ud800" * 200, after={"\0": "\0" * 10_000}, message="\0",
        result="refused",
    )  # fmt: skip
    entry = AuditEntry.objects.get()
    assert (len(entry.actor), len(entry.address), len(entry.object_id)) == (150, 64, 128)
    assert entry.result == "refused"


def refused_changes():
    return {
        "save": lambda entry: entry.save(),
        "save some fields": lambda entry: entry.save(update_fields=["message"]),
        "delete": lambda entry: entry.delete(),
        "update": lambda entry: AuditEntry.objects.update(message="x"),
        "update one": lambda entry: AuditEntry.objects.filter(pk=entry.pk).update(message="x"),
        "bulk update": lambda entry: AuditEntry.objects.bulk_update([entry], ["message"]),
        "update or create": lambda entry: AuditEntry.objects.update_or_create(
            pk=entry.pk, defaults={"message": "x"}
        ),
        "upsert": lambda entry: AuditEntry.objects.bulk_create(
            [AuditEntry(pk=entry.pk, at=NOON)],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["at"],
        ),
        "delete all": lambda entry: AuditEntry.objects.all().delete(),
        "raw delete": lambda entry: AuditEntry.objects.all()._raw_delete("default"),
        "base manager": lambda entry: AuditEntry._base_manager.filter(pk=entry.pk).delete(),
        "base manager update": lambda entry: AuditEntry._base_manager.filter(pk=entry.pk).update(message="x"),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("change", refused_changes())
def test_entries_can_be_neither_changed_nor_removed(change):
    record(message="as it was")
    with pytest.raises(AppendOnly) as refused:
        refused_changes()[change](AuditEntry.objects.get())
    assert (refused.value.status, refused.value.code) == (409, "append_only")
    assert AuditEntry.objects.get().message == "as it was"


@pytest.mark.django_db
def test_an_entry_outlives_the_user_it_names():
    user = make_user("anna")
    record(actor=Actor("anna", user.pk))
    user.delete()
    assert AuditEntry.objects.get().actor == "anna"


@pytest.mark.django_db
def test_one_entry_costs_one_statement(django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(1):
        record(before={"a": 1})


@pytest.mark.django_db
def test_the_actor_of_a_request(rf: RequestFactory):
    request = rf.get("/", REMOTE_ADDR="192.0.2.9")
    request.user = AnonymousUser()
    assert Actor.of(request) == Actor("anonymous", None, "192.0.2.9")
    request.user = make_user("anna")
    assert Actor.of(request) == Actor("anna", request.user.pk, "192.0.2.9")
    wrapped = Request(request)
    wrapped.user = request.user
    assert Actor.of(wrapped) == Actor.of(request)


@pytest.mark.one_database
def test_parts_of_taskhub_act_under_their_own_names():
    assert (ENGINE.name, SYSTEM.name) == ("engine", "system")


@pytest.mark.django_db
def test_newest_first():
    record(object_id="1")
    record(object_id="2", now=NOON - timedelta(days=1))
    assert list(AuditEntry.objects.values_list("object_id", flat=True)) == ["2", "1"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/admin/core/auditentry/{}/delete/", {"post": "yes"}),
        ("/admin/core/auditentry/{}/change/", {"message": "changed", "_save": "Save"}),
        ("/admin/core/auditentry/", {"action": "delete_selected", "_selected_action": "{}", "post": "yes"}),
        ("/admin/core/auditentry/add/", {"action": "x", "actor": "y"}),
    ],
)
def test_an_administrator_cannot_touch_them_either(client: Client, path, form):
    client.force_login(make_user(superuser=True))
    record(message="as it was")
    entry = AuditEntry.objects.get()
    answer = client.post(
        path.format(entry.pk), {name: value.format(entry.pk) for name, value in form.items()}
    )
    assert answer.status_code < 500
    assert list(AuditEntry.objects.values_list("pk", "message")) == [(entry.pk, "as it was")]
