"""Accounts and their roles."""

import pytest
from django.contrib.auth.models import User

from taskhub.core import users
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput, Conflict, NotFound
from taskhub.core.models import AuditEntry
from tests.support import NOON, PASSWORD, make_user

ROOT = Actor("root")


def values(**changes):
    return {"username": "clara", "first_name": "", "last_name": "", "email": "", "is_active": True, **changes}


def create(**changes):
    return users.create(values(**changes), role="author", password=PASSWORD, by=ROOT, now=NOON)


def test_a_new_account_has_its_role_and_password(db):
    user = create()
    assert users.role_of_account(user) == "author"
    assert user.check_password(PASSWORD)


def test_no_password_reaches_the_audit(db):
    create()
    entry = AuditEntry.objects.get()
    assert PASSWORD not in str(entry.after) and "pbkdf2" not in str(entry.after)
    assert entry.after is not None
    assert entry.after["role"] == "author"


@pytest.mark.parametrize("name", ["", "a b", "x" * 151])
def test_a_name_that_cannot_be_is_refused(db, name):
    with pytest.raises(BadInput) as refused:
        create(username=name)
    assert "username" in refused.value.fields


def test_names_differ_in_more_than_case(db):
    create()
    with pytest.raises(Conflict):
        create(username="Clara")


@pytest.mark.parametrize("password", ["short", "1234567890", "password1234"])
def test_a_weak_password_is_refused(db, password):
    with pytest.raises(BadInput) as refused:
        users.create(values(), role=None, password=password, by=ROOT, now=NOON)
    assert "password" in refused.value.fields
    assert not User.objects.exists()


def test_an_unknown_role_is_refused(db):
    with pytest.raises(BadInput):
        users.create(values(), role="king", password=PASSWORD, by=ROOT, now=NOON)


def test_a_role_replaces_the_one_before(db):
    user = create()
    users.change(user.pk, {}, role="viewer", by=ROOT, now=NOON)
    assert set(user.groups.values_list("name", flat=True)) == {"viewer"}
    users.change(user.pk, {}, role=None, by=ROOT, now=NOON)
    assert not user.groups.exists()


def test_a_blank_password_stays(db):
    user = create()
    users.change(user.pk, {"email": "clara@example.org"}, role="author", by=ROOT, now=NOON)
    user.refresh_from_db()
    assert user.check_password(PASSWORD) and user.email == "clara@example.org"


@pytest.mark.parametrize(
    ("changes", "role"), [({"is_active": False}, "system_admin"), ({}, "viewer"), ({}, None)]
)
def test_the_last_system_admin_stays(db, changes, role):
    only = make_user(role="system_admin")
    make_user(role="author")
    with pytest.raises(Conflict):
        users.change(only.pk, changes, role=role, by=ROOT, now=NOON)
    only.refresh_from_db()
    assert only.is_active and users.role_of_account(only) == "system_admin"


def test_one_of_two_system_admins_may_go(db):
    first = make_user(role="system_admin")
    make_user(superuser=True)
    assert not users.change(first.pk, {"is_active": False}, role="system_admin", by=ROOT, now=NOON).is_active


def test_an_unknown_account_is_not_found(db):
    with pytest.raises(NotFound):
        users.change(404, {}, role=None, by=ROOT, now=NOON)
