"""What a script can find of Taskhub's secrets: nothing where scripts look."""

import json

import pytest

from jobs_app.states import JobState
from tests.acceptance.harness import ADMIN_PASSWORD, Installation
from tests.acceptance.rows import Rows

pytestmark = pytest.mark.processes

KEY = "a-secret-key-that-no-script-may-ever-see-0123456789-abcdefghij"
# Its own environment, that of everybody above it up to the engine, and the settings.
LOOK = """
import os

found = []
def look(where, text):
    if any(secret in text for secret in SECRETS):
        found.append(where)
    if "TASKHUB_FAILPOINT" in text and "/proc" not in where:
        found.append(where + ": fail point")

look("environment", repr(dict(os.environ)))
look("own /proc", open("/proc/self/environ", errors="replace").read())
pid, above = os.getpid(), []
while True:
    above.append(pid)
    for name in ("environ", "cmdline"):
        try:
            look(f"/proc/{pid}/{name}", open(f"/proc/{pid}/{name}", errors="replace").read())
        except PermissionError:
            pass
    if pid == ENGINE:
        break
    pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
for name in ("taskhub.settings", "taskhub.core.secrets_pipe", "jobs_app.models"):
    try:
        module = __import__(name, fromlist=["x"])
    except ImportError:
        continue
    found.append(name)
[found, len(above)]
"""


def test_scripts_find_no_secret_around_them(installation: Installation, rows: Rows) -> None:
    installation.environment = {"TASKHUB_SECRET_KEY": KEY}
    secrets = [KEY, "TASKHUB_SECRET_KEY=", "TASKHUB_DATABASE_URL="]
    engine = installation.start_engine(failpoint="nowhere=kill")
    source = f"SECRETS = {secrets!r}\nENGINE = {engine.pid}\n{LOOK}"
    (python,) = rows.create(source)
    script = f"env; cat /proc/$PPID/environ /proc/{engine.pid}/environ | tr '\\0' '\\n'"
    (shell,) = rows.create(
        f"if ({script}) | grep -q -e {KEY} -e TASKHUB_SECRET_KEY -e TASKHUB_DATABASE_URL; then exit 3; fi\n"
        "if env | grep -q TASKHUB_FAILPOINT; then exit 4; fi",
        language="shell",
    )
    jobs = rows.until_ended()
    assert jobs[python].state == JobState.COMPLETED, jobs[python].error_message
    found, above = json.loads(jobs[python].result or "null")
    assert (found, above >= 3) == ([], True)
    assert (jobs[shell].state, jobs[shell].exit_code) == (JobState.COMPLETED, 0)
    assert installation.stop(engine) == 0


# Of everybody from the script up to `up`, and of everybody else of this account who runs here.
EVERYBODY = """
import os

found, readable = [], 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/environ", errors="replace") as file:
            environment = file.read()
        with open(f"/proc/{pid}/cmdline", errors="replace") as file:
            environment += file.read()
    except OSError:
        continue
    if HOME in environment:
        readable += 1
        found += [f"{pid}: {number}" for number, secret in enumerate(SECRETS) if secret in environment]
[found, readable]
"""


@pytest.mark.parametrize("pool", ["default", "django"])
def test_no_process_of_an_installation_shows_a_secret(
    pool: str, installation: Installation, rows: Rows
) -> None:
    secrets = [KEY, ADMIN_PASSWORD, "a-broker-password"]
    if installation.database_url:
        secrets.append(installation.database_url)
    installation.environment = {
        "TASKHUB_SECRET_KEY": KEY, "TASKHUB_CELERY_BROKER_URL": "redis://:a-broker-password@127.0.0.1:1/0",
    }  # fmt: skip
    up = installation.start()
    (job,) = rows.create(f"SECRETS = {secrets!r}\nHOME = {str(installation.home)!r}\n{EVERYBODY}", pool=pool)
    ended = rows.until_ended()[job]
    assert ended.state == JobState.COMPLETED, ended.error_message
    found, readable = json.loads(ended.result or "null")
    # `up`, web and engine at least.
    assert (found, readable >= 3) == ([], True)
    assert installation.stop(up) == 0


def test_the_fail_point_reaches_runspaces_and_no_script(installation: Installation, rows: Rows) -> None:
    rows.pool(max_runspaces=1, min_runspaces=1)
    engine = installation.start_engine(failpoint="runspace.marked=kill@2")
    first, second = rows.create("import os\nsorted(n for n in os.environ if 'FAIL' in n)", 2)
    jobs = rows.until_ended()
    assert jobs[first].result == "[]"
    assert jobs[second].reason == "lost"
    assert installation.stop(engine) == 0
