"""Jobs that the browser's tests look at."""

from typing import Any

from tests.acceptance.harness import Installation

JOBS = "/api/v1/jobs"


def job(where: Installation, name: str, code: str, *, wait: float = 60, **more: Any) -> str:
    """Start a job over REST and wait so many seconds for its end; returns its uuid."""
    body = {"name": name, "language": "python", "code": code, "start": True, **more}
    answer = where.client().post(f"{JOBS}?wait={wait}" if wait else JOBS, body)
    assert answer.status in (201, 202), answer.text
    return str(answer.json()["uuid"])


def address(where: Installation, uuid: str) -> str:
    return f"{where.address}/admin/jobs_app/job/{uuid}/change/"


def row(where: Installation, uuid: str) -> Any:
    return where.client().get(f"{JOBS}/{uuid}").json()
