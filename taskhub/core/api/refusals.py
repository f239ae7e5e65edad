"""Every error as the one body: `success, error, code, fields, timestamp`.

`exception_handler` is for REST views, `error_response` for whatever answers without them
(middleware, streams, unknown addresses).
"""

import errno
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import django.core.exceptions as django_errors
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils import timezone
from rest_framework import exceptions as rest
from rest_framework.response import Response
from rest_framework.views import set_rollback

from taskhub.core.errors import BadInput, Conflict, Forbidden, NoSpace, NotFound, TaskhubError, TooLarge
from taskhub.core.errors import NotSignedIn as NotSignedInError
from taskhub.core.errors import Unavailable as UnavailableError

from .authentication import REALM

log = logging.getLogger("taskhub.api")

# Seconds after which a new try makes sense, where the error names none.
RETRY_AFTER = {429: 1, 503: 2, 507: 60}
_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("disk is full", "no space left", "could not extend file", "disk full")


class InternalError(TaskhubError):
    """A fault of ours; the log has the traceback."""

    code = "internal_error"
    status = 500


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """What a REST view answers when this was raised in it."""
    error = as_taskhub_error(exc)
    request = context.get("request")
    # Who lacks the CSRF token counts as nobody from then on, and has to be told that all the same.
    unknown = error.status == 403 and error.code != "csrf_failed"
    if unknown and request is not None and not _signed_in(request):
        error = NotSignedInError("expected a signed-in user or a token, got neither")
    if isinstance(error, InternalError):
        _report(exc, getattr(request, "_request", request))
    set_rollback()
    headers = headers_of(error)
    if isinstance(exc, rest.MethodNotAllowed) and (view := context.get("view")) is not None:
        headers["Allow"] = ", ".join(view.allowed_methods)
    return Response(body_of(error, now=timezone.now()), status=error.status, headers=headers)


def error_response(exc: Exception, request: HttpRequest | None = None) -> JsonResponse:
    """The same answer outside of REST views."""
    error = as_taskhub_error(exc)
    if isinstance(error, InternalError):
        _report(exc, request)
    return JsonResponse(body_of(error, now=timezone.now()), status=error.status, headers=headers_of(error))


def body_of(error: TaskhubError, *, now: datetime) -> dict[str, Any]:
    return {
        "success": False,
        "error": str(error),
        "code": error.code,
        "fields": error.fields,
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def headers_of(error: TaskhubError) -> dict[str, str]:
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = REALM
    retry_after = error.retry_after or RETRY_AFTER.get(error.status)
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    return headers


def as_taskhub_error(exc: BaseException) -> TaskhubError:
    """Whatever was raised, as an error with code, status and fields."""
    if isinstance(exc, TaskhubError):
        return exc
    if isinstance(exc, rest.APIException):
        return _of_rest(exc)
    if isinstance(exc, OperationalError | InterfaceError | OSError):
        return _of_system(exc)
    return _of_django(exc)


def _of_rest(exc: rest.APIException) -> TaskhubError:
    if isinstance(exc, rest.ValidationError):
        return of_fields(exc.detail)
    detail = str(exc.detail)
    if isinstance(exc, rest.NotAuthenticated):
        return NotSignedInError("expected a signed-in user or a token, got neither")
    if isinstance(exc, rest.PermissionDenied) and detail.startswith("CSRF"):
        return _named(
            "csrf_failed",
            403,
            f"X-CSRFToken: expected the token of this session, got none that fits ({detail})",
        )
    code = str(exc.default_code if exc.default_code != "error" else "error")
    code = {
        "parse_error": "bad_input",
        "authentication_failed": "not_signed_in",
        "permission_denied": "forbidden",
        "unsupported_media_type": "unsupported_media_type",
        "throttled": "too_many",
    }.get(code, code)
    message = {
        "forbidden": "expected the right to do this, got a caller without it",
        "not_found": "expected an object that exists, got an unknown one",
    }.get(code, detail)
    error = _named(code, exc.status_code, message)
    wait = getattr(exc, "wait", None)
    error.retry_after = None if wait is None else max(1, int(wait + 0.999))
    return error


def of_fields(detail: Any) -> BadInput:
    """The errors of a serializer, nested ones with dotted names."""
    fields: dict[str, str] = {}
    _flatten(detail, "", fields)
    first = next(iter(fields.items()), ("body", "expected other input"))
    return BadInput(
        ": ".join(filter(None, first)), fields={name or "body": text for name, text in fields.items()}
    )


def _flatten(detail: Any, name: str, into: dict[str, str]) -> None:
    if isinstance(detail, Mapping):
        for key, each in detail.items():
            part = "" if key in ("non_field_errors", "__all__") else str(key)
            _flatten(each, ".".join(filter(None, (name, part))), into)
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        if all(isinstance(each, str) for each in detail):
            into[name] = " ".join(str(each) for each in detail)
        else:
            for index, each in enumerate(detail):
                if each:
                    _flatten(each, f"{name}[{index}]", into)
    else:
        into[name] = str(detail)


def _of_system(exc: Exception) -> TaskhubError:
    """The database or the disk; what it says itself may name files and stays in the log."""
    text = str(exc).lower()
    full = getattr(exc, "errno", None) in _FULL_ERRNOS or getattr(exc.__cause__, "sqlstate", "") == "53100"
    if full or any(words in text for words in _FULL_WORDS):
        log.error("no space left: %s", exc)
        return NoSpace("expected room on the disk, got none left")
    if isinstance(exc, UnreadablePostError):
        return BadInput("body: expected all of it, got a connection that broke off")
    if isinstance(exc, OSError):
        return InternalError("expected to answer, got an error of the server; its log has the details")
    log.warning("the database did not answer: %s", exc)
    return UnavailableError("expected the database to answer, got none in time")


def _of_django(exc: BaseException) -> TaskhubError:
    if isinstance(exc, Http404 | django_errors.ObjectDoesNotExist):
        return NotFound("expected an object that exists, got an unknown one")
    if isinstance(exc, django_errors.PermissionDenied):
        return Forbidden("expected the right to do this, got a caller without it")
    if isinstance(exc, django_errors.ValidationError):
        return of_fields(exc.message_dict if hasattr(exc, "error_dict") else exc.messages)
    if isinstance(exc, django_errors.RequestDataTooBig):
        return TooLarge("body: expected a smaller one, got too many bytes")
    if isinstance(exc, django_errors.SuspiciousOperation | django_errors.BadRequest | MultiPartParserError):
        return BadInput("request: expected one that makes sense, got " + type(exc).__name__)
    if isinstance(exc, IntegrityError):
        log.warning("refused by a constraint: %s", exc)
        return Conflict("expected values that agree with what is stored, got some that clash")
    if _is_bad_value(exc):
        log.warning("a value came as far as the database: %s", type(exc).__name__)
        return BadInput("expected values that can be stored, got one that cannot")
    return InternalError("expected to answer, got an error of the server; its log has the details")


def _is_bad_value(exc: BaseException) -> bool:
    """Values that no check stopped: too large a number, a lone surrogate, a NUL."""
    if isinstance(exc, DataError | UnicodeEncodeError):
        return True
    text = str(exc)
    return (isinstance(exc, OverflowError) and "too large to convert" in text) or (
        isinstance(exc, ValueError) and ("NUL" in text or "null byte" in text or "null character" in text)
    )


def _named(code: str, status: int, message: str) -> TaskhubError:
    error = TaskhubError(message)
    error.code, error.status = code, status
    return error


def _signed_in(request: Any) -> bool:
    try:
        return bool(request.user.is_authenticated)
    except Exception:  # looking the caller up may be what failed
        return True


def _report(exc: BaseException, request: HttpRequest | None) -> None:
    """Log the traceback, and tell whoever watches for faults (the test client raises them)."""
    path = getattr(request, "path", "")
    log.error("fault in %s", path, exc_info=(type(exc), exc, exc.__traceback__))
    got_request_exception.send(sender=None, request=request)
