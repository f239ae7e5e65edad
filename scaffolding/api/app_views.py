"""Apps: which there are and how they stand."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from scaffolding import hosting
from taskhub.core.api.endpoint import Endpoint
from taskhub.core.api.pages import OnePage
from taskhub.core.api.queries import Query, SwitchFilter


class AppQuery(Query):
    """Filters of the list of apps."""

    enabled = SwitchFilter()


class AppShape(serializers.Serializer[Any]):
    """A folder with tasks, routes and files of its own."""

    name = serializers.CharField()
    version = serializers.CharField()
    description = serializers.CharField()
    enabled = serializers.BooleanField()
    prefix = serializers.CharField(help_text="Of the paths of its routes.")
    path = serializers.CharField(help_text="Its folder.")
    hosted = serializers.BooleanField(help_text="False: an installed Django app, switched by the settings.")
    problems = serializers.ListField(child=serializers.CharField(), help_text="What is wrong with it.")


class AppsView(Endpoint):
    """All apps."""

    tag = "apps"
    rights = {"GET": "app.view"}
    queries = {"get": AppQuery}
    pagination_class = OnePage

    @extend_schema(responses=AppShape(many=True))
    def get(self, request: Request) -> Response:
        """List apps by name."""
        found = [app for app in hosting.apps() if app.enabled == self.query.get("enabled", app.enabled)]
        return self.page(found, AppShape)


class AppView(Endpoint):
    """One app."""

    tag = "apps"
    rights = {"GET": "app.view"}
    path_parameters = {"name": "Name of the app."}

    @extend_schema(responses=AppShape)
    def get(self, request: Request, name: str) -> Response:
        """Read an app."""
        return Response(AppShape(hosting.get(name)).data)
