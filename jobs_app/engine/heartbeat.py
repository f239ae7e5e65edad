"""The engine's row: registered at the start, beaten every 5 s, closed at the end."""

import os
import socket
from pathlib import Path

from jobs_app.models import Engine
from runspaces_app.worker import processes
from taskhub.core.clock import Clock
from taskhub.core.errors import TaskhubError
from taskhub.core.home import Home

BEAT_SECONDS = 5.0
# Its process is gone long before that; this is for one that lives and does not beat.
SILENT_SECONDS = 30.0


class ForeignHost(TaskhubError):
    """Another host runs an engine on this database."""

    code = "foreign_host"
    status = 409


def host_id() -> str:
    """Tells two hosts apart that share a name; containers have a machine id of their own."""
    try:
        return Path("/etc/machine-id").read_text().strip()[:64] or socket.gethostname()[:64]
    except OSError:
        return socket.gethostname()[:64]


def refuse_foreign_host(clock: Clock) -> None:
    """All engines of one database share one host for now.

    Raises:
        ForeignHost: an engine of another host beat within the last half minute.
    """
    now = clock.now()
    others = Engine.objects.filter(state__in=("running", "draining")).exclude(host_id=host_id())
    for other in others:
        if (now - other.beat_at).total_seconds() < SILENT_SECONDS:
            raise ForeignHost(
                f"database: expected one that only this host uses, got one in use by {other.host!r}"
            )


def register(*, clock: Clock, home: Home, version: str) -> int:
    """Make this process's row; returns its id.

    Raises:
        ForeignHost: see `refuse_foreign_host`.
    """
    refuse_foreign_host(clock)
    pid = os.getpid()
    engine = Engine.objects.create(
        host=socket.gethostname(), host_id=host_id(), home=str(home.root), pid=pid,
        pid_start=processes.start_ticks(pid), boot_id=clock.boot_id(), version=version, started_at=clock.now(),
        beat_at=clock.now(), beat_boot=clock.boottime(),
    )  # fmt: skip
    return engine.pk


def beat(engine: int, *, clock: Clock) -> bool:
    """Say that it lives; False if another engine has taken it for dead."""
    return bool(
        Engine.objects.filter(pk=engine, state__in=("running", "draining")).update(
            beat_at=clock.now(), beat_boot=clock.boottime()
        )
    )


def draining(engine: int) -> None:
    Engine.objects.filter(pk=engine, state="running").update(state="draining")


def stopped(engine: int, *, clock: Clock) -> None:
    Engine.objects.filter(pk=engine).exclude(state="dead").update(
        state="stopped", stopped_at=clock.now(), settled_at=clock.now()
    )


def is_dead(engine: Engine, *, clock: Clock) -> bool:
    """Whether nobody stands behind the row any more."""
    if engine.boot_id != clock.boot_id():
        return True
    if not processes.alive(engine.pid, engine.pid_start):
        return True
    return clock.boottime() - engine.beat_boot > SILENT_SECONDS
