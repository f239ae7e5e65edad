"""The address a web process is reached at."""

import errno
import socket
import time

from taskhub.environment import Bind
from taskhub.refusal import CannotStart

BACKLOG = 512
# A web process that just lost its `up` needs up to two seconds to let go of the port.
PATIENCE = 3.0


def listen(bind: Bind) -> socket.socket:
    """A listening socket; connections wait in its queue until somebody accepts them.

    Raises:
        CannotStart: the port is taken, or the host is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise CannotStart(f"Cannot listen on {bind}: the host name {bind.host} is not known here.") from None
    # IPv4 first: it is what browsers and curl try for a name that has both.
    family, *_, address = sorted(found, key=lambda each: each[0] != socket.AF_INET)[0]
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_server(address[:2], family=family, backlog=BACKLOG)
        except OSError as failed:
            if failed.errno == errno.EADDRINUSE and time.monotonic() < until:
                time.sleep(0.1)
                continue
            raise CannotStart(_why(failed, bind)) from None


def _why(failed: OSError, bind: Bind) -> str:
    if failed.errno == errno.EADDRINUSE:
        return f"Port {bind.port} on {bind.host} is taken by another program; choose another with --port."
    if failed.errno in (errno.EACCES, errno.EPERM):
        return f"Not allowed to listen on {bind}; ports from 1024 up are open to every user."
    if failed.errno == errno.EADDRNOTAVAIL:
        return f"Cannot listen on {bind}: {bind.host} is no address of this machine."
    return f"Cannot listen on {bind}: {failed.strerror}."
