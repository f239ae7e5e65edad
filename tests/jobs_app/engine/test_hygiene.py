"""Whatever a script does to its process, the next job finds a clean runspace."""

import json
from collections.abc import Callable

import pytest

from jobs_app.models import Job
from runspaces_app.models import Pool, Runspace

from .conftest import EngineInTest

Submit = Callable[..., Job]

# What a job finds; compared between a fresh runspace and one that a leaky job has used.
PROBE = """
import builtins, gc, locale, logging, os, resource, signal, sys, threading, time, warnings
{
    "environment": sorted(name for name in os.environ if not name.startswith("TASKHUB_") and name != "TMPDIR"),
    "argv": sys.argv, "path": sys.path, "umask": oct(os.umask(0o22)),
    "cwd": os.path.basename(os.path.dirname(os.getcwd())),
    "threads": threading.active_count(), "descriptors": len(os.listdir("/proc/self/fd")),
    "modules": sorted(name for name in sys.modules if "leaky" in name or name in ("this", "antigravity", "turtle")),
    "builtins": hash(tuple(sorted(vars(builtins)))) == hash(tuple(sorted(vars(builtins)))) and len("four"),
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM, signal.SIGINT)],
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "timer": signal.getitimer(signal.ITIMER_REAL),
    "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_AS)],
    "logging": [logging.getLogger().level, len(logging.getLogger().handlers), logging.root.manager.disable],
    "warnings": len(warnings.filters), "locale": locale.setlocale(locale.LC_ALL), "zone": time.tzname,
    "streams": [s is t for s, t in ((sys.stdout, sys.__stdout__), (sys.stderr, sys.__stderr__))],
    "blocking": [os.get_blocking(n) for n in (1, 2)], "trace": [sys.gettrace() is None, sys.getprofile() is None],
    "recursion": sys.getrecursionlimit(), "collector": [gc.isenabled(), gc.get_threshold()],
    "leaked": hasattr(builtins, "leaked"), "len": len([1, 2]), "nice": os.getpriority(os.PRIO_PROCESS, 0),
}
"""

LEAKS = {
    "nothing": ("pass", ""),
    "environment": ("import os; os.environ['LEAK'] = '1'; del os.environ['PATH']", ""),
    "directory": ("import os; os.chdir('/')", ""),
    "sys.path and argv": ("import sys; sys.path.insert(0, '/leak'); sys.argv.append('x')", ""),
    "sys.path replaced": ("import sys; sys.path = ['/leak']", ""),
    "module": ("import sys, types; sys.modules['leaky'] = types.ModuleType('leaky'); import this", ""),
    "module replaced": ("import sys, types; sys.modules['json'] = types.ModuleType('leaky')", ""),
    "module removed": ("import sys; del sys.modules['json']", ""),
    "signals": ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                "signal.signal(signal.SIGUSR1, print); signal.pthread_sigmask(signal.SIG_BLOCK, {10, 12})", ""),
    "timer": ("import signal; signal.signal(signal.SIGALRM, print); signal.setitimer(signal.ITIMER_REAL, 60)", ""),
    "soft limit": ("import resource; soft, hard = resource.getrlimit(resource.RLIMIT_CORE); "
                   "resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))", ""),
    "umask": ("import os; os.umask(0)", ""),
    "streams replaced": ("import io, sys; sys.stdout = io.StringIO(); sys.stderr = None", ""),
    "streams made non-blocking": ("import os; os.set_blocking(1, False)", ""),
    "logging": ("import logging; logging.basicConfig(level=5); logging.disable(logging.ERROR)", ""),
    "warnings": ("import warnings; warnings.simplefilter('error')", ""),
    "locale": ("import locale; locale.setlocale(locale.LC_ALL, 'C')", ""),
    "zone": ("import os, time; os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()", ""),
    "trace": ("import sys; sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)", ""),
    "interpreter": ("import sys, gc; sys.setrecursionlimit(333); gc.disable(); gc.set_threshold(7)", ""),
    "thread": ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "threads"),
    "descriptor": ("import os; keep = os.dup(1); os.set_inheritable(keep, True)", "descriptors"),
    "high descriptor": ("import os; os.dup2(1, 500)", "descriptors"),
    "closed stream": ("import sys; sys.stdout.close()", "stream"),
    "stream moved": ("import os; os.dup2(os.open('/dev/null', os.O_WRONLY), 1)", ""),
    "builtins": ("import builtins; builtins.leaked = 1; builtins.len = lambda x: 7", "builtins"),
    "child": ("import subprocess; child = subprocess.Popen(['sleep', '60'])", "children"),
    "forked child that walks on": ("import os; os.fork()", ""),
    "priority": ("import os; os.nice(1)", "priority"),
    "hard limit": ("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))", ""),
}  # fmt: skip


def row_of(job: Job) -> Runspace:
    """The runspace that ran it."""
    assert job.runspace is not None
    return Runspace.objects.get(pk=job.runspace)


@pytest.fixture
def single(engine: EngineInTest, pool: Pool) -> EngineInTest:
    """An engine whose pool has one runspace, so that the next job meets what the last one left."""
    Pool.objects.filter(pk=pool.pk).update(min_runspaces=1, max_runspaces=1)
    engine.engine._keeper.load_pools()
    return engine


@pytest.mark.parametrize("kind", LEAKS)
def test_the_next_job_finds_what_the_first_one_found(single: EngineInTest, submit: Submit, kind: str) -> None:
    code, reason = LEAKS[kind]
    fresh = submit(PROBE)
    single.run(fresh)
    expected = json.loads(fresh.result or "")

    leaky = submit(code)
    single.run(leaky)
    after = submit(PROBE)
    single.run(after, timeout=30)

    assert json.loads(after.result or "") == expected
    if reason:
        assert after.runspace != leaky.runspace
        single.until(lambda: row_of(leaky).close_reason)
        assert reason in row_of(leaky).close_reason


@pytest.mark.parametrize(
    "code", ["import os; os._exit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]
)
def test_a_runspace_that_a_script_ended_is_replaced(single: EngineInTest, submit: Submit, code: str) -> None:
    ended, after = submit(code), submit("'fine'")

    single.run(ended, after, timeout=30)

    assert (ended.state, ended.reason) == ("failed", "lost")
    assert after.result == '"fine"'
    single.until(lambda: row_of(ended).state == "broken")


def test_apps_and_owners_never_share_a_runspace(single: EngineInTest, submit: Submit) -> None:
    mine, theirs = submit("import os; os.getpid()"), submit("import os; os.getpid()")
    Job.objects.filter(pk=theirs.pk).update(affinity="owner:2")

    single.run(mine, theirs, timeout=30)

    assert mine.result != theirs.result
    assert mine.runspace != theirs.runspace


def test_a_job_that_asks_for_it_gets_a_fresh_process_and_leaves_none(
    single: EngineInTest, submit: Submit
) -> None:
    jobs = [submit("import os; os.getpid()", reuse=False) for _ in range(3)]

    single.run(*jobs, timeout=30)

    assert len({job.result for job in jobs}) == 3


def test_a_runspace_is_replaced_after_as_many_jobs_as_its_pool_allows(
    single: EngineInTest, submit: Submit
) -> None:
    Pool.objects.update(max_jobs=2)
    single.engine._keeper.load_pools()
    jobs = [submit() for _ in range(5)]

    single.run(*jobs, timeout=30)

    assert len({job.runspace for job in jobs}) == 3


def test_rows_tell_who_is_busy_with_what(single: EngineInTest, submit: Submit) -> None:
    job = submit("import time; time.sleep(60)")

    row = single.until(lambda: Runspace.objects.filter(availability="busy", job=job.pk).first())

    assert (row.state, row.affinity) == ("opened", "owner:")
    Runspace.objects.filter(pk=row.pk).update(close_requested_at=row.opened_at)
    single.run(job)
    assert (job.state, job.reason) == ("failed", "lost")
    single.until(lambda: Runspace.objects.get(pk=row.pk).close_reason == "closed by a person")
