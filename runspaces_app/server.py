"""The fork server: a process that has imported everything a runspace needs and forks them on request.

Started by the engine as a script. It speaks over one SOCK_SEQPACKET socket: `{"fork": …}` with the
descriptors of the new runspace comes in, `{"forked": …}` and `{"exited": …}` go out. It ends with
the engine's end of the socket; its runspaces see the end of their own and follow by themselves.

A lean server knows nothing of Django, the database or any secret; its environment was made from
scratch. A django server has the project set up and no connection open.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import importlib.abc
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OWN_PACKAGES = frozenset({"taskhub", "jobs_app", "tasks_app", "runspaces_app", "scaffolding"})
# What scripts reach for most; imported once here, it costs no job anything.
PRELOAD = (
    "argparse", "base64", "collections", "concurrent.futures", "csv", "dataclasses", "datetime", "decimal", "enum",
    "functools", "glob", "gzip", "hashlib", "heapq", "http.client", "inspect", "io", "itertools", "json", "logging",
    "math", "operator", "pathlib", "queue", "random", "re", "shlex", "shutil", "socket", "sqlite3", "ssl",
    "statistics", "string", "struct", "subprocess", "tempfile", "textwrap", "threading", "time", "traceback",
    "typing", "urllib.parse", "urllib.request", "uuid", "zipfile", "zoneinfo",
)  # fmt: skip
_PR_SET_CHILD_SUBREAPER = 36
_ABOVE_STREAMS = 10
_root_added = False
ENGINE_FD, OUT_FD, ERR_FD, WRITER_FD, MARK_FD = range(5)


class _Hidden(importlib.abc.MetaPathFinder):
    """Taskhub's own packages are no library for scripts of a lean pool: they would open its settings."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name.partition(".")[0] in OWN_PACKAGES:
            raise ModuleNotFoundError(f"No module named {name!r} in a lean runspace", name=name)


def serve(config: dict[str, Any]) -> None:
    """Answer fork requests until the engine is gone.

    Args:
        config: `fd` (the socket), `kind` (lean or django), `work`, `spool`.
    """
    control = socket.socket(fileno=config["fd"])
    from runspaces_app.worker import frames, processes
    from runspaces_app.worker import main as worker
    from runspaces_app.worker.mark import MarkFile
    from taskhub.core import failpoints

    # Read by now; no affair of the scripts.
    os.environ.pop(failpoints.VARIABLE, None)
    title = _title_setter()
    title(f"taskhub runspaces ({config['kind']})")
    between = _prepare_django() if config["kind"] == "django" else _prepare_lean()
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Objects made so far never change again; frozen, no collection touches their pages and the forks share them.
    gc.collect()
    gc.freeze()
    wake_out, wake_in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    names: dict[int, int] = {}
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_out, select.POLLIN)
    control.send(b'{"ready":1}')
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if wake_out in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(wake_out, 4096)
            over = [(names.pop(pid), pid, status) for pid, status in _ended() if pid in names]
            if over:
                # A runspace that was killed leaves them to us, whatever session or environment they gave themselves.
                processes.end_orphans(names)
            for runspace, pid, status in over:
                _tell(control, {"exited": runspace, "pid": pid, "status": status})
        if control.fileno() not in ready:
            continue
        try:
            request, descriptors = frames.receive_with_descriptors(control, 5)
        except OSError:
            return
        if request is None:
            return
        try:
            pid = os.fork()
        except OSError as exc:
            for descriptor in descriptors:
                os.close(descriptor)
            _tell(control, {"refused": request["fork"], "error": str(exc)})
            continue
        if pid:
            for descriptor in descriptors:
                os.close(descriptor)
            names[pid] = request["fork"]
            _tell(control, {"forked": request["fork"], "pid": pid, "start": processes.start_ticks(pid)})
            continue
        # The child: a runspace from here on; it never returns into this loop.
        log = fcntl.fcntl(
            2, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STREAMS
        )  # the engine's own errors go there; the new streams lead to the output writer
        try:
            signal.set_wakeup_fd(-1)
            control.close()
            os.close(wake_out)
            os.close(wake_in)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            os.setsid()
            libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            title(f"taskhub runspace {request['number']}")
            _take_streams(descriptors)
            setup = worker.Setup(
                runspace=request["fork"],
                engine=socket.socket(fileno=descriptors[ENGINE_FD]),
                writer=socket.socket(fileno=descriptors[WRITER_FD]),
                mark=MarkFile(descriptors[MARK_FD]),
                work=config["work"],
                spool=config["spool"],
                grace=request["grace"],
                between=between,
            )
            os.close(descriptors[MARK_FD])
            setup.mark.register(os.getpid(), processes.start_ticks(os.getpid()))
            os.close(log)
            log = 2
            worker.Runspace(setup).run()
        except BaseException:
            os.write(log, traceback.format_exc().encode())
        finally:
            os._exit(70)


def _take_streams(descriptors: list[int]) -> None:
    """Standard streams: nothing to read, output to the writer; descriptor 3 stays taken for the channel."""
    # Out of the way first: any of them may sit on a number that is about to be set.
    for position, descriptor in enumerate(descriptors):
        descriptors[position] = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STREAMS)
        os.close(descriptor)
    null = fcntl.fcntl(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), fcntl.F_DUPFD_CLOEXEC, _ABOVE_STREAMS)
    os.dup2(null, 0)
    os.dup2(descriptors[OUT_FD], 1)
    os.dup2(descriptors[ERR_FD], 2)
    os.dup2(null, 3, inheritable=False)
    for descriptor in (null, descriptors[OUT_FD], descriptors[ERR_FD]):
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    # Line by line, so that what a script prints is seen while it runs.
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _ended() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, status))


def _tell(control: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        control.send(json.dumps(message).encode())


def _title_setter() -> Callable[[str], None]:
    import setproctitle

    return setproctitle.setproctitle


def _prepare_lean() -> Callable[[], None]:
    for name in PRELOAD:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN_PACKAGES]:
        del sys.modules[name]
    if _root_added:
        sys.path.remove(ROOT)
    sys.meta_path.insert(0, _Hidden())
    return lambda: None


def _prepare_django() -> Callable[[], None]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taskhub.settings")
    import django

    from taskhub.core import secrets_pipe

    secrets_pipe.take()
    django.setup()
    from django.db import connections, reset_queries
    from django.db.backends.signals import connection_created

    def opened(connection: Any, **_: Any) -> None:
        if connection.vendor == "postgresql":
            # A server at work for somebody who was killed would keep his locks until the work is done.
            with connection.cursor() as cursor:
                cursor.execute("SET client_connection_check_interval = 1000")

    def between() -> None:
        reset_queries()
        for connection in connections.all(initialized_only=True):
            if connection.vendor == "postgresql":
                _end_statement(connection.connection)
        connections.close_all()

    connection_created.connect(opened, weak=False)
    return between


def _end_statement(connection: Any) -> None:
    """Tell PostgreSQL that nobody waits for what it does: closing alone does not, a cancelled job's work goes on."""
    import psycopg

    active = psycopg.pq.TransactionStatus.ACTIVE
    if connection is not None and connection.info.transaction_status == active:
        with contextlib.suppress(psycopg.Error):
            connection.cancel_safe(timeout=2)


if __name__ == "__main__":
    if ROOT not in sys.path:
        # In a checkout; an installed Taskhub lies on the path already.
        sys.path.insert(0, ROOT)
        _root_added = True
    serve(json.loads(sys.argv[1]))
