"""Every request has an id, and every refusal below `/api/` is the one error body.

Most refusals are made by the views. What is left are those that Django makes around them: a bad
host, an address no view answers, a body no form can be read from, a fault in a middleware.
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from taskhub.core import errors

from .refusals import InternalError, body_of, headers_of

HEADER = "X-Request-Id"
PREFIX = "/api/"

_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def api_answers(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
    """Put it first among the middlewares, so that it sees what the others refuse."""
    if iscoroutinefunction(get_response):
        ask_async = cast("AsyncAnswer", get_response)

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            identify(request)
            return finish(request, await ask_async(request))

        return answer_async
    ask = cast("Answer", get_response)

    def answer(request: HttpRequest) -> HttpResponseBase:
        identify(request)
        return finish(request, ask(request))

    return answer


def identify(request: HttpRequest) -> str:
    """The request's id: the caller's own if it is plain, else a new one. Kept as `request.request_id`."""
    given = str(request.META.get("HTTP_X_REQUEST_ID", ""))
    request_id = given if _FORM.fullmatch(given) else uuid.uuid4().hex
    request.request_id = request_id  # type: ignore[attr-defined] # a request takes attributes
    return request_id


def finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    page = response.get("Content-Type", "").startswith("text/html")
    if response.status_code >= 400 and page and request.path.startswith(PREFIX) and not response.streaming:
        response = _in_json(response)
    response[HEADER] = request.request_id  # type: ignore[attr-defined] # set by `identify`
    return response


def _in_json(page: HttpResponseBase) -> HttpResponse:
    error = _KINDS.get(page.status_code, InternalError if page.status_code >= 500 else errors.BadInput)(
        _SAID.get(page.status_code, "expected a request that makes sense, got another")
    )
    kept = {name: page[name] for name in ("Allow", "Retry-After", "WWW-Authenticate") if name in page}
    return JsonResponse(
        body_of(error, now=timezone.now()), status=page.status_code, headers={**headers_of(error), **kept}
    )


_KINDS: dict[int, type[errors.TaskhubError]] = {
    kind.status: kind
    for kind in (
        errors.NotSignedIn,
        errors.Forbidden,
        errors.NotFound,
        errors.TooLarge,
        errors.TooMany,
        errors.Unavailable,
    )
}
_SAID = {
    401: "expected a signed-in user or a token, got neither",
    403: "expected the right to do this, got a caller without it",
    404: "path: expected an address of the API, got another",
    413: "body: expected a smaller one, got too many bytes",
    500: "expected to answer, got an error of the server; its log has the details",
    503: "expected to answer, got too much to do",
}
