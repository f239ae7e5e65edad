"""A page's socket to a real server, as a browser opens it."""

import json
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.acceptance.http_client import HttpClient

PATH = "/ws/live/"


class Web(Protocol):
    """A web process that serves."""

    port: int

    @property
    def address(self) -> str: ...

    def client(self, token: str = ...) -> HttpClient: ...


def session_cookie(where: Web, password: str, name: str = "admin") -> str:
    """Sign in as a person does; the cookies to send."""
    client = where.client("")
    page = client.call("GET", "/admin/login/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None, page[:500]
    form = {"csrfmiddlewaretoken": token[1], "username": name, "password": password}
    answer = client.call(
        "POST",
        "/admin/login/",
        urllib.parse.urlencode(form).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Referer": where.address},
    )
    assert answer.status == 302, answer.text[:500]
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)


@contextmanager
def socket(where: Web, cookie: str, *, origin: str = "", **topics: Any) -> Iterator[ClientConnection]:
    """An open socket; with topics it has subscribed, and its snapshot is the first frame."""
    with connect(
        f"ws://127.0.0.1:{where.port}{PATH}",
        origin=Origin(origin or where.address),
        additional_headers={"Cookie": cookie},
        proxy=None,
    ) as opened:
        if topics:
            opened.send(json.dumps({"subscribe": topics}))
        yield opened


def frame(opened: ClientConnection, timeout: float = 10) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(opened.recv(timeout=timeout))
    return said
