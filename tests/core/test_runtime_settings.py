"""The seven settings people change while Taskhub runs."""

import pytest
from django.db import transaction

from taskhub.core import runtime_settings
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput, NotFound
from taskhub.core.models import AuditEntry, Setting
from tests.support import NOON

ANNA = Actor("anna", 7)
DEFAULTS = {
    "history_retention_days": 30, "max_concurrent_tasks": 10, "notifications_enabled": True, "default_timeout": 600,
    "auto_refresh_seconds": 5, "memory_warning_mb": 100, "age_warning_seconds": 86_400,
}  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten():
    runtime_settings.forget_cached()
    yield
    runtime_settings.forget_cached()


def set_value(name, value) -> None:
    runtime_settings.set_value(name, value, actor=ANNA, now=NOON)


@pytest.mark.django_db
def test_there_are_seven_with_their_defaults():
    assert {name: runtime_settings.get(name) for name in runtime_settings.DEFINITIONS} == DEFAULTS


@pytest.mark.django_db
def test_a_changed_value_is_in_force_at_once_and_audited():
    set_value("max_concurrent_tasks", 3)
    assert runtime_settings.get("max_concurrent_tasks") == 3
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.object_id) == ("anna", "settings.change", "max_concurrent_tasks")
    assert (entry.before, entry.after) == ({"value": 10}, {"value": 3})


@pytest.mark.django_db
def test_setting_the_default_removes_the_row():
    set_value("notifications_enabled", False)
    set_value("notifications_enabled", True)
    assert not Setting.objects.exists()
    assert runtime_settings.get("notifications_enabled") is True


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_concurrent_tasks", 0), ("max_concurrent_tasks", -1), ("max_concurrent_tasks", "5"),
        ("max_concurrent_tasks", 5.0), ("max_concurrent_tasks", True), ("max_concurrent_tasks", None),
        ("max_concurrent_tasks", 2**70), ("max_concurrent_tasks", [1]), ("notifications_enabled", 1),
        ("notifications_enabled", "true"), ("default_timeout", 0), ("default_timeout", -2),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(name, value):
    with pytest.raises(BadInput, match=f"{name}: expected") as refused:
        set_value(name, value)
    assert list(refused.value.fields) == [name]
    assert not Setting.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_a_time_out_may_be_none():
    set_value("default_timeout", -1)
    assert runtime_settings.get("default_timeout") == -1


@pytest.mark.django_db
def test_an_unknown_name_is_not_found():
    with pytest.raises(NotFound, match="expected one of history_retention_days"):
        set_value("nothing", 1)
    with pytest.raises(KeyError):
        runtime_settings.get("nothing")


@pytest.mark.django_db
def test_a_row_somebody_spoiled_counts_as_the_default():
    Setting.objects.create(name="max_concurrent_tasks", value="many")
    assert runtime_settings.get("max_concurrent_tasks") == 10


@pytest.mark.django_db(transaction=True)
def test_values_are_read_once_a_second(django_assert_num_queries, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("taskhub.core.runtime_settings.time.monotonic", lambda: now[0])
    with django_assert_num_queries(1):
        for name in DEFAULTS:
            runtime_settings.get(name)
    Setting.objects.create(name="max_concurrent_tasks", value=2)
    assert runtime_settings.get("max_concurrent_tasks") == 10
    now[0] += runtime_settings.CACHED_SECONDS
    assert runtime_settings.get("max_concurrent_tasks") == 2


@pytest.mark.django_db(transaction=True)
def test_what_a_transaction_saw_and_took_back_is_not_kept():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        set_value("max_concurrent_tasks", 2)
        assert runtime_settings.get("max_concurrent_tasks") == 2
        _ = 1 / 0
    assert runtime_settings.get("max_concurrent_tasks") == 10


@pytest.mark.django_db
def test_everything_says_what_was_changed_by_whom():
    set_value("auto_refresh_seconds", 9)
    found = {each["name"]: each for each in runtime_settings.everything()}
    assert set(found) == set(DEFAULTS)
    changed = found["auto_refresh_seconds"]
    assert (changed["value"], changed["default"], changed["source"]) == (9, 5, "database")
    assert changed["updated_by"] == "anna"
    assert found["default_timeout"]["source"] == "default"
