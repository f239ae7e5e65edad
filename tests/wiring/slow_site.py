"""A web process whose pages take their time; run as a program by the tests of the web server."""

import asyncio
import os
import socket
import sys
import time
from typing import Any

from taskhub.web_server import WebServer


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """`/sleep/<seconds>` waits as asynchronous code does, `/block/<seconds>` in a thread nobody can end.

    `/body` answers with the length the request declares and that of what came.
    """
    assert scope["type"] == "http"
    if scope["path"] == "/body":
        await _tell_body(scope, receive, send)
        return
    _, how, seconds = scope["path"].split("/")
    os.write(1, b"began\n")
    if how == "sleep":
        await asyncio.sleep(float(seconds))
    else:
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, float(seconds))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"finished"})


async def _tell_body(scope: dict[str, Any], receive: Any, send: Any) -> None:
    declared = dict(scope["headers"]).get(b"content-length", b"none")
    came, more = 0, True
    while more:
        message = await receive()
        came, more = came + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": declared + b" " + str(came).encode()})


def ready() -> None:
    os.write(1, b"ready\n")


if __name__ == "__main__":
    listener = socket.socket(fileno=int(sys.argv[1]))
    WebServer(application, listener, ready=ready).serve()
