"""Jobs from the queue to their end, on a real engine."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from jobs_app import output
from jobs_app.models import Execution, Job

from .conftest import EngineInTest

Submit = Callable[..., Job]


def test_a_python_job_ends_completed_with_its_last_expression_as_result(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit("x = 20\nx + 22")

    engine.run(job)

    assert (job.state, job.reason, json.loads(job.result or "")) == ("completed", "", 42)
    assert (job.percent, job.status_message) == (100, "Completed")
    history = Execution.objects.get(job=job.uuid)
    assert (history.status, history.attempt, history.started_at) == ("success", 1, job.started_at)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("0", 0), ("False", False), ("''", ""), ("[]", []), ("pass", None), ("x = 5", None),
        ("emit(1)", [1]), ("emit(1); emit({'a': 2})", [1, {"a": 2}]),
        ("import datetime; datetime.date(2026, 1, 2)", "2026-01-02"),
        ("import decimal, uuid, pathlib; [decimal.Decimal('1.50'), uuid.UUID(int=1), pathlib.Path('/a')]",
         ["1.50", "00000000-0000-0000-0000-000000000001", "/a"]),
    ],
)  # fmt: skip
def test_results_survive_as_they_are(engine: EngineInTest, submit: Submit, code: str, result: Any) -> None:
    job = submit(code)

    engine.run(job)

    assert job.state == "completed", job.error_message
    assert json.loads(job.result or "") == result


@pytest.mark.parametrize(
    ("code", "error_type", "reason"),
    [
        ("1 / 0", "ZeroDivisionError", "error"),
        ("import sys; sys.exit(3)", "SystemExit", "error"),
        ("raise MemoryError('full')", "MemoryError", "memory"),
        ("object()", "result_not_json", "output"),
        ("float('nan')", "result_not_json", "output"),
        ("'x' * (1024 * 1024 + 1)", "result_too_large", "output"),
        ("emit('x' * 600_000); emit('y' * 600_000)", "result_too_large", "output"),
        ("'\\ud800'", "result_not_json", "output"),
    ],
)
def test_what_goes_wrong_is_named(
    engine: EngineInTest, submit: Submit, code: str, error_type: str, reason: str
) -> None:
    job = submit(f"print('before')\n{code}")

    engine.run(job)

    assert (job.state, job.reason, job.error_type) == ("failed", reason, error_type)
    assert job.output_lines == 1
    assert Execution.objects.get(job=job.uuid).status == "failed"


def test_a_traceback_shows_the_script_and_nothing_of_ours(engine: EngineInTest, submit: Submit) -> None:
    job = submit("def inner():\n    raise ValueError('deep')\n\ninner()")

    engine.run(job)

    assert "line 2, in inner" in job.error_traceback
    assert "raise ValueError('deep')" in job.error_traceback
    assert "python_job" not in job.error_traceback


def test_warnings_and_stderr_alone_do_not_fail_a_job(engine: EngineInTest, submit: Submit) -> None:
    job = submit("import sys, warnings\nwarnings.warn('old')\nprint('oops', file=sys.stderr)")

    engine.run(job)

    assert job.state == "completed"


def test_output_of_both_streams_is_kept_in_order(engine: EngineInTest, submit: Submit) -> None:
    job = submit("import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('three')")

    engine.run(job)

    kept = output.read_bytes(job.uuid, 1, offset=0, limit=1000).data
    assert sorted(kept.splitlines()) == [b"one", b"three", b"two"]
    assert (job.output_bytes, job.output_lines, job.output_dropped) == (14, 3, 0)
    assert "three" in Execution.objects.get(job=job.uuid).output_preview


def test_output_of_many_jobs_in_a_row_is_never_mixed(engine: EngineInTest, submit: Submit) -> None:
    jobs = [submit(f"print('job {n}')" if n % 3 else "None") for n in range(60)]

    engine.run(*jobs)

    for number, job in enumerate(jobs):
        kept = output.read_bytes(job.uuid, 1, offset=0, limit=1000).data if job.output_bytes else b""
        assert kept == (f"job {number}\n".encode() if number % 3 else b"")


def test_a_shell_job_runs_with_its_parameters_and_reports_by_the_prelude(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit('echo "hello $TASKHUB_PARAM_NAME"; progress 40 half; result --json 7', language="shell",
                 parameters={"name": "world"})  # fmt: skip

    engine.run(job)

    assert (job.state, job.exit_code) == ("completed", 0), job.error_message
    assert json.loads(job.result or "") == 7
    assert output.read_bytes(job.uuid, 1, offset=0, limit=100).data == b"hello world\n"


def test_an_exit_code_of_a_shell_job_is_a_failure(engine: EngineInTest, submit: Submit) -> None:
    job = submit("exit 69", language="shell")

    engine.run(job)

    assert (job.state, job.exit_code, job.error_type) == ("failed", 69, "ExitCode")


def test_an_executable_runs_by_its_shebang(engine: EngineInTest, submit: Submit) -> None:
    job = submit(
        "#!/usr/bin/env python3\nimport os\nprint('in', os.environ['TASKHUB_JOB_ID'])", language="executable"
    )

    engine.run(job)

    assert job.state == "completed", job.error_message
    assert output.read_bytes(job.uuid, 1, offset=0, limit=100).data == f"in {job.public_id}\n".encode()


def test_higher_priority_goes_first_then_age(engine: EngineInTest, submit: Submit) -> None:
    low, first, second = submit(priority=-5), submit(), submit()
    high = submit(priority=90)

    engine.run(low, first, second, high)

    order = [job.pk for job in Job.objects.order_by("claimed_at", "-priority", "uuid")]
    assert (order[0], order[-1]) == (high.pk, low.pk)


def test_a_job_that_waits_says_for_what(engine: EngineInTest, submit: Submit, pool: Any) -> None:
    from runspaces_app.models import Pool

    Pool.objects.update(max_runspaces=1)
    engine.engine._keeper.load_pools()
    running, waiting = submit("import time; time.sleep(30)"), submit()

    engine.until_running(running)
    engine.until(lambda: not Job.objects.get(pk=waiting.pk).runspace, message="it was taken back")

    assert Job.objects.get(pk=waiting.pk).waiting_for == "runspace"
    engine.cancel(running)
    engine.run(running, waiting)
    assert waiting.state == "completed"


def test_progress_is_seen_while_the_job_runs(engine: EngineInTest, submit: Submit) -> None:
    job = submit(
        "import time\nprogress.percent_complete = 33\nprogress.status_message = 'a third'\ntime.sleep(30)"
    )

    seen = engine.until(lambda: Job.objects.filter(pk=job.pk, percent=33, status_message="a third").exists())

    assert seen
    engine.cancel(job)
    engine.run(job)
    assert (job.state, job.reason, job.percent, job.status_message) == ("stopped", "user", 33, "Cancelled")


def test_a_message_out_of_a_file_name_that_is_no_text_harms_nobody(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit(
        "import time\nprogress.status_message = 'read \\udce9 \\0'\ntime.sleep(0.3)\n"
        "progress.fail('no \\udce9 \\0')\nraise ValueError('\\udce9 \\0')"
    )

    engine.run(job)

    assert (job.state, job.reason, job.error_type) == ("failed", "error", "ValueError")
    assert (job.error_message, job.status_message) == (
        "? \N{REPLACEMENT CHARACTER}",
        "no ? \N{REPLACEMENT CHARACTER}",
    )


def test_what_a_script_asks_with_values_that_are_no_json_is_its_own_error(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit(
        """
deep = []
for _ in range(2000):
    deep = [deep]
said = []
for ask in (
    lambda: context.spawn("1", parameters={"a": float("nan")}),
    lambda: context.spawn("1", parameters={"a": "\\ud800"}),
    lambda: context.spawn("1", parameters={"a": object()}),
    lambda: context.spawn("1", parameters={"a": deep}),
    lambda: context.spawn("1", name="\\ud800"),
    lambda: context.spawn("1", name="\\0"),
    lambda: context.spawn("#" * 17_000_000),
    lambda: state["\\ud800"],
    lambda: state["\\0"],
    lambda: state.update("\\0", str),
    lambda: state.__setitem__("big", "x" * 17_000_000),
):
    try:
        said.append(repr(ask()))
    except (ValueError, TypeError, RecursionError):
        said.append("refused")
[set(said), state.get("big", "none"), 6 * 7]
"""
    )

    engine.run(job, timeout=30)

    assert (job.state, job.error_message) == ("completed", "")
    assert json.loads(job.result or "") == [["refused"], "none", 42]
    assert Job.objects.count() == 1


def test_a_question_nested_beyond_reading_ends_its_runspace_and_not_the_engine(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit(
        "import sys\nsys.setrecursionlimit(100_000)\ndeep = []\nfor _ in range(5000): deep = [deep]\n"
        "context.spawn('1', parameters={'a': deep})"
    )

    engine.run(job)

    assert (job.state, job.reason) == ("failed", "lost")


def test_a_failed_attempt_is_tried_again_as_often_as_allowed(engine: EngineInTest, submit: Submit) -> None:
    job = submit("print(context.attempt); raise ValueError(context.attempt)", max_attempts=3, backoff=0.0)

    engine.run(job)

    assert (job.state, job.attempt, job.error_message) == ("failed", 3, "3")
    tries = (
        Execution.objects.filter(job=job.uuid).order_by("attempt").values_list("attempt", "status", "trigger")
    )
    assert [(n, status) for n, status, _ in tries] == [(1, "failed"), (2, "failed"), (3, "failed")]


def test_a_child_job_knows_its_parent(engine: EngineInTest, submit: Submit) -> None:
    job = submit("context.spawn('40 + 2', name='the child')")

    engine.run(job)

    child = Job.objects.get(parent=job.pk)
    engine.run(child)
    assert json.loads(job.result or "") == child.public_id
    assert (child.name, child.state, child.result) == ("the child", "completed", "42")


def test_shared_state_is_updated_without_losing_a_change(engine: EngineInTest, submit: Submit) -> None:
    jobs = [submit("for _ in range(20): state.update('n', lambda n: (n or 0) + 1)") for _ in range(4)]

    engine.run(*jobs, timeout=40)

    last = submit("[state['n'], 'n' in state, state.get('m', 5), state.keys()]")
    engine.run(last)
    assert json.loads(last.result or "") == [80, True, 5, ["n"]]


def test_a_job_gets_a_clean_environment_and_a_folder_of_its_own(engine: EngineInTest, submit: Submit) -> None:
    job = submit(
        "import os\nopen('file', 'w').close()\n"
        "{'env': dict(os.environ), 'cwd': os.getcwd(), 'tmp': os.environ['TMPDIR'], 'params': context.parameters}",
        environment={"OWN": "value"}, parameters={"a": [1]},
    )  # fmt: skip

    engine.run(job)

    seen = json.loads(job.result or "")
    assert seen["cwd"].endswith(str(job.uuid))
    assert seen["tmp"].startswith(seen["cwd"])
    assert seen["env"]["OWN"] == "value"
    assert seen["env"]["TASKHUB_ATTEMPT"] == "1"
    assert seen["params"] == {"a": [1]}
    assert not [name for name in seen["env"] if "SECRET" in name or "DATABASE" in name]
    engine.until(lambda: not __import__("os").path.exists(seen["cwd"]))


def test_taskhubs_own_packages_are_no_library_for_scripts(engine: EngineInTest, submit: Submit) -> None:
    job = submit(
        "found = []\nfor name in ('taskhub.settings', 'jobs_app.models', 'runspaces_app.worker.main', 'taskhub'):\n"
        "    try:\n        __import__(name); found.append(name)\n    except ImportError:\n        pass\nfound"
    )

    engine.run(job)

    assert json.loads(job.result or "") == []
