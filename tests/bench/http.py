"""A client of the REST API that keeps its connection, so that a figure is the server's and not TCP's."""

import http.client
import json
import time
from typing import Any

from .processes import BenchError


class Api:
    def __init__(self, *, port: int, token: str) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> tuple[Any, float]:
        """The answer of `/api/v1/<path>` and the seconds it took.

        Raises:
            BenchError: any status but 2xx.
        """
        data = None if body is None else json.dumps(body)
        begin = time.perf_counter()
        self._link.request(method, f"/api/v1/{path}", body=data, headers=self._headers)
        answer = self._link.getresponse()
        raw = answer.read()
        took = time.perf_counter() - begin
        if not 200 <= answer.status < 300:
            raise BenchError(f"{method} {path}: {answer.status} {raw[:300]!r}")
        return (json.loads(raw) if raw else None), took

    def get(self, path: str) -> tuple[Any, float]:
        return self.call("GET", path)

    def close(self) -> None:
        self._link.close()
