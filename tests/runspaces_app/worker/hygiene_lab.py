"""Lets each leak happen in a forked interpreter of its own and tells what a baseline made of it.

Run as `python -I hygiene_lab.py <root>` with JSON on stdin, {name: source of the leak}; answers with
{name: [reason to recycle or "", differences that were left]}.
"""

import builtins
import ctypes
import gc
import importlib
import json
import locale
import logging
import os
import resource
import signal
import sys
import threading
import time
import warnings
from typing import Any

sys.path.insert(0, sys.argv[1])
hygiene: Any = importlib.import_module("runspaces_app.worker.hygiene")
sys.path.remove(sys.argv[1])

# Open from the start, for a script to close.
SPARE_DESCRIPTOR = 60
_libc = ctypes.CDLL(None)
_libc.getenv.restype = ctypes.c_char_p


def state() -> dict[str, Any]:
    """What the next job could notice, as text."""
    root = logging.getLogger()
    return {
        "environment": sorted(os.environ.items()),
        "environment as C sees it": [_libc.getenv(name) for name in (b"PATH", b"LEAK", b"TZ")],
        "directory": os.getcwd(),
        "umask": _umask(),
        "argv": list(sys.argv),
        "path": list(sys.path),
        "path hooks": [len(sys.path_hooks), len(sys.meta_path)],
        "modules": sorted((name, id(module)) for name, module in sys.modules.items()),
        "streams": [id(sys.stdin), id(sys.stdout), id(sys.stderr), id(sys.__stdout__)],
        "non-blocking": [os.get_blocking(1), os.get_blocking(2)],
        "signals": [str(signal.getsignal(n)) for n in signal.valid_signals() if n not in (9, 19, 32, 33)],
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "timers": [signal.getitimer(n)[0] for n in (0, 1, 2)],
        "limits": [resource.getrlimit(n) for n in range(16)],
        "hooks": [repr(sys.excepthook), repr(sys.displayhook), repr(sys.unraisablehook), repr(sys.breakpointhook)],
        "threading": [repr(threading.excepthook), threading._trace_hook, threading._profile_hook],  # type: ignore[attr-defined]
        "trace": [sys.gettrace(), sys.getprofile()],
        "recursion": [sys.getrecursionlimit(), sys.getswitchinterval()],
        "collector": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)],
        "logging": [root.level, [repr(h) for h in root.handlers], len(root.filters), root.manager.disable],
        "loggers": sorted(root.manager.loggerDict),
        "warnings": [repr(warnings.filters), repr(warnings.showwarning)],
        "locale": locale.setlocale(locale.LC_ALL),
        "zone": [time.tzname, time.localtime(0).tm_hour],
        "builtins": sorted(vars(builtins)),
        "len": len("four"),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
    }  # fmt: skip


def _umask() -> int:
    now = os.umask(0o077)
    os.umask(now)
    return now


def try_leak(source: str) -> list[Any]:
    os.dup2(0, SPARE_DESCRIPTOR)
    baseline = hygiene.Baseline()
    before = state()
    baseline.counts()
    # As a job runs: a module of its own takes the place of the main one.
    exec(compile(source, "script.py", "exec"), {"__name__": "__main__"})  # noqa: S102
    baseline.repair_builtins()
    reason = baseline.restore()
    if reason:
        return [reason, []]
    after = state()
    return ["", [name for name in before if before[name] != after[name]]]


def main() -> None:
    answers = {}
    for name, source in json.load(sys.stdin).items():
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            answer: list[Any]
            try:
                answer = try_leak(source)
            except BaseException as exc:
                answer = [f"raised {exc!r}", []]
            os.write(writer, json.dumps(answer).encode())
            os._exit(0)
        os.close(writer)
        with open(reader, "rb") as file:
            answers[name] = json.loads(file.read() or b'["died", []]')
        os.waitpid(pid, 0)
    os.write(1, json.dumps(answers).encode())


if __name__ == "__main__":
    main()
