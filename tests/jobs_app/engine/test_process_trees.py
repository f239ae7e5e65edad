"""Whatever tree of processes a job grows, nothing of it is left when the job has ended."""

from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from jobs_app.models import Job

from .conftest import EngineInTest

pytestmark = pytest.mark.one_database

Submit = Callable[..., Job]

# Each signs with its process id; a forked child of a Python job carries none of the job's environment.
FORKED = """
import os, signal, sys, time

def sign():
    with open({file!r}, 'a') as file:
        file.write(f'{{os.getpid()}}\\n')

def leave(depth):
    '''Daemons do this: a session of their own, a parent that has gone.'''
    if os.fork():
        return
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if depth and os.fork():
        os._exit(0)
    sign()
    time.sleep(300)
    os._exit(0)

def wait_for(count):
    while not os.path.exists({file!r}) or len(open({file!r}).readlines()) < count:
        time.sleep(0.01)
"""
SHELL = """
sign() {{ sh -c 'echo $PPID' >> '{file}'; }}
leaf() {{ trap '' TERM; sign; while :; do sleep 300; done; }}
wait_for() {{ while [ "$(cat '{file}' 2>/dev/null | wc -l)" -lt "$1" ]; do sleep 0.02; done; }}
"""
DAEMON = "setsid python3 -c \"import os, signal, time; signal.signal(15, 1); " \
    "open('{file}', 'a').write(str(os.getpid()) + chr(10)); time.sleep(300)\" &\n"  # fmt: skip
DETACHED = """
import subprocess
program = "setsid sh -c 'echo $$ >> {file}; exec sleep 300' & exit"
subprocess.Popen(['sh', '-c', program], env={{'PATH': os.environ['PATH']}}).wait()
wait_for(1)
"""
TREES = {
    "forked child": ("python", FORKED + "if os.fork() == 0: sign(); time.sleep(300)\nsign(); wait_for(2)\n"),
    "session of its own": ("python", FORKED + "leave(0); leave(0); wait_for(2)\n"),
    "double fork": ("python", FORKED + "leave(1); leave(1); wait_for(2)\n"),
    "started program": ("python", FORKED + "import subprocess\nfor _ in range(2): subprocess.Popen(['sh', '-c', "
                        "\"echo $$ >> '{file}'; exec sleep 300\"], start_new_session=True)\nwait_for(2)\n"),
    "program without the job's environment": ("python", FORKED + DETACHED),
    "shell's background": ("shell", SHELL + "leaf & leaf & wait_for 2\n"),
    "pipe held by a grandchild": ("shell", SHELL + "(leaf &) ; (leaf &) ; echo printed; wait_for 2\n"),
    "daemon": ("shell", SHELL + DAEMON + DAEMON + "wait_for 2\n"),
    "daemon without the job's environment": ("shell", SHELL + "env -i PATH=\"$PATH\" " + DAEMON + "wait_for 1\n"),
    "stopped child": ("shell", SHELL + "(sign; kill -STOP \"$(tail -1 '{file}')\"; sleep 300) & wait_for 1\n"),
}  # fmt: skip
ENDS = {
    "waits": {"python": "time.sleep(300)\n", "shell": "sleep 300\n"},
    "deaf": {
        "python": "while True:\n    try:\n        time.sleep(300)\n    except BaseException: pass\n",
        "shell": "trap '' TERM; while :; do sleep 300; done\n",
    },
    "stops itself": {
        "python": "os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(300)\n",
        "shell": "kill -STOP $$; sleep 300\n",
    },
}


def signed(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def left_nothing(engine: EngineInTest, file: Path) -> None:
    """Assert that of all who signed only the runspace itself may still live."""
    assert signed(file), "the tree did not grow"
    own = {member.process.pid for member in engine.members()}
    assert [pid for pid in signed(file) if pid not in own and _lives(pid)] == []


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def submit_tree(submit: Submit, kind: str, file: Path, *, end: Mapping[str, str], sign: bool = True) -> Job:
    """A job that grows the tree, signs, and goes on with `end` in its language."""
    language, code = TREES[kind]
    own = {"python": "sign()\n", "shell": "sign\n"}[language] if sign else ""
    return submit(code.format(file=str(file)) + own + end[language], language=language)


def until_grown(engine: EngineInTest, file: Path, kind: str) -> None:
    # The last one to sign is the job itself.
    count = 2 if kind.endswith("environment") or kind == "stopped child" else 3
    engine.until(lambda: len(signed(file)) >= count, 30, "the tree has grown")


@pytest.mark.parametrize("kind", TREES)
def test_after_a_normal_end(engine: EngineInTest, submit: Submit, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "signed"
    job = submit_tree(submit, kind, file, end={"python": "1", "shell": "exit 0"}, sign=False)

    engine.run(job, timeout=30)

    assert job.state == "completed", (job.error_message, job.error_traceback)
    left_nothing(engine, file)


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize("end", ["waits", "deaf", "stops itself"])
def test_after_a_cancel(engine: EngineInTest, submit: Submit, kind: str, end: str, tmp_path: Path) -> None:
    file = tmp_path / "signed"
    job = submit_tree(submit, kind, file, end=ENDS[end])
    until_grown(engine, file, kind)
    engine.until_running(job)

    engine.cancel(job)
    engine.run(job, timeout=30)

    assert (job.state, job.reason, job.survivors) == ("stopped", "user", "")
    left_nothing(engine, file)


@pytest.mark.parametrize("kind", TREES)
def test_after_the_runspace_was_killed(
    engine: EngineInTest, submit: Submit, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "signed"
    job = submit_tree(submit, kind, file, end=ENDS["waits"])
    until_grown(engine, file, kind)
    member = next(member for member in engine.members() if member.held)

    psutil.Process(member.process.pid).kill()
    engine.run(job, timeout=30)

    assert (job.state, job.reason, job.survivors) == ("failed", "lost", "")
    left_nothing(engine, file)
