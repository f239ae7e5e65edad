"""The four roles, kept as groups of the same name."""

from typing import Any

VIEWER, OPERATOR, AUTHOR, SYSTEM_ADMIN = ROLES = ("viewer", "operator", "author", "system_admin")


def create_roles() -> None:
    """Make the groups that are missing."""
    from django.contrib.auth.models import Group

    for name in ROLES:
        Group.objects.get_or_create(name=name)


def role_of(user: Any) -> str | None:
    """The strongest role of a user, None without one; a superuser is a system_admin."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return SYSTEM_ADMIN
    known = getattr(user, "_taskhub_roles", None)
    if known is None:
        known = set(user.groups.filter(name__in=ROLES).values_list("name", flat=True))
        user._taskhub_roles = known
    return next((role for role in reversed(ROLES) if role in known), None)
