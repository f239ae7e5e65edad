"""The REST API: its root, its addresses, its document."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.api.documents import DocumentGenerator
from taskhub.core.api.endpoint import Endpoint, NoSuchAddress
from taskhub.core.api.refusals import error_response
from taskhub.core.api.rights import SIGNED_IN
from taskhub.core.api.routes import both
from taskhub.core.errors import NotSignedIn

_LISTS = (
    "tasks", "jobs", "executions", "runspaces", "pools", "languages", "engines", "apps", "audit", "settings",
    "tokens",
)  # fmt: skip


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    """How the document names our tokens."""

    target_class = "taskhub.core.api.authentication.BearerTokens"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    """How the document names a browser's session."""

    target_class = "taskhub.core.api.authentication.Sessions"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class RootView(Endpoint):
    """Where everything is."""

    tag = "root"
    rights = {"GET": SIGNED_IN}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """List the addresses of the API."""
        return Response({name: request.build_absolute_uri(f"/api/v1/{name}") for name in _LISTS})


class DocumentView(SpectacularAPIView):
    """The OpenAPI document."""

    generator_class = DocumentGenerator
    authentication_classes = Endpoint.authentication_classes
    permission_classes = Endpoint.permission_classes
    rights = {"GET": SIGNED_IN}

    def handle_exception(self, exc: Exception) -> Any:
        """Refusals are JSON, in whatever form the document is asked for."""
        return error_response(exc, self.request)


class DocumentationView(SpectacularSwaggerSplitView):
    """Pages that show the document and try calls; their scripts are files of ours."""

    url_name = "api-schema"
    template_name = "api_docs.html"
    authentication_classes = Endpoint.authentication_classes
    permission_classes = Endpoint.permission_classes
    rights = {"GET": SIGNED_IN}

    def handle_exception(self, exc: Exception) -> Any:
        """A person is sent to sign in and comes back; whatever else goes wrong is raised."""
        if isinstance(exc, NotSignedIn):
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)


urlpatterns: list[URLPattern | URLResolver] = [
    *both("api/v1", RootView.as_view(), "api-root"),
    path("api/v1/", include("taskhub.core.api.urls")),
    path("api/v1/", include("scaffolding.api.urls")),
    path("api/v1/", include("runspaces_app.api.urls")),
    path("api/v1/", include("tasks_app.api.urls")),
    path("api/v1/", include("jobs_app.api.urls")),
    path("api/schema/", DocumentView.as_view(), name="api-schema"),
    path("api/docs/", DocumentationView.as_view(), name="api-docs"),
    path("", include("taskhub.health")),
    path("api/", NoSuchAddress.as_view(), name="api-nothing"),
    path("api/<path:rest>", NoSuchAddress.as_view(), name="api-nowhere"),
]
