"""`job`, `task` and `run_engine` as a person at a shell uses them, beside a real `up`."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.harness import Installation
from tests.support import wait_until

pytestmark = pytest.mark.processes

TASKS = """
tasks:
  - name: Greet
    schedule: "0 3 1 1 *"
    code: "print('hello', context.parameters.get('who', 'nobody')); 7"
  - name: Break
    language: shell
    code: "echo broken; exit 4"
"""


@pytest.fixture(scope="module")
def up(shared_installation: Installation) -> Installation:
    (shared_installation.home / "config" / "tasks.yaml").write_text(TASKS)
    shared_installation.start()
    wait_until(lambda: "Greet" in shared_installation.manage("task", "list").stdout, 30, "the tasks are read")
    return shared_installation


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "script.py"
    file.write_text("print('from the script')\ncontext.parameters")
    return file


def test_a_script_runs_and_its_output_is_followed(up: Installation, script: Path) -> None:
    done = up.manage("job", "run", str(script), "--param", "a=1", "--follow")
    assert (done.returncode, done.stdout) == (0, "from the script\n")
    assert "script.py completed" in done.stderr
    waited = up.manage("job", "run", str(script), "--param", "a=1", "--wait", "--json")
    shown = json.loads(waited.stdout)
    assert (shown["state"], shown["result"], shown["parameters"]) == ("completed", {"a": "1"}, {"a": "1"})


@pytest.mark.one_database
def test_the_exit_code_is_the_scripts(up: Installation, tmp_path: Path) -> None:
    file = tmp_path / "fails"
    file.write_text("#!/bin/sh\nexit 3\n")
    done = up.manage("job", "run", str(file), "--wait")
    assert done.returncode == 3 and "exit code 3" in done.stderr
    file.write_text("1 / 0")
    done = up.manage("job", "run", str(file), "--language", "python", "--wait")
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("job", "run", "/nowhere/at.py"), "expected a file that can be read"),
        (("job", "run", "/etc/hostname"), "neither first line nor suffix tells"),
        (("job", "tail", "no-such-job"), "expected the id of a job"),
        (("job", "cancel", "no-such-job"), "expected the id of a job"),
        (("job", "list", "--state", "asleep"), "state"),
        (("task", "run", "nobody"), "expected the name, App/Name or number"),
        (("task", "enable", "Greet", "nobody"), "expected the name, App/Name or number"),
        (("task", "import", "/nowhere.json"), "expected a file that can be read"),
        (("task", "export", "/nowhere/at/all.json"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(up: Installation, arguments: tuple[str, ...], words: str) -> None:
    done = up.manage(*arguments)
    assert done.returncode == 1
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.one_database
@pytest.mark.parametrize(
    "arguments",
    [
        ("job",),
        ("job", "list", "--limit", "0"),
        ("job", "run", "/etc/hostname", "--language", "shell", "--param", "a"),
        ("task", "next", "--count", "0"),
        ("task", "cron", "edit"),
    ],
)
def test_what_cannot_be_meant_has_an_exit_code_of_its_own(
    up: Installation, arguments: tuple[str, ...]
) -> None:
    done = up.manage(*arguments)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.one_database
def test_jobs_are_listed_followed_and_cancelled(up: Installation, tmp_path: Path) -> None:
    file = tmp_path / "long.sh"
    file.write_text("echo begun; sleep 60")
    made = up.manage("job", "run", str(file), "--id", "long-one")
    assert made.stdout.strip() == "long-one"
    wait_until(lambda: "begun" in up.manage("job", "tail", "long-one", "--no-follow").stdout, 20, "it runs")
    assert "long-one" in up.manage("job", "list", "--state", "running").stdout
    listed = json.loads(up.manage("job", "list", "--state", "running", "--json").stdout)
    assert "long-one" in {job["id"] for job in listed}
    done = up.manage("job", "cancel", "long-one", "--wait")
    assert (done.returncode, done.stdout.strip()) == (0, "It is stopped.")
    tail = up.manage("job", "tail", "LONG-ONE")
    assert tail.returncode == 0 and tail.stdout == "begun\n" and "was stopped" in tail.stderr
    ranges = [json.loads(line) for line in up.manage("job", "tail", "long-one", "--json").stdout.splitlines()]
    assert ranges == [{"attempt": 1, "offset": 0, "next_offset": 6, "gaps": [], "text": "begun\n"}]
    assert up.manage("job", "tail", "long-one", "--offset", "2").stdout == "gun\n"
    again = up.manage("job", "cancel", "long-one")
    assert again.returncode == 1 and "stopped" in again.stderr


@pytest.mark.one_database
def test_ctrl_c_ends_the_waiting_and_not_the_job(up: Installation, tmp_path: Path) -> None:
    file = tmp_path / "waits.sh"
    file.write_text("echo begun; sleep 60")
    # A test run that a shell put into the background ignores the signal, and its children with it.
    at_a_terminal = ["env", "--default-signal=INT", *up.command]
    with subprocess.Popen(
        [*at_a_terminal, "job", "run", str(file), "--id", "goes-on", "--follow"],
        env=up.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as waiting:  # fmt: skip
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "begun\n"
        waiting.send_signal(signal.SIGINT)
        _, told = waiting.communicate(timeout=20)
    assert waiting.returncode == 130 and "job cancel goes-on" in told
    assert "goes-on" in up.manage("job", "list", "--state", "running").stdout
    assert up.manage("job", "cancel", "goes-on", "--now", "--wait").returncode == 0


def test_a_task_runs_with_parameters_and_leaves_with_its_outcome(up: Installation) -> None:
    done = up.manage("task", "run", "Greet", "--param", "who=you", "--follow")
    assert (done.returncode, done.stdout) == (0, "hello you\n")
    assert up.manage("task", "run", "/Break", "--wait").returncode == 4
    started = up.manage("task", "run", "Greet", "--json")
    assert json.loads(started.stdout)["trigger"] == "manual"


def test_tasks_are_switched_and_say_what_is_next(up: Installation) -> None:
    assert up.manage("task", "disable", "Greet").stdout.strip() == "Greet is disabled."
    off = json.loads(up.manage("task", "list", "--no-enabled", "--json").stdout)
    assert [task["name"] for task in off] == ["Greet"]
    runs = up.manage("task", "next", "Greet", "--count", "2")
    assert runs.stdout.count("01-01 03:00") >= 2 and "disabled" in runs.stderr
    assert up.manage("task", "enable", "Greet").stdout.strip() == "Greet is enabled."
    due = json.loads(up.manage("task", "next", "--json").stdout)
    assert [row["name"] for row in due] == ["Greet"]
    assert "by hand" in up.manage("task", "list").stdout


def test_what_is_exported_comes_in_again(up: Installation, tmp_path: Path) -> None:
    file = tmp_path / "tasks.json"
    assert up.manage("task", "disable", "Greet").returncode == 0
    assert up.manage("task", "export", str(file)).returncode == 0
    assert json.loads(file.read_text())["version"] == "1.0"
    up.manage("task", "enable", "Greet")
    tried = up.manage("task", "import", str(file), "--dry-run")
    assert "1 would be changed" in tried.stdout
    assert json.loads(up.manage("task", "list", "--no-enabled", "--json").stdout) == []
    assert "1 changed" in up.manage("task", "import", str(file)).stdout
    assert json.loads(up.manage("task", "list", "--no-enabled", "--json").stdout)
    up.manage("task", "enable", "Greet")
    file.write_text('{"version": "1.0", "tasks": [{"name": 5}]}')
    refused = up.manage("task", "import", str(file))
    assert refused.returncode == 1 and "tasks[0]" in refused.stderr


def test_cron_drives_an_engine_that_ends_by_itself(installation: Installation, tmp_path: Path) -> None:
    folder, table = tmp_path / "bin", tmp_path / "table"
    folder.mkdir()
    (folder / "crontab").write_text(
        f'#!/bin/sh\ncase $1 in -l) cat {table} 2>/dev/null || {{ echo "no crontab for me" >&2; exit 1; }} ;;'
        f" -) cat > {table} ;; esac\n"
    )
    (folder / "crontab").chmod(0o755)
    path = f"{folder}:{installation.environ()['PATH']}"
    done = installation.manage("task", "cron", "install", PATH=path)
    assert done.returncode == 0 and "run_engine --once" in done.stdout
    assert bool(installation.database_url) == ("set TASKHUB_DATABASE_URL at its top" in done.stderr)
    shown = json.loads(installation.manage("task", "cron", "show", "--json", PATH=path).stdout)
    (line,) = shown["lines"]

    queued = installation.manage("job", "run", "-", "--language", "python", "--id", "by-cron")
    assert queued.returncode == 1  # nothing was given on standard input
    script = tmp_path / "one.py"
    script.write_text("'done by cron'")
    installation.manage("job", "run", str(script), "--id", "by-cron")
    command = line.removeprefix("* * * * * ").replace("\\%", "%")
    # As cron does: a shell, next to no environment.
    cron = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SHELL": "/bin/sh"}
    if installation.database_url:
        cron["TASKHUB_DATABASE_URL"] = installation.database_url
    ran = subprocess.run(["/bin/sh", "-c", command], env=cron, timeout=60, check=False)
    assert ran.returncode == 0
    ended = installation.manage("job", "list", "--state", "completed").stdout
    assert "by-cron" in ended
    assert "Engine has ended" in Path(shown["log"]).read_text()
    removed = json.loads(installation.manage("task", "cron", "remove", "--json", PATH=path).stdout)
    assert (removed["changed"], removed["lines"]) == (True, [])


@pytest.mark.one_database
def test_without_a_crontab_program_it_is_an_error(installation: Installation, tmp_path: Path) -> None:
    done = installation.manage("task", "cron", "install", PATH=str(tmp_path))
    assert done.returncode == 1 and "expected the program crontab" in done.stderr


def test_a_drain_runs_what_is_queued_and_decides_nothing(installation: Installation, tmp_path: Path) -> None:
    (installation.home / "config" / "tasks.yaml").write_text(TASKS.replace("0 3 1 1 *", "* * * * *"))
    script = tmp_path / "one.py"
    script.write_text("1")
    installation.manage("job", "run", str(script), "--id", "drained")
    done = installation.manage("run_engine", "--drain")
    assert done.returncode == 0, done.stderr
    assert "drained" in installation.manage("job", "list", "--state", "completed").stdout
    assert json.loads(installation.manage("task", "list", "--json").stdout) == []
    both = installation.manage("run_engine", "--drain", "--once")
    assert both.returncode != 0
