"""A small HTTP client: JSON in and out, cookies, no redirects, no exception for a status."""

import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class HttpClient:
    """Talks to one server; sends `token` as a bearer token if there is one."""

    def __init__(self, address: str, *, token: str = "", timeout: float = 30) -> None:
        self.address = address.rstrip("/")
        self.token = token
        self.timeout = timeout
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), _NoRedirect()
        )

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send `body` as JSON, or as it is if it is bytes.

        Raises:
            OSError: no answer came (the server is down, or was killed meanwhile).
        """
        request = urllib.request.Request(f"{self.address}{path}", method=method)
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return Answer(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, dict(refused.headers), refused.read())

    def get(self, path: str, **query: Any) -> Answer:
        return self.call("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("POST", path, body, headers=headers)

    def patch(self, path: str, body: Any) -> Answer:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def sign_in(self, user: str, password: str) -> Answer:
        """As a browser does, by the form of the admin."""
        self.get("/admin/login/")
        values = {"username": user, "password": password, "csrfmiddlewaretoken": self.csrf, "next": "/admin/"}
        form = urllib.parse.urlencode(values).encode()
        return self.call(
            "POST",
            "/admin/login/",
            form,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Referer": f"{self.address}/admin/login/",
            },
        )

    @property
    def csrf(self) -> str:
        return next((cookie.value or "" for cookie in self.cookies if cookie.name == "taskhub_csrf"), "")
