"""What a script of a lean runspace can reach: the standard library, its own words, and no secret."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from jobs_app.models import Job

from .conftest import EngineInTest

pytestmark = pytest.mark.one_database

Submit = Callable[..., Job]

LOOK = """
import gc, os, sys, types
standard = set(sys.stdlib_module_names) | {name for name in sys.modules if name.startswith('_sysconfigdata_')}
def parent(pid): return int(open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[1])
above, pid = [], os.getpid()
while pid > 1:
    try:
        above.append((pid, open(f'/proc/{pid}/environ', 'rb').read().decode(errors='replace')))
    except OSError:
        pass
    pid = parent(pid)
{
    "foreign modules": sorted(name for name in sys.modules if name.partition('.')[0] not in standard),
    "modules in memory": sorted({
        found.__name__ for found in gc.get_objects() if isinstance(found, types.ModuleType)
        and found.__name__.partition('.')[0] not in standard
    }),
    "variables": sorted(os.environ),
    "path": sys.path,
    "above": [(pid, text) for pid, text in above],
    "descriptors": sorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')
                          if os.path.exists(f'/proc/self/fd/{n}')),
}
"""
DECLARED = {
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "OWN", "TASKHUB_JOB_ID", "TASKHUB_ATTEMPT", "TASKHUB_FENCE",
    "TASKHUB_TRIGGER", "TASKHUB_STARTED_AT",
}  # fmt: skip


@pytest.fixture
def seen(engine: EngineInTest, submit: Submit, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("TASKHUB_SECRET_KEY", "TASKHUB_ADMIN_PASSWORD", "SOME_TOKEN"):
        monkeypatch.setenv(name, "must-never-be-seen")
    job = submit(LOOK, environment={"OWN": "value"})
    engine.run(job)
    assert job.state == "completed", job.error_traceback
    found: dict[str, Any] = json.loads(job.result or "")
    return found


def test_only_the_standard_library_is_imported(seen: dict[str, Any]) -> None:
    found = {name.partition(".")[0] for name in seen["foreign modules"]}
    # The second is what setuptools puts into every interpreter of a virtual environment.
    assert found - {"__main__", "_distutils_hack"} == {"setproctitle"}


def test_no_module_of_django_or_with_a_secret_lies_in_memory(seen: dict[str, Any]) -> None:
    ours = {"taskhub", "runspaces_app"}
    assert {name.partition(".")[0] for name in seen["modules in memory"]} <= ours | {
        "__main__",
        "setproctitle",
        "_distutils_hack",
    }
    assert {name for name in seen["modules in memory"] if name.startswith("taskhub")} <= {
        "taskhub", "taskhub.core", "taskhub.core.failpoints",
    }  # fmt: skip
    assert all(
        name == "runspaces_app" or name.startswith("runspaces_app.worker")
        for name in seen["modules in memory"]
        if name.startswith("runspaces_app")
    )


def test_the_environment_holds_the_declared_names_alone(seen: dict[str, Any]) -> None:
    assert set(seen["variables"]) <= DECLARED
    assert {"PATH", "TMPDIR", "OWN", "TASKHUB_JOB_ID"} <= set(seen["variables"])


def test_the_processes_of_the_runspace_were_started_without_secrets(seen: dict[str, Any]) -> None:
    # The runspace and the server it was forked from; above them stands the test itself.
    own = seen["above"][:2]
    assert len(own) == 2
    for _, text in own:
        assert "must-never-be-seen" not in text
        assert {name.partition("=")[0] for name in text.split("\0") if "=" in name} <= DECLARED


def test_no_database_and_no_file_of_taskhub_is_open(seen: dict[str, Any]) -> None:
    kinds = {name.partition(":")[0] for name in seen["descriptors"] if not name.startswith("/")}
    files = {name for name in seen["descriptors"] if name.startswith("/")}
    assert kinds <= {"socket", "pipe", "anon_inode"}
    assert {name for name in files if "sqlite" in name or name.endswith((".lock", ".log"))} == set()
    (mark,) = {name for name in files if not name.startswith(("/dev/", "/proc/"))}
    assert mark.endswith(".mark")
