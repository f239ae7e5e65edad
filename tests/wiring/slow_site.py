"""A web process whose pages take their time; run as a program by the tests of the web server."""

import asyncio
import os
import socket
import sys
import time
from typing import Any

from taskhub.web_server import WebServer


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/sleep/<seconds>` waits as asynchronous code does, `/block/<seconds>` in a thread nobody can end."""
    assert scope["type"] == "http"
    _, how, seconds = scope["path"].split("/")
    os.write(1, b"began\n")
    if how == "sleep":
        await asyncio.sleep(float(seconds))
    else:
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, float(seconds))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"finished"})


def ready() -> None:
    os.write(1, b"ready\n")


if __name__ == "__main__":
    listener = socket.socket(fileno=int(sys.argv[1]))
    WebServer(application, listener, ready=ready).serve()
