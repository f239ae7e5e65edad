"""Task files: both spellings, and what is said about files that are wrong."""

from datetime import UTC, datetime

import pytest

from tasks_app.definitions import schema
from tasks_app.definitions.schema import Definition

pytestmark = pytest.mark.one_database

NESTED = """
version: "1.0"
tasks:
  - name: Sweep
    description: Removes old files.
    enabled: false
    tags: [disk]
    script: {path: scripts/sweep.py}
    schedule: {cron: "0 3 * * *", timezone: Europe/Berlin, misfire: run_all, overlap: allow}
    parameters: {days: 7, paths: [/tmp]}
    environment: {LEVEL: 3, DRY: yes, NAME: x}
    termination: {maxRuntime: 60, killOnTimeout: false, maxFailures: 3}
    retry: {maxAttempts: 5, backoff: 1.5}
    pool: default
    priority: -5
    idempotent: true
    reuse: false
"""
FLAT = """
- name: Sweep
  description: Removes old files.
  enabled: false
  tags: [disk]
  scriptPath: scripts/sweep.py
  schedule: "0 3 * * *"
  timezone: Europe/Berlin
  misfire: run_all
  overlap: allow
  parameters: {days: 7, paths: [/tmp]}
  environment: {LEVEL: 3, DRY: yes, NAME: x}
  maxRuntime: 60
  kill_on_timeout: false
  maxFailures: 3
  max_attempts: 5
  backoff: 1.5
  priority: -5
  idempotent: true
  reuse: false
"""
BY_NAME = """
tasks:
  Sweep:
    script: {path: a.sh}
"""


def parsed(text, **options):
    return schema.parse(text, file="tasks.yaml", **options)


def only(text):
    found = parsed(text)
    assert found.problems == []
    (definition,) = found.definitions
    return definition


def said(text, **options):
    found = parsed(text, **options)
    assert found.definitions == []
    return [str(problem) for problem in found.problems]


def task(lines):
    return "tasks:\n  - name: A\n    scriptPath: a.py\n" + "".join(
        f"    {line}\n" for line in lines.splitlines()
    )


def test_both_spellings_say_the_same():
    expected = Definition(
        name="Sweep", description="Removes old files.", enabled=False, tags=["disk"], language="python",
        path="scripts/sweep.py", parameters={"days": 7, "paths": ["/tmp"]},
        environment={"LEVEL": "3", "DRY": "true", "NAME": "x"}, schedule="0 3 * * *", timezone="Europe/Berlin",
        misfire="run_all", overlap="allow", priority=-5, idempotent=True, reuse=False, max_runtime=60,
        kill_on_timeout=False, max_failures=3, max_attempts=5, backoff=1.5,
    )  # fmt: skip
    assert only(NESTED) == only(FLAT) == expected


def test_tasks_may_be_a_map_by_name():
    definition = only(BY_NAME)
    assert (definition.name, definition.language, definition.schedule) == ("Sweep", "shell", "")


@pytest.mark.parametrize(
    ("path", "language"), [("a.py", "python"), ("a.sh", "shell"), ("bin/a", "executable")]
)
def test_the_suffix_says_the_language(path, language):
    assert only(f"[{{name: A, scriptPath: {path}}}]").language == language


def test_code_may_stand_in_the_file():
    definition = only("- name: A\n  script:\n    language: shell\n    code: |\n      echo 1\n      echo 2\n")
    assert (definition.code, definition.language) == ("echo 1\necho 2\n", "shell")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-01T09:30", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("'2026-03-01 09:30'", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00+02:00", datetime(2026, 3, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_one_off_time_is_read_in_the_zone_of_the_task(at, expected):
    assert only(task(f"schedule: {{at: {at}, timezone: Europe/Berlin}}")).at == expected


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "tasks:\n", "tasks: []\n", "version: '1.0'\ntasks: {}\n"]
)
def test_an_empty_file_has_no_tasks(text):
    assert (parsed(text).definitions, parsed(text).problems) == ([], [])


def test_a_pool_is_taken_from_its_source_unless_named():
    assert parsed(BY_NAME, pool="django").definitions[0].pool == "django"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("schedule: 61 * * * *", "line 4: tasks[0].schedule: minute: 61 is not in 0-59"),
        ("schedule:\n  cron: 0 0 30 2 *", "line 5: tasks[0].schedule.cron: expected a time that comes, got '0 0 30 2 *'"),
        ("schedule:\n  croon: 0 0 * * *", "line 5: tasks[0].schedule.croon: is no field of a task; did you mean cron?"),
        ("schedule: 5", "line 4: tasks[0].schedule: expected a text, got 5"),
        ("schedule: [a]", "line 4: tasks[0].schedule: expected a text, got ['a']"),
        ("timezone: Mars/Olympus", "line 4: tasks[0].timezone: expected an IANA name"),
        ("at: tomorrow", "line 4: tasks[0].at: expected a date and time"),
        ("at: 9999-12-31T23:59:59-12:00", "line 4: tasks[0].at: expected a year from 1970 to 9998, got 9999-12-31"),
        ("at: '0001-01-01T00:00+14:00'", "line 4: tasks[0].at: expected a year from 1970 to 9998, got 0001-01-01"),
        ("at: 2026-01-01\nschedule: 0 0 * * *", "line 4: tasks[0].at: expected a date and time"),
        ("at: 2026-01-01T00:00\nschedule: 0 0 * * *", "line 4: tasks[0].at: expected either a cron expression or at"),
        ("maxRuntime: soon", "line 4: tasks[0].maxRuntime: expected a whole number from 1 to"),
        ("maxRuntime: 0", "line 4: tasks[0].maxRuntime: expected a whole number from 1 to"),
        ("termination: {maxRuntime: 1.5}", "line 4: tasks[0].termination.maxRuntime: expected a whole number"),
        ("termination: 5", "line 4: tasks[0].termination: expected max_runtime, kill_on_timeout, max_failures, got 5"),
        ("maxFailures: true", "line 4: tasks[0].maxFailures: expected a whole number"),
        ("enabled: maybe", "line 4: tasks[0].enabled: expected true or false, got 'maybe'"),
        ("misfire: later", "line 4: tasks[0].misfire: expected one of skip, run_once, run_all, got 'later'"),
        ("overlap: []", "line 4: tasks[0].overlap: expected one of"),
        ("language: cobol", "line 4: tasks[0].language: expected one of python, shell"),
        ("priority: 101", "line 4: tasks[0].priority: expected a whole number from -100 to 100"),
        ("tags: red", "line 4: tasks[0].tags: expected a list of texts, got 'red'"),
        ("parameters: [1]", "line 4: tasks[0].parameters: expected names with values"),
        ("parameters: {a: 2026-01-01}", "line 4: tasks[0].parameters: expected values that JSON knows"),
        ("parameters: {a: .nan}", "line 4: expected a finite number, got .nan"),
        ("parameters: {a: 99999999999999999999}", "line 4: expected a whole number of 64 bits"),
        ("environment: {a-b: c}", "line 4: tasks[0].environment: expected names of letters, digits and _, got 'a-b'"),
        ("environment: {A: [1]}", "line 4: tasks[0].environment: A: expected a text, got [1]"),
        ("environment: {A: \"\\0\"}", "line 4: expected a text without NUL"),
        ("script: {path: b.py}", "line 4: tasks[0].script.path: is given twice"),
        ("code: 1", "line 4: tasks[0].code: expected a text, got 1"),
        ("code: '1'", "line 2: tasks[0]: script: expected either a path or code, found both"),
        ("script: {path: /etc/passwd}", "line 4: tasks[0].script.path: "),
        ("schedul: x", "line 4: tasks[0].schedul: is no field of a task; did you mean schedule?"),
        ("zzz: x", "line 4: tasks[0].zzz: is no field of a task"),
        ("pool: gpu", "line 4: tasks[0].pool: expected one of the pools default, got 'gpu'"),
        ("description: \"a\\u0000b\"", "line 4: expected a text without NUL"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_line(lines, expected):
    found = said(task(lines), pools=frozenset({"default"}))
    assert any(one.startswith(f"tasks.yaml, {expected}") for one in found), found


def test_a_slip_in_a_name_is_told_without_what_follows_from_it():
    assert said("tasks:\n  - name: A\n    scriptpaht: a.py\n") == [
        "tasks.yaml, line 3: tasks[0].scriptpaht: is no field of a task; did you mean script_path?"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tasks:\n  - scriptPath: a.py\n", "tasks.yaml, line 2: tasks[0]: name: expected a name, found none"),
        ("tasks:\n  - name: ''\n    scriptPath: a.py\n", "line 2: tasks[0].name: expected a text that is not blank"),
        ("tasks:\n  - name: ' a'\n    scriptPath: a.py\n", "line 2: tasks[0].name: expected a name without blanks"),
        ("tasks:\n  - name: \"a\\nb\"\n    scriptPath: a.py\n", "line 2: tasks[0].name: expected one line"),
        (f"tasks:\n  - name: {'a' * 129}\n    scriptPath: a.py\n", "expected at most 128 characters, got 129"),
        ("tasks:\n  - name: A\n", "line 2: tasks[0]: script: expected either a path or code, found neither"),
        ("tasks:\n  - A\n", "line 2: tasks[0]: expected the fields of a task, got 'A'"),
        ("tasks: 5\n", "line 1: tasks: expected a list of tasks, got 5"),
        ("task: []\n", "line 1: task: is no field of a task file; expected tasks"),
        ("5\n", "line 1: expected a list of tasks, got 5"),
        ("just text", "line 1: expected a list of tasks, got 'just text'"),
        ("tasks:\n  - name: A\n    name: B\n", "line 3: name: expected to be given once, got it twice"),
        ("tasks: [\n", "line 1"),
        ("tasks:\n\t- a\n", "line 2"),
        ("a: !!python/object:os.system {}\n", "line 1"),
        ("a: &a [*a]\n", "tasks.yaml"),
        ("a: \x01\n", "tasks.yaml"),
        ("x: [" + "[" * 200 + "]" * 200 + "]", "levels"),
        ("\n".join(["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 30)]), "parts"),
        (
            "tasks:\n  - {name: A, scriptPath: a.py}\n  - {scriptPath: b.py,\n     name: A}\n",
            "line 4: tasks[1].name: 'A' is the name of two tasks",
        ),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_as_a_whole(text, expected):
    found = said(text)
    assert found and any(expected in one for one in found), found


def test_every_mistake_of_a_file_is_told_at_once():
    found = said(
        "tasks:\n  - {name: A, scriptPath: a.py, priority: x}\n  - {name: B, scriptPath: b.py, pool: 7}\n"
    )
    assert [one.split(": ")[1] for one in found] == ["tasks[0].priority", "tasks[1].pool"]


def test_one_mistake_and_none_of_the_tasks_count():
    assert parsed("[{name: A, scriptPath: a.py}, {name: B}]").definitions == []
