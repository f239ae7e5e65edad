"""The settings people change while Taskhub runs."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core import runtime_settings
from taskhub.core.errors import NotFound

from .endpoint import Endpoint
from .fields import AnyJson, NoBody, StrictSerializer
from .idempotency import once
from .pages import OnePage


@extend_schema_field(OpenApiTypes.ANY)
class Value(AnyJson):
    """A whole number, or true or false."""


class NewValue(StrictSerializer):
    """The value it shall have."""

    value = Value()


class SettingShape(serializers.Serializer[Any]):
    """A setting, and what it would be if nobody had changed it."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # as the API names it
    help = serializers.CharField()
    unit = serializers.CharField(help_text="Blank: a plain number or a switch.")
    value = Value()
    default = Value()
    source = serializers.CharField(help_text="`default`, or `database` if somebody has changed it.")  # type: ignore[assignment] # as the API names it
    updated_by = serializers.CharField()
    updated_at = serializers.DateTimeField(allow_null=True)


class SettingEndpoint(Endpoint):
    """An address below the settings."""

    tag = "settings"
    path_parameters = {"name": "Name of the setting."}

    def shown(self, name: str) -> dict[str, Any]:
        """The setting of the path.

        Raises:
            NotFound
        """
        for setting in runtime_settings.everything():
            if setting["name"] == name:
                return dict(SettingShape(setting).data)
        raise NotFound(f"name: expected the name of a setting, got {name[:80]!r}")


class SettingsView(SettingEndpoint):
    """All settings."""

    rights = {"GET": "settings.view"}
    path_parameters = {}
    pagination_class = OnePage

    @extend_schema(responses=SettingShape(many=True))
    def get(self, request: Request) -> Response:
        """List the settings."""
        return self.page(runtime_settings.everything(), SettingShape)


class SettingView(SettingEndpoint):
    """One setting."""

    rights = {"GET": "settings.view", "PATCH": "settings.edit"}

    @extend_schema(responses=SettingShape)
    def get(self, request: Request, name: str) -> Response:
        """Read a setting."""
        return Response(self.shown(name))

    @extend_schema(request=NewValue, responses=SettingShape)
    def patch(self, request: Request, name: str) -> Response:
        """Change a setting.

        Every process follows within a second.
        """
        self.shown(name)
        runtime_settings.set_value(name, self.body(NewValue)["value"], actor=self.actor, now=self.now)
        return Response(self.shown(name))


class ResetView(SettingEndpoint):
    """Giving a setting its default back."""

    rights = {"POST": "settings.edit"}
    idempotent_methods = ("post",)

    @extend_schema(request=NoBody, responses={200: SettingShape})
    def post(self, request: Request, name: str) -> Response:
        """Give a setting its default back."""
        return once(
            request, lambda: (self.shown(name), self.body()), lambda found: self._reset(name), now=self.now
        )

    def _reset(self, name: str) -> Response:
        default = runtime_settings.DEFINITIONS[name].default
        runtime_settings.set_value(name, default, actor=self.actor, now=self.now)
        return Response(self.shown(name))
