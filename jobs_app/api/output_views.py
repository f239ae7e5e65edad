"""Output of jobs: ranges, search, download."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app import output
from jobs_app.models import Job
from jobs_app.states import TERMINAL
from taskhub.core.api.negotiation import AnyAccept
from taskhub.core.api.rights import SIGNED_IN
from taskhub.core.errors import BadInput

from . import output_shapes
from .job_input import DownloadQuery, OutputQuery, SearchQuery
from .job_views import JobEndpoint
from .output_shapes import MatchesShape, OutputShape
from .waiting import AsyncView

DEFAULT_BYTES = 64 * 1024
DEFAULT_LINES = 1_000
# Parts of a download that one turn of a thread reads: 64 KiB each.
_PARTS = 16


class OutputEndpoint(JobEndpoint):
    """An address below the output of a job. Who may see the job may read what it printed."""

    rights = {"GET": SIGNED_IN}

    def attempt(self, job: Job) -> int:
        """The attempt asked for, the last one by default."""
        return int(self.query.get("attempt", job.attempt))


class OutputView(OutputEndpoint):
    """What a job printed."""

    queries = {"get": OutputQuery}

    @extend_schema(responses=OutputShape)
    def get(self, request: Request, id: str) -> Response:
        """Read output.

        By bytes with `offset` and `limit`, or by lines with `line` and `lines`; also while it grows.
        Offsets and line numbers count what was dropped, too; `gaps` say where that was.
        """
        job = self.job(id)
        attempt, query, stream = self.attempt(job), self.query, self.query.get("stream")
        # An attempt that printed nothing has no file that says so.
        ended = attempt < job.attempt or job.state in TERMINAL
        lines = {"line", "lines"} & set(query)
        if lines and {"offset", "limit"} & set(query):
            raise BadInput(
                "line: expected a range of lines or one of bytes, got both",
                fields=dict.fromkeys(sorted(lines), "not together with offset or limit"),
            )
        if lines:
            shape = output_shapes.by_lines(
                output.read_lines(
                    job.uuid, attempt, line=query.get("line", 1), lines=query.get("lines", DEFAULT_LINES),
                    stream=stream,
                )
            )  # fmt: skip
        else:
            shape = output_shapes.by_bytes(
                output.read_bytes(
                    job.uuid, attempt, offset=query.get("offset", 0), limit=query.get("limit", DEFAULT_BYTES),
                    stream=stream, text=True, ended=ended,
                )
            )  # fmt: skip
        now = output.stat(job.uuid, attempt)
        return Response(
            {
                "bytes": now.bytes, "total_lines": now.lines, "dropped": now.dropped, "complete": now.complete or ended,
                "attempt": attempt, **shape,
            }
        )  # fmt: skip


class SearchView(OutputEndpoint):
    """Finding text in the output."""

    queries = {"get": SearchQuery}

    @extend_schema(responses=MatchesShape)
    def get(self, request: Request, id: str) -> Response:
        """Search the output.

        Lines that hold the text. One call looks at about 64 MiB; if `complete` is false, go on with
        `after_line`.
        """
        job = self.job(id)
        found = output.search(
            job.uuid, self.attempt(job), q=self.query.get("q", ""), limit=self.query.get("limit", 200),
            after_line=self.query.get("after_line", 0), stream=self.query.get("stream"),
        )  # fmt: skip
        return Response(MatchesShape(found).data)


class DownloadView(OutputEndpoint):
    """The output as a file."""

    queries = {"get": DownloadQuery}
    content_negotiation_class = AnyAccept

    @extend_schema(
        responses={
            (200, "text/plain"): OpenApiResponse(
                OpenApiTypes.STR, description="All that is kept, as it was written."
            )
        }
    )
    def get(self, request: Request, id: str) -> Response:
        """Download the output.

        As it was written; a line of text stands where something was dropped.
        """
        job = self.job(id)
        return Response({"id": job.public_id, "parts": output.download(
            job.uuid, self.attempt(job), stream=self.query.get("stream")
        )})  # fmt: skip


async def download(view: AsyncView, request: HttpRequest, **path: str) -> HttpResponseBase:
    """Turn the parts that `DownloadView` found into a stream that takes a thread only while it reads."""
    response = await view(request, **path)
    if response.status_code != 200:
        return response
    found = response.data  # type: ignore[attr-defined] # of a REST view, always
    name = f"{found['id']}.log"
    return StreamingHttpResponse(
        _stream(found["parts"]),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"},
    )


async def _stream(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    while part := await loop.run_in_executor(None, lambda: b"".join(islice(parts, _PARTS))):
        yield part
