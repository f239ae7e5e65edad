"""Small endpoints that the tests of the shared REST parts call."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from taskhub.core import audit
from taskhub.core.api.authentication import AUTHENTICATION
from taskhub.core.api.bodies import StrictJSON
from taskhub.core.api.idempotency import once
from taskhub.core.api.refusals import error_response, exception_handler
from taskhub.core.api.rights import SIGNED_IN, TableRights
from taskhub.core.models import AuditEntry


class Probe(APIView):
    authentication_classes = AUTHENTICATION
    permission_classes = (TableRights,)
    parser_classes: Any = (StrictJSON,)
    rights: ClassVar[dict[str, str]] = {}

    def get_exception_handler(self) -> Callable[..., Any]:
        return exception_handler


class Echo(Probe):
    rights: ClassVar[dict[str, str]] = {"GET": "job.view", "POST": SIGNED_IN}

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username(), "token": getattr(request.auth, "name", None)})

    def post(self, request: Request) -> Response:
        return Response(request.data)


class OneRight(Probe):
    right = "pool.edit"

    def get(self, request: Request) -> Response:
        return Response("one")

    post = get


class NoRight(Probe):
    """Its author forgot to name one."""

    def get(self, request: Request) -> Response:
        return Response("open")


class Raises(Probe):
    rights: ClassVar[dict[str, str]] = {"GET": SIGNED_IN, "POST": SIGNED_IN}
    error: ClassVar[Callable[[], BaseException]]

    def get(self, request: Request) -> Response:
        raise type(self).error()

    post = get


class Once(Probe):
    """Each effect leaves an audit entry; tests replace what happens before and in it."""

    rights: ClassVar[dict[str, str]] = {"POST": SIGNED_IN, "PUT": SIGNED_IN}
    prepared: ClassVar[Callable[[], None]] = staticmethod(lambda: None)
    within: ClassVar[Callable[[], None]] = staticmethod(lambda: None)
    now: ClassVar[Any] = None

    def post(self, request: Request) -> Response:
        return once(
            request, lambda: type(self).prepared(), lambda _: self._effect(request), now=type(self).now
        )

    put = post

    def _effect(self, request: Request) -> Response:
        actor = audit.Actor.of(request)
        audit.record(
            actor=actor, action="probe.effect", object_id=str(request.data.get("id", "")), now=timezone.now()
        )
        type(self).within()
        made = AuditEntry.objects.filter(action="probe.effect").count()
        return Response(
            {"number": made, "text": "é\n"}, status=201, headers={"Location": f"/made/{made}", "X-Other": "1"}
        )


def plain(request: HttpRequest) -> HttpResponse:
    return error_response(Raises.error(), request)  # type: ignore[arg-type] # tests give it exceptions


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>no</h1>", status=int(request.GET["status"]))


urlpatterns = [
    path("api/v1/echo", Echo.as_view()),
    path("api/v1/one", OneRight.as_view()),
    path("api/v1/none", NoRight.as_view()),
    path("api/v1/raises", Raises.as_view()),
    path("api/v1/once", Once.as_view()),
    path("api/v1/" + "long/" * 60 + "once", Once.as_view()),
    path("api/v1/plain", plain),
    path("api/v1/page", page),
    path("page", page),
]
