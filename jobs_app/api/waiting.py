"""Answers that come when a job has ended: the view does its work, then a coroutine waits."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from jobs_app import family
from jobs_app.errors import JobNotFound
from taskhub.core.api.refusals import error_response

from . import watching
from .job_views import JobEndpoint

# How long a removal waits for what it has stopped: the grace of a pool, and the kill after it.
STOP_SECONDS = 30.0

AsyncView = Callable[..., Awaitable[HttpResponseBase]]


def as_view(cls: type[Any], then: Callable[..., Awaitable[HttpResponseBase]]) -> AsyncView:
    """An asynchronous view around a REST view.

    Args:
        then: gets the REST view, the request and the arguments of the path, and answers.
    """
    view = cls.as_view()

    @csrf_exempt  # as every REST view: its authentication asks for the token where one is needed
    async def answer(request: HttpRequest, **path: str) -> HttpResponseBase:
        rest_view: AsyncView = sync_to_async(view)
        try:
            if request.method == "OPTIONS":
                return await rest_view(request, **path)  # tells of the view itself
            return await then(rest_view, request, **path)
        except Exception as exc:  # what went wrong outside of the REST view
            return error_response(exc, request)

    answer.cls, answer.initkwargs = cls, {}  # type: ignore[attr-defined] # where the document looks
    return answer


async def ended_job(view: AsyncView, request: HttpRequest, **path: str) -> HttpResponseBase:
    """With `?wait=`, answer with the job as it is when it has ended or the time is over."""
    if request.GET.get("wait"):
        # Said before anything is started: a call that is refused has done nothing.
        watching.check_room()
    response = await view(request, **path)
    endpoint = _endpoint(response)
    if endpoint is None or response.status_code != 202 or not endpoint.query.get("wait"):
        return response
    answer: dict[str, Any] = response.data  # type: ignore[attr-defined] # of a REST view, as found above
    job = UUID(answer["uuid"])
    await watching.until_ended([job], endpoint.query["wait"])
    # Not rendered yet: that is done when the view has answered.
    with suppress(JobNotFound):
        answer |= await sync_to_async(endpoint.shown)(job)
    return response


async def stopped_first(view: AsyncView, request: HttpRequest, **path: str) -> HttpResponseBase:
    """A removal that stops first tries again once all have ended."""
    response = await view(request, **path)
    endpoint = _endpoint(response)
    if endpoint is None or response.status_code != 409 or not endpoint.query.get("stop"):
        return response
    job = await sync_to_async(endpoint.job)(path["id"])
    jobs = [job.uuid, *await sync_to_async(family.descendants)(job.uuid)]
    if not await watching.until_ended(jobs, STOP_SECONDS):
        return response
    return await view(request, **path)


def _endpoint(response: HttpResponseBase) -> JobEndpoint | None:
    """The view that made the answer, if it came as far as reading the query."""
    context: Any = getattr(response, "renderer_context", None) or {}
    endpoint = context.get("view")
    return endpoint if isinstance(endpoint, JobEndpoint) and hasattr(endpoint, "query") else None
