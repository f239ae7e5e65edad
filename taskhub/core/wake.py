"""Telling engines that something is waiting. A wake carries nothing and may be lost: they also poll.

On SQLite a datagram goes to the socket of each live engine in `run/`; on PostgreSQL it is NOTIFY.
"""

import contextlib
import errno
import logging
import os
import secrets
import select
import socket
import threading
from typing import Any, Protocol

from django.db import connection, transaction

from .home import Home

log = logging.getLogger("taskhub.wake")

CHANNEL = "taskhub_wake"
SUFFIX = ".wake"
RECONNECT_SECONDS = 1.0
CONNECT_SECONDS = 5
# Datagrams taken at once; the kernel queues fewer, so this only ends a race with somebody who floods.
_MOST = 1_000


class WakeReceiver(Protocol):
    """What an engine waits on: readable once somebody has called `wake_engines`."""

    def fileno(self) -> int:
        """A descriptor that stays the same until `close`."""

    def drain(self) -> None:
        """Take what has come, so that the descriptor is readable again only for what comes later."""

    def close(self) -> None: ...


def wake_engines() -> None:
    """Wake every engine. Call it after the commit; it never waits for an engine and never raises."""
    with contextlib.suppress(Exception):
        if connection.vendor != "postgresql":
            _send_to_all(Home.current())
        elif connection.in_atomic_block:
            # A NOTIFY that failed in here would take the caller's transaction with it.
            transaction.on_commit(wake_engines, using=connection.alias, robust=True)
        else:
            with connection.cursor() as cursor:
                cursor.execute(f"NOTIFY {CHANNEL}")


def open_receiver() -> WakeReceiver:
    """The receiver for the database in use.

    Raises:
        OSError: the data folder's `run/` cannot hold a socket.
    """
    if connection.vendor == "postgresql":
        return _Listener(connection.get_connection_params())
    return _Datagrams(Home.current())


def _open_folder(home: Home) -> int:
    return os.open(home.run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _send_to_all(home: Home) -> None:
    folder = _open_folder(home)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for name in os.listdir(folder):
                if name.endswith(SUFFIX):
                    _send(sender, folder, name)
    finally:
        os.close(folder)


def _send(sender: socket.socket, folder: int, name: str) -> None:
    try:
        # By the folder's descriptor: a socket's address holds 107 bytes, a path may be longer.
        sender.sendto(b"w", f"/proc/self/fd/{folder}/{name}")
    except OSError as exc:
        # A full queue is a wake already. Refused: nobody is bound to it any more, its engine was
        # killed, and since no two sockets ever have one name, none will be again.
        if exc.errno == errno.ECONNREFUSED:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)


class _Datagrams:
    """A socket in `run/` under a name of its own."""

    def __init__(self, home: Home) -> None:
        home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = _open_folder(home)
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(f"/proc/self/fd/{self._folder}/{self._name}")
        except BaseException:
            self._socket.close()
            os.close(self._folder)
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(_MOST):
                self._socket.recv(16)

    def close(self) -> None:
        if self._socket.fileno() < 0:
            return
        self._socket.close()
        with contextlib.suppress(OSError):
            os.unlink(self._name, dir_fd=self._folder)
        os.close(self._folder)


class _Listener:
    """LISTEN on a connection of its own, in a thread that passes notifications on through a pipe.

    The engine sees one descriptor that stays the same while connections come and go; each new
    connection wakes it once, for what was missed in between.
    """

    def __init__(self, parameters: dict[str, Any]) -> None:
        self._parameters = _own_parameters(parameters)
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopped, self._stop = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="wake", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._reader

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def close(self) -> None:
        if self._stop < 0:
            return
        os.close(self._stop)
        self._stop = -1
        self._thread.join(CONNECT_SECONDS + 1)
        if self._thread.is_alive():
            # It hangs in the network and may still write: its descriptors must not become others'.
            log.warning("the thread that listens for wakes did not end")
            return
        for descriptor in (self._reader, self._writer, self._stopped):
            os.close(descriptor)

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"w")

    def _run(self) -> None:
        import psycopg

        away = False
        while not self._asked_to_stop(0):
            try:
                with psycopg.connect(**self._parameters) as listening:
                    listening.execute(f"LISTEN {CHANNEL}")
                    if away:
                        log.info("listening for wakes again")
                    away = False
                    self._tell()
                    self._pass_on(listening)
            except (psycopg.Error, OSError) as exc:
                if not away:
                    log.warning("not listening for wakes (%s); trying again", str(exc).strip())
                away = True
                self._asked_to_stop(RECONNECT_SECONDS)

    def _pass_on(self, listening: Any) -> None:
        """Until asked to stop; raises psycopg.Error when the connection is lost."""
        while not self._asked_to_stop(None, also=listening.fileno()):
            if list(listening.notifies(timeout=0)):
                self._tell()

    def _asked_to_stop(self, seconds: float | None, *, also: int | None = None) -> bool:
        """Wait for the request to stop, at most so long, or until `also` is readable."""
        poll = select.poll()
        poll.register(self._stopped, select.POLLIN)
        if also is not None:
            poll.register(also, select.POLLIN)
        ready = poll.poll(None if seconds is None else int(seconds * 1000))
        return any(descriptor == self._stopped for descriptor, _ in ready)


def _own_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """How to connect, without what only Django's own connections understand."""
    kept = {
        name: value
        for name, value in parameters.items()
        if name not in ("cursor_factory", "context", "prepare_threshold", "server_side_binding")
    }
    # A host that vanished without a word is noticed by these, not by waiting.
    alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    return {"connect_timeout": CONNECT_SECONDS, **alive, **kept, "autocommit": True}
