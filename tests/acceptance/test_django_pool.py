"""The pool `django`: scripts that use the ORM, and what is left when one is stopped in the middle of it."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_django
from django.contrib.auth.models import Group
from django.db import connections

from jobs_app.models import Job
from runspaces_app.models import Pool, Runspace
from tests.acceptance.databases import drop_database, on_postgresql
from tests.acceptance.harness import Installation, Prepared
from tests.acceptance.http_client import HttpClient
from tests.acceptance.rows import Rows
from tests.support import wait_until

pytestmark = pytest.mark.processes

STOP_SECONDS = 2.0
ANOTHER_WRITER_SECONDS = 1.0


class Hub:
    """One installation for all tests of this file, and what they do with it."""

    def __init__(self, installation: Installation, rows: Rows) -> None:
        self.installation = installation
        self.rows = rows
        self.http: HttpClient = installation.client()
        self._made = 0

    def submit(self, code: str, **fields: Any) -> str:
        self._made += 1
        job = {"id": f"orm-{self._made}", "language": "python", "pool": "django", "start": True, "code": code}
        answer = self.http.post("/api/v1/jobs", job | fields)
        assert answer.status in (201, 202), answer.text
        return str(job["id"])

    def look(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/api/v1/jobs/{job}").json()
        return found

    def ended(self, job: str, timeout: float = 40.0) -> dict[str, Any]:
        wait_until(lambda: self.look(job)["finished_at"], timeout, f"{job} has ended", interval=0.05)
        return self.look(job)

    def result(self, code: str) -> Any:
        """What a job with this code returns."""
        job = self.submit(code)
        assert (ended := self.ended(job))["state"] == "completed", ended["error"]
        return self.http.get(f"/api/v1/jobs/{job}/result").json()

    def stop(self, job: str) -> float:
        """Cancel; returns the seconds until the job has ended."""
        asked = time.monotonic()
        answer = self.http.post(f"/api/v1/jobs/{job}/cancel", {})
        assert answer.status == 202, answer.text
        accepted = time.monotonic()
        ended = self.ended(job)
        assert (ended["state"], ended["reason"]) == ("stopped", "user")
        assert accepted - asked < STOP_SECONDS
        return time.monotonic() - accepted

    def runspace(self, job: str) -> Runspace:
        with self.rows.open() as alias:
            number = Job.objects.using(alias).get(public_id=job).runspace
            return Runspace.objects.using(alias).get(pk=number or 0)

    def groups(self, prefix: str) -> list[str]:
        with self.rows.open() as alias:
            found = Group.objects.using(alias).filter(name__startswith=prefix)
            return sorted(found.values_list("name", flat=True))

    def another_writes(self) -> float:
        """Change the row that the stopped scripts change, as any other process would; returns seconds."""
        began = time.monotonic()
        with self.rows.open() as alias:
            assert Group.objects.using(alias).filter(name="contended").update(name="contended") == 1
        return time.monotonic() - began

    def open_transactions(self) -> list[Any]:
        """Sessions of others on the PostgreSQL server that lie in a transaction or still work for a script."""
        with self.rows.open() as alias, connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND (state LIKE 'idle in%' "
                "OR state = 'active' AND query LIKE '%pg_sleep%')"
            )
            return list(cursor.fetchall())

    def database_files(self, pid: int) -> list[str]:
        """What a process has open of the database's files and locks."""
        found = []
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                target = str(entry.readlink())
                if target.startswith(str(self.installation.home)) and (
                    ".sqlite3" in target or ".lock" in target
                ):
                    found.append(target)
        return found


@pytest.fixture(scope="module")
def hub(
    tmp_path_factory: pytest.TempPathFactory,
    prepared: Prepared,
    django_db_blocker: pytest_django.DjangoDbBlocker,
) -> Iterator[Hub]:
    installation = prepared.copy(tmp_path_factory.mktemp("django-pool") / "home")
    rows = Rows(installation, django_db_blocker)
    with rows.open() as alias:
        Pool.objects.using(alias).filter(name="django").update(
            min_runspaces=1, max_runspaces=3, grace_seconds=5.0
        )
        Group.objects.using(alias).create(name="contended")
    installation.start()
    yield Hub(installation, rows)
    rows.close()
    installation.clean_up()
    drop_database(installation.database_url)


def test_a_script_makes_and_reads_rows_by_models(hub: Hub) -> None:
    found = hub.result(
        "from django.contrib.auth.models import Group, User\n"
        "group = Group.objects.create(name='made by a script')\n"
        "user = User.objects.create_user('scripted')\n"
        "user.groups.add(group)\n"
        "list(User.objects.filter(groups__name='made by a script').values_list('username', flat=True))"
    )

    assert found == ["scripted"]
    assert hub.groups("made by") == ["made by a script"]


def test_each_job_begins_without_a_connection_and_leaves_none(hub: Hub) -> None:
    code = (
        "import os\n"
        "from django.contrib.auth.models import Group\n"
        "from django.db import connection\n"
        "before = connection.connection is None\n"
        "[os.getpid(), before, Group.objects.count() > 0, connection.connection is not None]"
    )

    first, second = hub.result(code), hub.result(code)

    assert first == second == [first[0], True, True, True]
    if on_postgresql():
        assert not psutil.Process(first[0]).net_connections()
    else:
        assert hub.database_files(first[0]) == []


def test_a_transaction_left_open_is_rolled_back_before_the_next_job(hub: Hub) -> None:
    hub.result(
        "from django.contrib.auth.models import Group\n"
        "from django.db import transaction\n"
        "transaction.set_autocommit(False)\n"
        "Group.objects.create(name='left open')\n"
        "Group.objects.filter(name='contended').update(name='contended')\n"
        "None"
    )

    assert hub.another_writes() < ANOTHER_WRITER_SECONDS
    assert hub.groups("left open") == []
    code = "from django.db import connection\nconnection.ensure_connection()\nconnection.get_autocommit()"
    assert hub.result(code) is True


# Each holds locks again and again, most of the time, so that the request hits it inside and yet comes through.
HOLDING = """
import time
from django.contrib.auth.models import Group
from django.db import connection, transaction

print('begun', flush=True)
number = 0
while True:
    with transaction.atomic():
        number += 1
        Group.objects.filter(name='contended').update(name='contended')
        row = Group.objects.create(name=f'{MARK} kept')
        {INSIDE}
        row.delete()
"""
INSIDE = {
    "asleep in a transaction": "time.sleep(0.5)",
    "busy in a transaction": "end = time.monotonic() + 0.5\n        while time.monotonic() < end: pass",
    "writing in a transaction": (
        "end = time.monotonic() + 0.5\n"
        "        while time.monotonic() < end:\n"
        "            Group.objects.create(name=f'{MARK} {time.monotonic_ns()}').delete()"
    ),
    "in a nested transaction": (
        "with transaction.atomic():\n"
        "            Group.objects.create(name=f'{MARK} nested').delete()\n"
        "            time.sleep(0.5)"
    ),
    "in a long read": (
        "with connection.cursor() as cursor:\n"
        "            cursor.execute('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 400000) SELECT count(*) FROM n')"
    ),
}
if on_postgresql():
    INSIDE["in a statement of the server"] = (
        "with connection.cursor() as cursor:\n            cursor.execute('SELECT pg_sleep(60)')"
    )


def left_nothing(hub: Hub, job: str, mark: str) -> None:
    """Assert that no transaction, lock or row of a stopped job is left, and no runspace that ran it."""
    assert hub.another_writes() < ANOTHER_WRITER_SECONDS
    assert hub.groups(mark) == []
    if on_postgresql():
        assert hub.open_transactions() == []
    row = wait_until(
        lambda: (found := hub.runspace(job)).state != "opened" and found, message="it is recycled"
    )
    assert "cancelled" in row.close_reason
    assert row.state == "closed"
    assert not psutil.pid_exists(row.pid)


@pytest.mark.parametrize("kind", INSIDE)
def test_a_job_stopped_inside_a_transaction_leaves_nothing_of_it(hub: Hub, kind: str) -> None:
    mark = f"row of {kind}"
    job = hub.submit(f"MARK = {mark!r}\n" + HOLDING.replace("{INSIDE}", INSIDE[kind]))
    wait_until(lambda: hub.look(job)["state"] == "running", timeout=30, message="it runs")

    assert hub.stop(job) < STOP_SECONDS

    left_nothing(hub, job, mark)


def test_a_runspace_killed_inside_a_transaction_takes_it_along(hub: Hub, tmp_path: Path) -> None:
    inside = INSIDE.get("in a statement of the server", "time.sleep(60)")
    # Told by itself: who holds the lock for good keeps the engine from telling it, too.
    told = tmp_path / "pid"
    tell = f"import os\nopen({str(told)!r}, 'w').write(f'{{os.getpid()}}\\n')\nMARK = 'row of a killed one'\n"
    job = hub.submit(tell + HOLDING.replace("{INSIDE}", inside))
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"), timeout=30, message="it runs")

    psutil.Process(int(told.read_text())).kill()

    assert hub.another_writes() < 2 * ANOTHER_WRITER_SECONDS
    assert hub.ended(job)["reason"] == "lost"
    assert hub.groups("row of a killed") == []
    if on_postgresql():
        assert hub.open_transactions() == []


def test_a_job_that_waits_for_anothers_lock_stops_too(hub: Hub) -> None:
    holder, waiting = (
        hub.submit(f"MARK = 'row of the {who}'\n" + HOLDING.replace("{INSIDE}", "time.sleep(0.1)"))
        for who in ("holder", "waiting one")
    )
    jobs = (holder, waiting)
    wait_until(
        lambda: {hub.look(job)["state"] for job in jobs} == {"running"}, timeout=30, message="both run"
    )

    assert hub.stop(waiting) < STOP_SECONDS
    assert hub.look(holder)["state"] == "running"
    assert hub.stop(holder) < STOP_SECONDS

    left_nothing(hub, waiting, "row of the waiting")
    left_nothing(hub, holder, "row of the holder")


@pytest.mark.one_database
@pytest.mark.slow
def test_a_job_that_keeps_everybody_from_writing_is_stopped_for_it(hub: Hub) -> None:
    job = hub.submit("MARK = 'row of a greedy one'\n" + HOLDING.replace("{INSIDE}", "time.sleep(60)"))

    ended = hub.ended(job)

    assert (ended["state"], ended["reason"], ended["error"]["type"]) == ("failed", "error", "HeldDatabase")
    assert ended["duration"] < 40
    left_nothing(hub, job, "row of a greedy")


SHOW_DESCRIPTORS = """
import os, time
from django.contrib.auth.models import Group
Group.objects.count()
open(f"{MEET}/{os.getpid()}", "x").close()
while len(os.listdir("{MEET}")) < 2:
    time.sleep(0.02)
found = {}
for name in os.listdir('/proc/self/fd'):
    try:
        found[name] = os.readlink(f'/proc/self/fd/{name}')
    except FileNotFoundError:
        pass
[os.getpid(), os.getppid(), found]
"""


def test_runspaces_of_one_server_share_no_connection_and_no_file(hub: Hub, tmp_path: Path) -> None:
    jobs = [hub.submit(SHOW_DESCRIPTORS.replace("{MEET}", str(tmp_path))) for _ in range(2)]
    for job in jobs:
        assert hub.ended(job)["state"] == "completed"
    (one, server, mine), (other, same_server, theirs) = (
        hub.http.get(f"/api/v1/jobs/{job}/result").json() for job in jobs
    )

    assert (one != other, server) == (True, same_server)
    shared = set(mine.values()) & set(theirs.values())
    assert {name for name in shared if name.startswith(("socket:", "pipe:"))} == set()
    # The file of the database may be open in both, each for itself: the server has none to pass on.
    assert hub.database_files(server) == []
    owned = {str(entry.readlink()) for entry in Path(f"/proc/{server}/fd").iterdir()}
    assert {name for name in owned & set(mine.values()) if name.startswith(("socket:", "pipe:"))} == set()
