"""The one table of who may do what. Every endpoint, page, socket topic and stream asks it."""

from typing import Any

from .errors import Forbidden, NotSignedIn
from .roles import AUTHOR, OPERATOR, ROLES, SYSTEM_ADMIN, VIEWER, role_of


def _from(lowest: str) -> frozenset[str]:
    return frozenset(ROLES[ROLES.index(lowest) :])


ACTIONS: dict[str, frozenset[str]] = {
    "job.view": _from(VIEWER),
    "job.view_code": _from(AUTHOR),
    "job.create": _from(AUTHOR),
    "job.edit": _from(OPERATOR),
    "job.start": _from(OPERATOR),
    "job.stop": _from(OPERATOR),
    "job.kill_now": _from(SYSTEM_ADMIN),
    "job.remove": _from(OPERATOR),
    "execution.view": _from(VIEWER),
    "output.view": _from(VIEWER),
    "runspace.view": _from(VIEWER),
    "runspace.diagnose": _from(SYSTEM_ADMIN),
    "runspace.close": _from(SYSTEM_ADMIN),
    "pool.view": _from(VIEWER),
    "pool.edit": _from(SYSTEM_ADMIN),
    "task.view": _from(VIEWER),
    "task.view_code": _from(AUTHOR),
    "task.run": _from(OPERATOR),
    "task.switch": _from(OPERATOR),
    "task.remove": _from(OPERATOR),
    "task.edit": _from(AUTHOR),
    "app.view": _from(VIEWER),
    "app.switch": _from(OPERATOR),
    "app.manage": _from(AUTHOR),
    "engine.view": _from(VIEWER),
    "language.view": _from(VIEWER),
    "audit.view": _from(SYSTEM_ADMIN),
    "settings.view": _from(SYSTEM_ADMIN),
    "settings.edit": _from(SYSTEM_ADMIN),
    "token.manage": _from(SYSTEM_ADMIN),
    "user.manage": _from(SYSTEM_ADMIN),
}


def allows(user: Any, action: str, *, token: Any = None) -> bool:
    """Whether the user's role covers the action, bounded by the scope of the token he came with.

    Raises:
        KeyError: there is no such action; asking for one is a fault of ours.
    """
    allowed = ACTIONS[action]
    if role_of(user) not in allowed:
        return False
    scope = getattr(token, "scope", "") or ""
    return not scope or scope in allowed


def require(user: Any, action: str, *, token: Any = None) -> None:
    """Raises NotSignedIn for the anonymous, Forbidden for who may not."""
    if allows(user, action, token=token):
        return
    if not user.is_authenticated:
        raise NotSignedIn(f"{action}: expected a signed-in user or a token, got neither")
    roles = ", ".join(role for role in ROLES if role in ACTIONS[action])
    raise Forbidden(f"{action}: expected one of the roles {roles}, got {_came_with(user, token)}")


def _came_with(user: Any, token: Any) -> str:
    scope = getattr(token, "scope", "") or ""
    role = role_of(user) or "no role"
    return f"{role} with a token for {scope}" if scope else role
