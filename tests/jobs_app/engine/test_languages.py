"""One life for all languages: every child language does, fails and ends in the same way."""

import json
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from jobs_app import output
from jobs_app.engine import reports
from jobs_app.lifecycle import Advanced
from jobs_app.models import Execution, Job
from runspaces_app import languages
from runspaces_app.languages import base
from tests.support import wait_until

from .conftest import EngineInTest
from .language_scripts import SCRIPTS, each

Submit = Callable[..., Job]
EACH = pytest.mark.parametrize("language", each())
TIMEOUT = 60.0


def printed(job: Job) -> str:
    return output.read_bytes(job.uuid, 1, offset=0, limit=1024 * 1024).data.decode()


def processes_of(job: Job) -> list[int]:
    """Every process that carries the job's cookie in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TASKHUB_JOB_ID") == job.public_id:
                found.append(process.pid)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def test_no_child_language_is_without_its_scripts() -> None:
    wanted = {each.name for each in languages.all() if not each.in_process} - {"executable"}
    assert set(SCRIPTS) == wanted


@EACH
def test_it_reports_progress_prints_and_gives_a_result(
    engine: EngineInTest, submit: Submit, language: str
) -> None:
    job = submit(SCRIPTS[language].everything, language=language,
                 parameters={"name": "Zoë", "list": [1, None, {"k": "v"}]})  # fmt: skip

    engine.run(job, timeout=TIMEOUT)

    assert (job.state, job.exit_code) == ("completed", 0), (job.error_message, printed(job))
    assert json.loads(job.result or "") == {"list": [1, None, {"k": "v"}], "text": 'a "b" ü'}
    assert printed(job) == "größe 漢 Zoë\n"
    assert Execution.objects.get(job=job.uuid).status == "success"


@EACH
def test_what_it_emits_is_a_list(engine: EngineInTest, submit: Submit, language: str) -> None:
    job = submit(SCRIPTS[language].emits, language=language)

    engine.run(job, timeout=TIMEOUT)

    assert (job.state, json.loads(job.result or "")) == ("completed", [1, {"a": None}]), job.error_message


@EACH
def test_an_uncaught_error_fails_it_with_its_words(
    engine: EngineInTest, submit: Submit, language: str
) -> None:
    job = submit(SCRIPTS[language].fails, language=language)

    engine.run(job, timeout=TIMEOUT)

    assert (job.state, job.reason, job.error_type) == ("failed", "error", SCRIPTS[language].error_type)
    assert job.exit_code not in (0, None)
    said = printed(job)
    assert said.startswith("before\n")
    assert "deep trouble" in said
    if language != "shell":
        assert job.error_message == "deep trouble"
        assert "2" in job.error_traceback, "the line of the author is named"


@EACH
def test_its_exit_code_is_kept(engine: EngineInTest, submit: Submit, language: str) -> None:
    job = submit(SCRIPTS[language].leaves, language=language)

    engine.run(job, timeout=TIMEOUT)

    assert (job.state, job.exit_code, job.error_type) == ("failed", 7, "ExitCode")


@EACH
def test_text_that_does_not_compile_fails_at_run_and_at_check(
    engine: EngineInTest, submit: Submit, language: str
) -> None:
    with pytest.raises(languages.CheckFailed) as caught:
        languages.get(language).check(SCRIPTS[language].broken)
    assert caught.value.line == 2
    if languages.get(language).checked_at_create:
        return
    job = submit(SCRIPTS[language].broken, language=language)

    engine.run(job, timeout=TIMEOUT)

    assert job.state == "failed"
    assert job.exit_code != 0


@EACH
def test_whatever_runs_passes_the_check(language: str) -> None:
    scripts = SCRIPTS[language]
    for code in (scripts.everything, scripts.emits, scripts.fails, scripts.leaves, scripts.stubborn):
        languages.get(language).check(code)


@EACH
def test_it_ends_when_cancelled(engine: EngineInTest, submit: Submit, language: str) -> None:
    job = submit(SCRIPTS[language].waits, language=language)
    engine.until(lambda: "ready" in printed(job), TIMEOUT, "the script runs and its output is seen live")

    engine.cancel(job)
    engine.run(job, timeout=8)

    assert (job.state, job.reason) == ("stopped", "user")
    assert printed(job) == "ready\n"
    wait_until(lambda: not processes_of(job), 5, "nothing of it is left")


@EACH
def test_nothing_of_it_is_left_when_it_will_not_go(
    engine: EngineInTest, submit: Submit, language: str
) -> None:
    job = submit(SCRIPTS[language].stubborn, language=language)
    engine.until(lambda: "ready" in printed(job), TIMEOUT, "the script runs")
    assert len(processes_of(job)) >= 2

    engine.cancel(job)
    engine.run(job, timeout=10)

    assert (job.state, job.reason) == ("stopped", "user")
    wait_until(lambda: not processes_of(job), 5, "nothing of it is left")


@EACH
def test_it_ends_when_its_time_is_over(engine: EngineInTest, submit: Submit, language: str) -> None:
    job = submit(SCRIPTS[language].waits, language=language, timeout=1)

    engine.run(job, timeout=TIMEOUT)

    assert (job.state, job.reason) == ("stopped", "timeout")
    wait_until(lambda: not processes_of(job), 5, "nothing of it is left")


@EACH
def test_ten_thousand_calls_of_progress_become_few_and_no_line_is_lost(
    engine: EngineInTest, submit: Submit, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Advanced] = []

    def count(*facts: Any) -> Advanced:
        told.append(Advanced(*facts))
        return told[-1]

    monkeypatch.setattr(reports, "Advanced", count)
    job = submit(SCRIPTS[language].much_progress, language=language)

    engine.run(job, timeout=TIMEOUT)

    assert job.state == "completed", job.error_message
    # Ten a second at most, whatever the script says.
    assert job.started_at and job.finished_at
    assert len(told) <= 10 * (job.finished_at - job.started_at).total_seconds() + 2
    assert job.output_lines == 30_000
    assert printed(job).endswith("line 30000\n")


def test_a_missing_interpreter_fails_a_run_at_once_and_says_so(
    engine: EngineInTest, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit("1", language="javascript", start=True)
    monkeypatch.setattr(base, "find_program", lambda name: None)
    monkeypatch.setattr("runspaces_app.languages.javascript._packaged", lambda: None)

    engine.run(job)

    assert (job.state, job.error_type) == ("failed", "language_not_installed")
    assert "javascript" in job.error_message
    assert Execution.objects.get(job=job.uuid).status == "failed"
