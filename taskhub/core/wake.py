"""Telling engines that something is waiting. A wake carries nothing and may be lost: they also poll.

On SQLite a datagram goes to the socket of each live engine in `run/`; on PostgreSQL it is NOTIFY.
"""

import contextlib
import errno
import os
import selectors
import socket
import threading
import time
from typing import Any, Protocol

from django.db import connection

from .home import Home

CHANNEL = "taskhub_wake"
SUFFIX = ".wake"
RECONNECT_SECONDS = 1.0


class WakeReceiver(Protocol):
    """What an engine waits on: readable once somebody has called `wake_engines`."""

    def fileno(self) -> int: ...

    def drain(self) -> None: ...

    def close(self) -> None: ...


def wake_engines() -> None:
    """Wake every engine. Call it after the commit; it never blocks and never raises."""
    with contextlib.suppress(Exception):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"NOTIFY {CHANNEL}")
        else:
            _send_to_all(Home.current())


def open_receiver() -> WakeReceiver:
    """The receiver for the database in use."""
    if connection.vendor == "postgresql":
        return _Listener()
    return _Datagrams(Home.current())


def _send_to_all(home: Home) -> None:
    try:
        folder = os.open(home.run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            for name in os.listdir(folder):
                if not name.endswith(SUFFIX):
                    continue
                try:
                    # Through the folder's descriptor: a socket's address holds 107 bytes, a path may be longer.
                    sender.sendto(b"w", f"/proc/self/fd/{folder}/{name}")
                except OSError as exc:
                    if exc.errno == errno.ECONNREFUSED:
                        # Nobody is bound to it any more: its engine was killed.
                        with contextlib.suppress(OSError):
                            os.unlink(name, dir_fd=folder)
    finally:
        os.close(folder)


class _Datagrams:
    def __init__(self, home: Home) -> None:
        home.run.mkdir(parents=True, exist_ok=True)
        self._path = home.run / f"{os.getpid()}{SUFFIX}"
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        folder = os.open(home.run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._socket.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> None:
        with contextlib.suppress(OSError):
            while self._socket.recv(16):
                pass

    def close(self) -> None:
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


class _Listener:
    """LISTEN on a connection of its own, in a thread that passes notifications on through a pipe.

    The engine's selector then sees one descriptor that stays the same while connections come and go.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stop_reader, self._stop_writer = os.pipe2(os.O_CLOEXEC)
        self._parameters: dict[str, Any] = {
            key: value for key, value in connection.get_connection_params().items()
            if key not in ("cursor_factory", "context", "prepare_threshold", "server_side_binding")
        }  # fmt: skip
        self._closing = False
        self._thread = threading.Thread(target=self._listen, name="wake", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._reader

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def close(self) -> None:
        self._closing = True
        os.write(self._stop_writer, b"x")
        self._thread.join(5)
        for descriptor in (self._reader, self._writer, self._stop_reader, self._stop_writer):
            os.close(descriptor)

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"w")

    def _listen(self) -> None:
        import psycopg

        while not self._closing:
            try:
                with psycopg.connect(**self._parameters, autocommit=True) as listening:
                    listening.execute(f"LISTEN {CHANNEL}")
                    # What was queued while nobody listened must be found too.
                    self._tell()
                    self._wait(listening)
            except (psycopg.Error, OSError):
                time.sleep(RECONNECT_SECONDS if not self._closing else 0)

    def _wait(self, listening: Any) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listening.fileno(), selectors.EVENT_READ, "database")
            selector.register(self._stop_reader, selectors.EVENT_READ, "stop")
            while not self._closing:
                ready = {key.data for key, _ in selector.select()}
                if "database" in ready:
                    for _ in listening.notifies(timeout=0):
                        self._tell()
                    if listening.closed:
                        return
