"""The base of all REST views: who calls, what was sent, how answers are laid out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from taskhub.core.audit import Actor
from taskhub.core.errors import NotFound

from . import queries, rights
from .authentication import AUTHENTICATION
from .bodies import StrictJSON
from .documents import Document
from .fields import NoBody, StrictSerializer
from .pages import PARAMETERS, OnePage, Pages
from .queries import Query
from .refusals import exception_handler
from .rights import TableRights

NUMBERS: Final = range(1, 2**63)


class Endpoint(APIView):
    """One address of the API.

    Attributes:
        rights: the action of the permission table for each verb, or SIGNED_IN where the view decides
            by the row.
        queries: the query parameters of a verb; unknown ones are refused.
        idempotent_methods: verbs that honour `Idempotency-Key`.
        path_parameters, errors, tag: for the document.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = AUTHENTICATION
    permission_classes: Sequence[type[BasePermission]] = (TableRights,)
    parser_classes = (StrictJSON,)
    schema = Document()

    rights: Mapping[str, str] = {}
    queries: Mapping[str, type[Query]] = {}
    path_parameters: Mapping[str, str] = {}
    errors: Mapping[str, Iterable[int]] = {}
    idempotent_methods: tuple[str, ...] = ()
    tag = ""
    pagination_class: type[Pages] | None = None

    # `self.query` holds the query parameters given, read and checked.
    query: dict[str, Any]

    def get_exception_handler(self) -> Callable[..., Any]:
        return exception_handler

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if str(request.method).lower() not in (name.lower() for name in self.allowed_methods):
            # Before any question of rights: there is nothing to have a right to.
            raise MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        method = str(request.method).lower()
        form = self.queries.get("get" if method == "head" else method)
        if form is not None or method in ("get", "head"):
            also = PARAMETERS if self.pagination_class and method in ("get", "head") else ()
            self.query = queries.read(request.query_params, form or Query, also=also)

    @property
    def now(self) -> datetime:
        return timezone.now()

    @property
    def actor(self) -> Actor:
        return Actor.of(self.request)

    @property
    def caller(self) -> User:
        """The user who calls; behind the rights he is always signed in."""
        return cast(User, self.request.user)

    def may(self, action: str) -> bool:
        """Whether the caller's role and token cover an action of the table."""
        return rights.may(self.request, action)

    def require(self, action: str) -> None:
        """Raises Forbidden if they do not."""
        rights.require(self.request, action)

    def body(self, form: type[StrictSerializer] = NoBody) -> dict[str, Any]:
        """The body as `form` reads it.

        Raises:
            ValidationError: an unknown field, a missing one, or one that does not fit.
        """
        reader = form(data=self.request.data)
        reader.is_valid(raise_exception=True)
        return dict(reader.validated_data)

    def page(
        self,
        rows: Any,
        shape: type[BaseSerializer[Any]],
        *,
        complete: Callable[["QuerySet[Any]"], "QuerySet[Any]"] | None = None,
        **context: Any,
    ) -> Response:
        """One page of a queryset, or of a short list, in the envelope of all lists.

        Args:
            complete: adds to the rows of the page what finding and counting them does not need.
        """
        pages = (self.pagination_class or OnePage)()
        pages.complete = complete
        found = pages.paginate_queryset(rows, self.request, self)
        return pages.get_paginated_response(shape(found, many=True, context=context).data)


def number(text: str) -> int | None:
    """A row's key as it stands in a path; None if it cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if int(text) in NUMBERS else None


class NoSuchAddress(Endpoint):
    """Answers what no other address does."""

    undocumented = True
    permission_classes = ()
    authentication_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(f"path: expected an address of the API, got {request.path[:200]!r}")
