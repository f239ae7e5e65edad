"""What a baseline puts back after a job, and for what it asks for another runspace."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import ROOT

pytestmark = pytest.mark.one_database

LAB = Path(__file__).with_name("hygiene_lab.py")

RESTORED = {
    "nothing": "pass",
    "variable set": "import os; os.environ['LEAK'] = 'x'",
    "variable changed": "import os; os.environ['PATH'] = '/leak'",
    "variable deleted": "import os; del os.environ['PATH']",
    "variables cleared": "import os; os.environ.clear()",
    "variable set below Python and above": "import os; os.environb[b'LEAK'] = b'\\xff'",
    "directory": "import os; os.chdir('/')",
    "directory that is gone": "import os, tempfile; d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)",
    "umask": "import os; os.umask(0o777)",
    "argv": "import sys; sys.argv.append('x')",
    "argv replaced": "import sys; sys.argv = ['x', 'y']",
    "path": "import sys; sys.path.insert(0, '/leak')",
    "path emptied": "import sys; sys.path.clear()",
    "path replaced": "import sys; sys.path = ['/leak']",
    "path hooks": "import sys; sys.path_hooks.clear(); sys.meta_path.insert(0, object())",
    "module of its own": "import sys, types; sys.modules['leak'] = types.ModuleType('leak')",
    "module of the library": "import this, colorsys",
    "module replaced": "import sys, types; sys.modules['json'] = types.ModuleType('json')",
    "module deleted": "import sys; del sys.modules['json'], sys.modules['os']",
    "main module replaced": "import sys, types; sys.modules['__main__'] = types.ModuleType('__main__')",
    "streams replaced": "import sys, io; sys.stdout = io.StringIO(); sys.stderr = None; sys.stdin = None",
    "spare streams replaced": "import sys; sys.__stdout__ = None; sys.__stderr__ = None",
    "streams made non-blocking": "import os; os.set_blocking(1, False); os.set_blocking(2, False)",
    "signal ignored": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "signals handled": "import signal\nfor n in (1, 2, 10, 12, 14, 17): signal.signal(n, lambda *a: None)",
    "signals blocked": "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "timer": "import signal; signal.signal(14, lambda *a: None); signal.setitimer(signal.ITIMER_REAL, 99, 1)",
    "alarm": "import signal; signal.alarm(99)",
    "other timers": "import signal; signal.setitimer(1, 99); signal.setitimer(2, 99)",
    "soft limit": "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (64, r.getrlimit(r.RLIMIT_NOFILE)[1]))",
    "hooks": "import sys; sys.excepthook = sys.displayhook = sys.unraisablehook = sys.breakpointhook = print",
    "threads' hooks": "import threading as t; t.excepthook = print; t.settrace(print); t.setprofile(print)",
    "trace": "import sys; sys.settrace(lambda *a: None)",
    "profile": "import sys; sys.setprofile(lambda *a: None)",
    "recursion": "import sys; sys.setrecursionlimit(400); sys.setswitchinterval(1.5)",
    "collector off": "import gc; gc.disable(); gc.set_threshold(1, 2, 3)",
    "collector spied on": "import gc; gc.callbacks.append(print); gc.set_debug(gc.DEBUG_STATS)",
    "log handlers": "import logging; logging.basicConfig(level=1); logging.getLogger().addFilter(lambda r: False)",
    "log disabled": "import logging; logging.disable(50)",
    "loggers": "import logging; logging.getLogger('leak.deep').setLevel(10)",
    "warnings": "import warnings; warnings.simplefilter('error'); warnings.showwarning = print",
    "warnings gone": "import warnings; warnings.resetwarnings()",
    "locale": "import locale; locale.setlocale(locale.LC_ALL, 'C')",
    "zone": "import os, time; os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()",
    "zone without its variable": "import os, time; os.environ['TZ'] = 'Asia/Tokyo'; time.tzset(); del os.environ['TZ']",
}
RECYCLED = {
    "thread": ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "left threads"),
    "timer thread": ("import threading; t = threading.Timer(99, print); t.daemon = True; t.start()", "left threads"),
    "pool of threads": ("import sys, concurrent.futures as c; sys.k = c.ThreadPoolExecutor(); sys.k.submit(int)", "left"),
    "descriptor": ("import os; keep = os.dup(1)", "left descriptors"),
    "high descriptor": ("import os; os.dup2(1, 700)", "left descriptors"),
    "socket": ("import socket, sys; sys.keep = socket.socket()", "left descriptors"),
    "descriptor closed": ("import os; os.close(60)", "left descriptors"),
    "stream closed": ("import sys; sys.stdout.close()", "standard stream"),
    "stream's file closed": ("import os; os.close(1)", "standard streams"),
    "stream's file replaced": ("import os; os.dup2(os.open('/dev/null', 1), 1)", "standard streams"),
    "input replaced": ("import os; r, w = os.pipe(); os.dup2(r, 0); os.close(r); os.close(w)", "standard streams"),
    "builtin replaced": ("import builtins; builtins.len = lambda x: 7", "changed builtins"),
    "builtin added": ("import builtins; builtins.leak = 1", "changed builtins"),
    "builtin deleted": ("import builtins; del builtins.print", "changed builtins"),
    "every builtin broken": ("import builtins\nfor n in ('len', 'any', 'dict', 'set', 'getattr', 'isinstance', "
                             "'sorted', 'OSError'): setattr(builtins, n, None)", "changed builtins"),
    "hard limit": ("import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (99, 99))", ""),
    "priority": ("import os; os.nice(3)", "changed its priority"),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, list[Any]]:
    leaks = RESTORED | {name: source for name, (source, _) in RECYCLED.items()}
    done = subprocess.run(
        [sys.executable, "-I", str(LAB), str(ROOT)], input=json.dumps(leaks), capture_output=True, text=True,
        timeout=120, check=True, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
    )  # fmt: skip
    found: dict[str, list[Any]] = json.loads(done.stdout[done.stdout.rindex('{"nothing"') :])
    return found


@pytest.mark.parametrize("name", RESTORED)
def test_put_back(answers: dict[str, list[Any]], name: str) -> None:
    assert answers[name] == ["", []]


@pytest.mark.parametrize("name", RECYCLED)
def test_not_to_be_used_again(answers: dict[str, list[Any]], name: str) -> None:
    reason, differences = answers[name]
    if name == "hard limit" and not reason:
        # Who may raise a limit again gets it back instead.
        assert differences == []
        return
    assert RECYCLED[name][1] in reason
    assert reason
