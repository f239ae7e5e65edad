"""The engines of this Taskhub."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app.models import Engine
from taskhub.core.api.endpoint import Endpoint, number
from taskhub.core.api.pages import Pages
from taskhub.core.api.queries import OneOf, Query
from taskhub.core.errors import NotFound


class EngineQuery(Query):
    """Filters of the list of engines."""

    state = OneOf(Engine.State.values)


class EngineShape(serializers.Serializer[Engine]):
    """A process that decides due times, claims jobs and owns runspaces."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Engine.State.choices)
    host = serializers.CharField()
    pid = serializers.IntegerField()
    version = serializers.CharField()
    started_at = serializers.DateTimeField()
    beat_at = serializers.DateTimeField(help_text="When it last said that it lives.")
    stopped_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(
        allow_null=True, help_text="When its jobs were settled after its death."
    )


class EnginesView(Endpoint):
    """All engines."""

    tag = "engines"
    rights = {"GET": "engine.view"}
    queries = {"get": EngineQuery}
    pagination_class = Pages

    @extend_schema(responses=EngineShape(many=True))
    def get(self, request: Request) -> Response:
        """List engines, the newest first; ended ones too."""
        return self.page(Engine.objects.filter(**self.query).order_by("-id"), EngineShape)


class EngineView(Endpoint):
    """One engine."""

    tag = "engines"
    rights = {"GET": "engine.view"}
    path_parameters = {"id": "Number of the engine."}

    @extend_schema(responses=EngineShape)
    def get(self, request: Request, id: str) -> Response:
        """Read an engine."""
        key = number(id)
        row = None if key is None else Engine.objects.filter(pk=key).first()
        if row is None:
            raise NotFound(f"id: expected the number of an engine, got {id[:80]!r}")
        return Response(EngineShape(row).data)
