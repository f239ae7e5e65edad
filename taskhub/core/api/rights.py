"""Whether the caller may: each endpoint names its action of the one permission table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from taskhub.core import permissions
from taskhub.core.errors import NotSignedIn
from taskhub.core.models import ApiToken

if TYPE_CHECKING:
    # Imported while its own class body reads the settings, which name this module.
    from rest_framework.views import APIView

# Instead of an action: whoever is signed in; the rows he gets are chosen by the view.
SIGNED_IN = "signed-in"


def token_of(request: Request) -> ApiToken | None:
    """The token a request came with; None for a session."""
    return request.auth if isinstance(request.auth, ApiToken) else None


def may(request: Request, action: str) -> bool:
    """Whether user and token of this request cover an action of the table."""
    return permissions.allows(request.user, action, token=token_of(request))


def require(request: Request, action: str) -> None:
    """Raises NotSignedIn or Forbidden if they do not."""
    permissions.require(request.user, action, token=token_of(request))


class TableRights(BasePermission):
    """Asks the table for what the view's `right` or `rights` name.

    `right = "pool.view"` counts for every verb; `rights = {"GET": "job.view", "cancel": "job.stop"}`
    names it by the view set's action or else by the verb. HEAD is read as GET. A view that names
    nothing for what is asked of it is closed to everybody: a forgotten line must not open it.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method == "OPTIONS":
            action: str | None = SIGNED_IN
        else:
            action = _action(view, str(request.method))
        if not request.user or not request.user.is_authenticated:
            raise NotSignedIn("expected a signed-in user or a token, got neither")
        if action is None:
            return False
        if action != SIGNED_IN:
            require(request, action)
        return True


def _action(view: "APIView", method: str) -> str | None:
    rights: Mapping[str, str] = getattr(view, "rights", {})
    verb = "GET" if method == "HEAD" else method
    for name in (getattr(view, "action", None), verb):
        if name and name in rights:
            return rights[name]
    named: Any = getattr(view, "right", None)
    return str(named) if named else None
