"""What a person sees when a page is missing, forbidden or broken; programs under /api/ get JSON."""

import logging
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from taskhub.admin_site import may_enter

log = logging.getLogger("taskhub.web")

_CODES = {400: "bad_input", 403: "forbidden", 404: "not_found", 500: "internal_error"}
_SENTENCES = {
    400: "The request could not be understood.",
    403: "Your role does not allow this.",
    404: "There is nothing at this address.",
    500: "Something went wrong on our side.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404)


def broken(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that is too old, or that comes from another site."""
    return _answer(
        request, 403, "The form was too old or came from elsewhere. Go back, reload the page and try again."
    )


def _answer(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    words = sentence or _SENTENCES[status]
    if request.path.startswith("/api/"):
        body = {"success": False, "error": words, "code": _CODES[status], "fields": {}, "timestamp": _now()}
        return JsonResponse(body, status=status)
    context: dict[str, Any] = {
        "status": status,
        "sentence": words,
        "title": _title(status),
        "request_id": getattr(request, "request_id", ""),
        "server_time": timezone.now(),
        "again": request.get_full_path() if status == 500 and request.method == "GET" else "",
    }
    try:
        if may_enter(request.user):
            shell = admin.site.each_context(request)
            return HttpResponse(
                render_to_string("errors/inside.html", {**shell, **context}, request), status=status
            )
    except Exception:
        # The database may be what is broken; a plain page needs none.
        log.exception("status=%s path=%s: the shell could not be drawn", status, request.path)
    return HttpResponse(render_to_string("errors/outside.html", context), status=status)


def _title(status: int) -> str:
    return {400: "Not understood", 403: "Not allowed", 404: "Not found", 500: "Broken"}[status]


def _now() -> str:
    return timezone.now().isoformat().replace("+00:00", "Z")
