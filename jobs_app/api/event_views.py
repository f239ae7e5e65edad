"""The events of a job, as they happen."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app.models import Job
from taskhub.core.api.negotiation import AnyAccept
from taskhub.core.api.rights import SIGNED_IN

from . import event_stream, job_shapes, watching
from .event_stream import END, START, Point
from .job_input import EventsQuery
from .job_views import JobEndpoint
from .waiting import AsyncView

KEEP_ALIVE_SECONDS = 15.0
CHECK_RIGHTS_SECONDS = 5.0


class EventsView(JobEndpoint):
    """What happens to a job."""

    rights = {"GET": SIGNED_IN}
    queries = {"get": EventsQuery}
    content_negotiation_class = AnyAccept

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "Last-Event-ID", str, OpenApiParameter.HEADER, description="Go on behind this event."
            ),
        ],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                OpenApiTypes.STR,
                description="`open` (id), `state`, `progress`, `output` (bytes, lines), `end` (state, error, "
                "the result if asked for); `refused` if the right to read is lost meanwhile, `gone` if "
                "the job is removed.",
            ),
            204: OpenApiResponse(None, description="The end was seen; browsers stop asking."),
        },
    )
    def get(self, request: Request, id: str) -> Response:
        """Follow a job by server-sent events.

        Each event tells how things are by now, so whoever comes late or comes back is told what he has
        missed at once. The stream ends with the end of the job.
        """
        return Response({"uuid": str(self.job(id).uuid), "result": self.query.get("result", False)})


async def follow(view: AsyncView, request: HttpRequest, **path: str) -> HttpResponseBase:
    """The stream for whom `EventsView` let through."""
    response = await view(request, **path)
    if response.status_code != 200:
        return response
    given: dict[str, Any] = response.data  # type: ignore[attr-defined] # of a REST view, always
    last = request.headers.get("Last-Event-ID", "")
    if last.startswith(END) and Point.parse(last.removeprefix(END)):
        return HttpResponse(status=204)
    watching.check_room()
    return StreamingHttpResponse(
        _events(
            UUID(given["uuid"]),
            Point.parse(last),
            view=view,
            request=request,
            path=path,
            result=given["result"],
        ),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    job: UUID,
    last: Point | None,
    *,
    view: AsyncView,
    request: HttpRequest,
    path: dict[str, str],
    result: bool,
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    told = last or START
    opened = last is not None
    check_at, alive_at = loop.time() + CHECK_RIGHTS_SECONDS, loop.time() + KEEP_ALIVE_SECONDS
    with watching.watch(job, output=True) as watcher:
        while True:
            changed = await watcher.changed(min(check_at, alive_at) - loop.time())
            if loop.time() >= check_at:
                refusal = await view(_asked_anew(request), **path)
                if refusal.status_code != 200:
                    yield event_stream.event("refused", _body(refusal), id=str(told))
                    return
                check_at = loop.time() + CHECK_RIGHTS_SECONDS
            if changed:
                seen = watcher.seen
                if seen is None:
                    yield event_stream.event("gone", {}, id=str(told))
                    return
                if not opened:
                    yield event_stream.opening(seen)
                    opened = True
                for part in event_stream.news(seen, told):
                    yield part
                told = Point.of(seen)
                if seen.ended:
                    yield event_stream.ending(seen, await sync_to_async(_outcome)(job, result))
                    return
            elif loop.time() >= alive_at:
                yield event_stream.KEEP_ALIVE
            if loop.time() >= alive_at or changed:
                alive_at = loop.time() + KEEP_ALIVE_SECONDS


def _outcome(uuid: UUID, result: bool) -> dict[str, Any]:
    """What the end event says besides the state."""
    job = Job.objects.filter(pk=uuid).first()
    if job is None:
        return {}
    said: dict[str, Any] = {"error": None}
    if job.error_type or job.error_message:
        said["error"] = dict(job_shapes.JobError(job).data)
    if result:
        said["result"] = None if job.result is None else json.loads(job.result)
    return said


def _asked_anew(request: HttpRequest) -> HttpRequest:
    """The same request without what was found out about its caller."""
    anew = copy.copy(request)
    for known in ("_cached_user", "_acached_user"):
        with suppress(AttributeError):
            delattr(anew, known)
    session = getattr(request, "session", None)
    if session is not None:
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
        anew.session = store(session.session_key)
        anew.user = SimpleLazyObject(lambda: get_user(anew))  # type: ignore[assignment] # as the middleware does
    return anew


def _body(response: HttpResponseBase) -> Any:
    return getattr(response, "data", None) or {}
