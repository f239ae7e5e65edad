"""People of an installation: made, given roles and deprived of them, signed out, all past its processes."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest_django
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.utils import timezone

from tasks_app.models import Task
from tests.acceptance.harness import Installation
from tests.acceptance.rows import Rows

PASSWORD = "their password, known to this test"


class People:
    """Who may sign in to `installation`; written straight to its database."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def make(self, **roles: str) -> None:
        """Users by name with the role each has; blank: none."""
        with self._rows.open() as alias:
            for name, role in roles.items():
                user = User(username=name, is_staff=True)
                # The tests' own hasher is one that no installation knows.
                user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1000)
                user.save(using=alias)
                if role:
                    user.groups.add(Group.objects.using(alias).get(name=role))

    def take_roles_away(self, name: str) -> None:
        with self._rows.open() as alias:
            User.objects.using(alias).get(username=name).groups.clear()

    def make_due(self, task: int) -> None:
        """Let the clock of a scheduled task have come to its next run."""
        with self._rows.open() as alias:
            Task.objects.using(alias).filter(pk=task).update(next_due_at=timezone.now())

    def flush_session(self, session: str) -> None:
        """End a session on the server; the browser that has it is told nothing."""
        with self._rows.open() as alias:
            assert Session.objects.using(alias).filter(pk=session).delete()[0] == 1


@contextmanager
def people_of(installation: Installation, unblock: pytest_django.DjangoDbBlocker) -> Iterator[People]:
    rows = Rows(installation, unblock)
    try:
        yield People(rows)
    finally:
        rows.close()
