"""Pages of lists: exact counts, a stable order, and no walk past wide rows to get to a deep one."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from taskhub.core.errors import BadInput

DEFAULT_LIMIT = 50
MOST = 500
DEEPEST = 10**9
# From here on it is worth knowing the count first: the page may be nearer to the other end.
_DEEP = 1_000

PARAMETERS = ("limit", "offset")


class Pages(BasePagination):
    """`?limit=&offset=` over a queryset that is ordered by its primary key, or an index that ends with it.

    Keys are found first, by an index alone; only the rows of the page are read in full. Behind the
    middle of a long list the keys are looked for from its end.
    """

    # What else a page needs of its rows: joined names, fewer columns. Not asked for to find and count them.
    complete: Callable[["QuerySet[Any]"], "QuerySet[Any]"] | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self._request = request
        self.limit = _whole(request, "limit", DEFAULT_LIMIT, least=1, most=MOST)
        self.offset = _whole(request, "offset", 0, least=0, most=DEEPEST)
        if self.offset < _DEEP:
            keys = _keys(queryset, self.offset, self.offset + self.limit + 1)
            ends_here = len(keys) <= self.limit and (bool(keys) or self.offset == 0)
            self.count = self.offset + len(keys) if ends_here else _count(queryset)
        else:
            self.count = _count(queryset)
            keys = self._deep_keys(queryset)
        keys = keys[: self.limit]
        if not keys:
            return []
        rows = queryset.order_by().filter(pk__in=keys)
        found = {row.pk: row for row in (self.complete(rows) if self.complete else rows)}
        # A row removed between the two queries is left out.
        return [found[key] for key in keys if key in found]

    def _deep_keys(self, queryset: "QuerySet[Any]") -> list[Any]:
        stop = min(self.offset + self.limit, self.count)
        if self.offset >= stop:
            return []
        if self.offset <= self.count // 2:
            return _keys(queryset, self.offset, stop)
        return _keys(queryset.reverse(), self.count - stop, self.count - self.offset)[::-1]

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": self.count,
                "next": self._link(self.offset + self.limit)
                if self.offset + self.limit < self.count
                else None,
                "previous": self._link(max(0, self.offset - self.limit)) if self.offset else None,
                "results": data,
            }
        )

    def _link(self, offset: int) -> str:
        url = replace_query_param(self._request.build_absolute_uri(), "limit", self.limit)
        if offset == 0:
            return remove_query_param(url, "offset")
        return replace_query_param(url, "offset", offset)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "All rows that the filters let through."},
                "next": {**link, "description": "Address of the next page."},
                "previous": {**link, "description": "Address of the page before."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "limit", "in": "query", "required": False, "description": "Rows of a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
            },
            {
                "name": "offset", "in": "query", "required": False, "description": "Rows to pass over.",
                "schema": {"type": "integer", "minimum": 0, "maximum": DEEPEST, "default": 0},
            },
        ]  # fmt: skip


class OnePage(Pages):
    """The same envelope around what is no queryset, and short."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self._request = request
        self.limit = _whole(request, "limit", MOST, least=1, most=MOST)
        self.offset = _whole(request, "offset", 0, least=0, most=DEEPEST)
        rows = list(queryset)
        self.count = len(rows)
        return rows[self.offset : self.offset + self.limit]


def _keys(queryset: "QuerySet[Any]", start: int, stop: int) -> list[Any]:
    return list(queryset.values_list("pk", flat=True)[start:stop])


def _count(queryset: "QuerySet[Any]") -> int:
    return int(queryset.order_by().values("pk").count())


def _whole(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    given = request.query_params.getlist(name)
    if not given or given == [""]:
        return default
    text = given[0]
    number = int(text) if len(given) == 1 and text.isascii() and text.isdigit() and len(text) <= 20 else -1
    if not least <= number <= most:
        expected = f"expected a whole number from {least} to {most}"
        raise BadInput(f"{name}: {expected}, got {', '.join(given)[:80]!r}", fields={name: expected})
    return number
