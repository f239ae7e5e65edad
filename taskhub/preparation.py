"""What has to be there before web and engine can start. Each step may be repeated without harm."""

import secrets
from datetime import datetime

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from runspaces_app.models import Pool
from taskhub.core import audit, roles
from taskhub.core.clock import Clock
from taskhub.core.home import Home
from taskhub.environment import env_text
from taskhub.neighbours import refuse_neighbours
from taskhub.refusal import CannotStart

ADMIN = "admin"
OURS = ("core", "scaffolding", "runspaces_app", "tasks_app", "jobs_app")


def prepare_database(*, clock: Clock, home: Home) -> str | None:
    """Bring the tables up to date and write the rows without which nothing runs.

    Returns:
        The password of the first admin if it was made by chance just now; nobody can ask again.

    Raises:
        CannotStart: no database there, one of a newer Taskhub, one that another host or
            data folder uses, or one that cannot be written.
    """
    try:
        migrate()
        refuse_neighbours(clock=clock, home=home)
        with transaction.atomic():
            roles.create_roles()
            make_pools()
            return make_first_admin(now=clock.now())
    except DatabaseError as failed:
        first_line = str(failed).strip().splitlines()[0] if str(failed).strip() else type(failed).__name__
        raise CannotStart(f"Cannot use the database {where()}: {first_line}") from None


def where() -> str:
    """The database in words, without a password."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    return f"{settings['NAME']} at {settings['HOST'] or 'localhost'}"


def migrate() -> None:
    """Apply what is missing.

    Raises:
        CannotStart: the database knows steps that this code does not.
    """
    executor = MigrationExecutor(connection)
    known = set(executor.loader.disk_migrations or ())
    newer = sorted(
        step for step in executor.loader.applied_migrations or () if step[0] in OURS and step not in known
    )
    if newer:
        app, name = newer[-1]
        raise CannotStart(
            f"The database {where()} was written by a newer Taskhub (it has {app}.{name}); "
            "install that version or a later one."
        )
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def make_pools() -> None:
    """The two pools; one that is there keeps what people made of it."""
    Pool.objects.get_or_create(
        name="default",
        defaults={"kind": Pool.Kind.LEAN, "description": "Scripts, with the standard library alone."},
    )
    Pool.objects.get_or_create(
        name="django",
        defaults={
            "kind": Pool.Kind.DJANGO,
            # Its runspaces cost memory, and a fork of its server takes milliseconds.
            "min_runspaces": 0,
            "description": "Code that needs Django: async routes, tasks of installed Django apps.",
        },
    )


def make_first_admin(*, now: datetime) -> str | None:
    """A user who may do everything, unless there is one; returns a password made by chance."""
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return None
    given = env_text("TASKHUB_ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(15)
    users.objects.create_superuser(username=ADMIN, email="", password=password)
    audit.record(
        actor=audit.SYSTEM, action="user.create", object_type="user", object_id=ADMIN,
        after={"is_superuser": True}, message="first start", now=now,
    )  # fmt: skip
    return None if given else password
