"""What a script can find of Taskhub's secrets: nothing where scripts look."""

import json

import pytest

from jobs_app.states import JobState
from tests.acceptance.harness import Installation
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


def test_the_fail_point_reaches_runspaces_and_no_script(installation: Installation, rows: Rows) -> None:
    rows.pool(max_runspaces=1, min_runspaces=1)
    engine = installation.start_engine(failpoint="runspace.marked=kill@2")
    first, second = rows.create("import os\nsorted(n for n in os.environ if 'FAIL' in n)", 2)
    jobs = rows.until_ended()
    assert jobs[first].result == "[]"
    assert jobs[second].reason == "lost"
    assert installation.stop(engine) == 0
