"""Fixtures of the admin's tests: rows to show, and clients of each role."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from jobs_app.models import Engine, Execution, Job
from runspaces_app.models import Pool, Runspace
from taskhub.core import roles, runtime_settings
from taskhub.core.models import ApiToken, AuditEntry
from tasks_app.models import Occurrence, Task
from tests.browser import demo
from tests.support import make_user

ROLES = ("viewer", "operator", "author", "system_admin")


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()
    runtime_settings.forget_cached()


@pytest.fixture
def rows(db, home):
    """The demo rows, by names that addresses use."""
    from taskhub.core import tokens

    roles.create_roles()
    demo.fill(timezone.now())
    token, _ = tokens.create(make_user("robot"), name="export", now=timezone.now())
    return {
        "job": Job.objects.get(state="created").pk,
        "running": Job.objects.get(state="running", cancel_requested_at=None).pk,
        "failed": Job.objects.get(state="failed").pk,
        "ended": Job.objects.get(public_id="nightly-export-2026-03-10").pk,
        "execution": Execution.objects.order_by("pk").first().pk,
        "engine": Engine.objects.get().pk,
        "task": Task.objects.get(name="ImportOrders").pk,
        "occurrence": Occurrence.objects.first().pk,
        "runspace": Runspace.objects.filter(state="opened").first().pk,
        "pool": Pool.objects.get(name="default").pk,
        "audit": AuditEntry.objects.order_by("-pk").first().pk,
        "token": ApiToken.objects.get(pk=token.pk).pk,
        "user": make_user("somebody").pk,
    }


@pytest.fixture
def sign_in(db) -> Callable[..., Client]:
    """A browser of somebody with a role, or of nobody for `None`."""

    def enter(role: str | None, **more: bool) -> Client:
        client = Client(raise_request_exception=True)
        if role is None:
            return client
        if role == "no role":
            user = make_user()
        elif role == "staff without role":
            user = make_user()
            user.is_staff = True
            user.save()
        else:
            user = make_user(role=role)
        client.force_login(user)
        return client

    return enter
