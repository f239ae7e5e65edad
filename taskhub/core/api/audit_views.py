"""The audit: who did what."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.errors import NotFound
from taskhub.core.models import AuditEntry

from .endpoint import Endpoint, number
from .pages import Pages
from .queries import OneOf, Query, TextFilter, TimeFilter


class AuditQuery(Query):
    """Filters of the audit; all that are given must hold."""

    actor = TextFilter(max_length=150, help_text="User name, or engine or system.")
    action = TextFilter(max_length=64, help_text="<object>.<verb>, or <object>. for all verbs.")
    object_type = TextFilter(max_length=32)
    object_id = TextFilter(max_length=128)
    result = OneOf(["ok", "refused", "failed"])
    after = TimeFilter(help_text="From this time on.")
    before = TimeFilter(help_text="Before this time.")


@extend_schema_field(OpenApiTypes.OBJECT)
class Values(serializers.JSONField):
    """What was so before, or is so now; secrets are masked."""


class AuditShape(serializers.Serializer[AuditEntry]):
    """One thing somebody did or tried."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    actor_id = serializers.IntegerField(allow_null=True)
    address = serializers.CharField(help_text="Where the call came from.")
    action = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    before = Values(allow_null=True)
    after = Values(allow_null=True)
    result = serializers.CharField(help_text="ok, refused or failed.")
    message = serializers.CharField()


class AuditView(Endpoint):
    """All entries."""

    tag = "audit"
    rights = {"GET": "audit.view"}
    queries = {"get": AuditQuery}
    pagination_class = Pages

    @extend_schema(responses=AuditShape(many=True))
    def get(self, request: Request) -> Response:
        """List the audit, the newest entry first."""
        query: dict[str, Any] = dict(self.query)
        entries = AuditEntry.objects.order_by("-id")
        if "after" in query:
            entries = entries.filter(at__gte=query.pop("after"))
        if "before" in query:
            entries = entries.filter(at__lt=query.pop("before"))
        if query.get("action", "").endswith("."):
            entries = entries.filter(action__startswith=query.pop("action"))
        return self.page(entries.filter(**query), AuditShape)


class AuditEntryView(Endpoint):
    """One entry."""

    tag = "audit"
    rights = {"GET": "audit.view"}
    path_parameters = {"id": "Number of the entry."}

    @extend_schema(responses=AuditShape)
    def get(self, request: Request, id: str) -> Response:
        """Read an entry of the audit."""
        key = number(id)
        row = None if key is None else AuditEntry.objects.filter(pk=key).first()
        if row is None:
            raise NotFound(f"id: expected the number of an entry, got {id[:80]!r}")
        return Response(AuditShape(row).data)
