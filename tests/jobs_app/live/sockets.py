"""Sockets of pages, without a server."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from taskhub.asgi import application

ORIGIN = b"http://localhost"


class Page(WebsocketCommunicator):  # type: ignore[misc] # channels ships no types
    """A page's socket; what it was told so far is in `rows`, as a browser keeps it."""

    def __init__(self, client: Client | None, *, origin: bytes | None = ORIGIN, host: bytes = b"localhost"):
        headers = [(b"host", host)]
        if origin is not None:
            headers.append((b"origin", origin))
        if client is not None and client.cookies:
            morsel = client.cookies["taskhub_session"]
            headers.append((b"cookie", f"taskhub_session={morsel.value}".encode()))
        super().__init__(application, "/ws/live/", headers=headers)

    async def ask(self, **topics: Any) -> dict[str, Any]:
        """Subscribe; the snapshot that answers."""
        await self.send_json_to({"subscribe": topics})
        frame = await self.frame()
        assert frame["snapshot"] is True
        return frame

    async def frame(self, timeout: float = 5) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(await self.receive_from(timeout=timeout))
        return said

    async def closed(self, timeout: float = 5) -> int:
        """The code it was closed with, whatever was said before."""
        while True:
            message = await self.receive_output(timeout=timeout)
            if message["type"] == "websocket.close":
                return int(message["code"])

    async def __aenter__(self) -> "Page":
        connected, code = await self.connect(timeout=5)
        assert connected, code
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.disconnect(timeout=5)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def in_loop(story: Callable[[], Any]) -> Any:
    """Run a coroutine function to its end, as a test that is none itself."""
    return asyncio.run(story())
