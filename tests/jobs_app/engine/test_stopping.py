"""Cancel, time-outs and what is left of a job's processes afterwards."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from jobs_app import lifecycle, output
from jobs_app.errors import JobEnded, NotCancellable
from jobs_app.models import Execution, Job
from runspaces_app.models import Pool

from .conftest import TESTER, EngineInTest

Submit = Callable[..., Job]


def leftovers(job: Job) -> list[int]:
    """Living processes that carry the job's id in their environment."""
    found = []
    for process in psutil.process_iter(["pid", "environ", "status"]):
        environ = process.info["environ"] or {}
        if environ.get("TASKHUB_JOB_ID") == job.public_id and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


STUBBORN = {
    "sleep": ("python", "import time; time.sleep(60)"),
    "busy loop": ("python", "while True: pass"),
    "catches everything": (
        "python", "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException: pass",
    ),
    "subprocess wait": ("python", "import subprocess; subprocess.run(['sleep', '60'])"),
    "socket wait": ("python", "import socket; a, b = socket.socketpair(); a.recv(1)"),
    "holds the lock": ("python", "import re; re.match('(a+)+$', 'a' * 40 + 'b')"),
    "shell": ("shell", "sleep 60"),
    "ignores TERM": ("shell", "trap '' TERM; while :; do sleep 1; done"),
    "setsid child": ("shell", "setsid sleep 60 & sleep 60"),
    "double fork": ("shell", "(setsid sh -c 'sleep 60 & sleep 60' &) ; sleep 60"),
    "stops itself": ("shell", "kill -STOP $$; sleep 60"),
    "python children": ("python", "import subprocess, time\nfor _ in range(3):\n    "
                        "subprocess.Popen(['setsid', 'sleep', '60'])\ntime.sleep(60)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", STUBBORN)
def test_a_cancelled_job_ends_stopped_and_leaves_no_process(
    engine: EngineInTest, submit: Submit, kind: str
) -> None:
    language, code = STUBBORN[kind]
    job = submit(code, language=language)
    engine.until_running(job)

    asked = time.monotonic()
    engine.cancel(job)
    engine.run(job)

    assert (job.state, job.reason) == ("stopped", "user")
    assert time.monotonic() - asked < 0.5 + 5
    assert leftovers(job) == []
    assert Execution.objects.get(job=job.uuid).status == "stopped"


def test_cancel_before_start_stops_at_once_without_an_engine(submit: Submit) -> None:
    for job in (submit(start=False), submit(start=True)):
        lifecycle.request_cancel(job.pk, by=TESTER, now=job.created_at)
        job.refresh_from_db()

        assert (job.state, job.reason, job.error_message) == ("stopped", "user", "Cancelled before start")
        history = Execution.objects.get(job=job.uuid)
        assert (history.attempt, history.started_at, history.status) == (0, None, "stopped")


def test_cancel_of_an_ended_job_is_an_error_with_its_state(engine: EngineInTest, submit: Submit) -> None:
    job = submit()
    engine.run(job)

    with pytest.raises(JobEnded, match="completed"):
        engine.cancel(job)


def test_a_job_that_cannot_be_cancelled_keeps_running_unless_overridden(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit("import time; time.sleep(60)", cancellable=False)
    engine.until_running(job)

    with pytest.raises(NotCancellable):
        engine.cancel(job)
    job.refresh_from_db()
    assert job.state == "running"

    engine.cancel(job, override=True, kill_now=True)
    engine.run(job)
    assert job.state == "stopped"


def test_an_error_after_a_cancel_request_is_stopped_not_failed(engine: EngineInTest, submit: Submit) -> None:
    job = submit("import time\ntry:\n    time.sleep(60)\nexcept BaseException:\n    raise ValueError('late')")
    engine.until_running(job)

    engine.cancel(job)
    engine.run(job)

    assert (job.state, job.reason) == ("stopped", "user")


@pytest.fixture
def patient_pool(pool: Pool) -> None:
    """For scripts that end by themselves: however busy the machine is, they are not killed before."""
    Pool.objects.filter(pk=pool.pk).update(grace_seconds=30)


def test_a_normal_end_after_a_cancel_request_keeps_output_and_result(
    patient_pool: None, engine: EngineInTest, submit: Submit
) -> None:
    job = submit(
        "trap 'echo bye; result --json 5; exit 0' TERM; echo up; while :; do sleep 0.05; done",
        language="shell",
    )
    engine.until_running(job)
    engine.until(lambda: output.stat(job.uuid, 1).bytes > 0)

    engine.cancel(job)
    engine.run(job)

    assert (job.state, job.reason, job.result) == ("stopped", "user", "5")
    assert b"bye" in output.read_bytes(job.uuid, 1, offset=0, limit=1000).data


def test_a_time_out_counts_from_the_start_and_is_terminated_in_the_history(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit("import time; time.sleep(60)", timeout=1)

    engine.run(job)

    assert (job.state, job.reason) == ("stopped", "timeout")
    assert 0.9 < (job.duration or 0) < 4
    assert Execution.objects.get(job=job.uuid).status == "terminated"


def test_a_job_without_kill_on_timeout_is_marked_overdue_and_goes_on(
    engine: EngineInTest, submit: Submit
) -> None:
    job = submit("import time; time.sleep(1.6); 5", timeout=1, kill_on_timeout=False)

    engine.run(job)

    assert (job.state, job.result) == ("completed", "5")
    assert job.overdue_at is not None


def test_a_cancel_that_races_with_the_end_has_one_of_two_ends_and_hits_no_other_job(
    engine: EngineInTest, submit: Submit
) -> None:
    jobs = []
    for number in range(200):
        job = submit(f"import time; time.sleep({number % 10 / 1000})")
        bystander = submit("sum(range(1000))")
        jobs += [(job, bystander)]
        engine.until(Job.objects.filter(pk=job.pk, runspace__isnull=False).exists)
        try:
            engine.cancel(job)
        except JobEnded:
            continue

    engine.run(*(job for pair in jobs for job in pair), timeout=90)

    assert {job.state for job, _ in jobs} <= {"completed", "stopped"}
    assert {(other.state, other.result) for _, other in jobs} == {("completed", "499500")}


def test_a_runspace_killed_from_outside_loses_its_job(engine: EngineInTest, submit: Submit) -> None:
    job = submit("print('here', flush=True)\nimport time; time.sleep(60)")
    engine.until_running(job)
    member = next(m for m in engine.members() if m.held)

    psutil.Process(member.process.pid).kill()
    engine.run(job)

    assert (job.state, job.reason, job.error_type) == ("failed", "lost", "Lost")
    assert job.output_bytes == 5
    assert Execution.objects.get(job=job.uuid).status == "lost"


def test_a_lost_job_is_tried_again_only_if_it_is_idempotent(engine: EngineInTest, submit: Submit) -> None:
    kill = "import os, signal\nif context.attempt == 1: os.kill(os.getpid(), signal.SIGKILL)\n'second'"
    harmless, other = (
        submit(kill, max_attempts=2, backoff=0.0, idempotent=True), submit(kill, max_attempts=2, backoff=0.0),
    )  # fmt: skip

    engine.run(harmless, other)

    assert (harmless.state, harmless.result) == ("completed", '"second"'), harmless.error_message
    assert (other.state, other.reason) == ("failed", "lost")


def test_the_writer_may_be_killed_under_a_running_job(engine: EngineInTest, submit: Submit) -> None:
    job = submit("import time\nfor n in range(30):\n    print(n, flush=True)\n    time.sleep(0.05)\n'done'")
    engine.until_running(job)

    writer = engine.engine._keeper._writer
    assert writer is not None
    psutil.Process(writer.pid).kill()
    engine.run(job)

    assert (job.state, job.result, job.output_lines) == ("completed", '"done"', 30)


def test_shutdown_stops_what_runs_after_the_drain_time(
    engine: EngineInTest, submit: Submit, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    long = submit("import time; time.sleep(60)")
    short = submit(f"import os, time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.02)\n1")
    engine.until_running(long)
    engine.until_running(short)

    engine.engine.request_stop()
    go.touch()
    engine.until(lambda: not engine.engine.turn(0.01), 15, "the engine has stopped")

    long.refresh_from_db()
    short.refresh_from_db()
    assert (long.state, long.reason) == ("stopped", "shutdown")
    assert (short.state, short.result) == ("completed", "1")
