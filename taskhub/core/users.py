"""People and what they may do: making, changing and switching off accounts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from . import audit
from .audit import Actor
from .errors import BadInput, Conflict, NotFound
from .roles import ROLES, SYSTEM_ADMIN, role_of

FIELDS = ("username", "first_name", "last_name", "email", "is_active")


def create(values: Mapping[str, Any], *, role: str | None, password: str, by: Actor, now: datetime) -> User:
    """A new account with a role.

    Raises:
        BadInput, Conflict: naming the field; nothing was stored.
    """
    user = User(**_known(values))
    _check(user, role)
    _check_password(password, user)
    user.set_password(password)
    with transaction.atomic():
        user.save()
        _set_role(user, role)
        audit.record(
            actor=by,
            action="user.create",
            object_type="user",
            object_id=str(user.pk),
            now=now,
            after=_told(user, role),
        )
    return user


def change(
    user_id: int, values: Mapping[str, Any], *, role: str | None, password: str = "", by: Actor, now: datetime
) -> User:
    """Change an account; a blank password stays as it is.

    A superuser is a system_admin whatever his groups say, and stays one. The last active
    system_admin can neither be switched off nor lose the role: nobody could give it back.

    Raises:
        NotFound, BadInput, Conflict: nothing was changed.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise NotFound(f"id: expected the id of a user, got {user_id}")
        before = _told(user, role_of_account(user))
        was_admin = user.is_active and before["role"] == SYSTEM_ADMIN
        for name, value in _known(values).items():
            setattr(user, name, value)
        _check(user, role)
        if password:
            _check_password(password, user)
            user.set_password(password)
        user.save(update_fields=[*FIELDS, "password"])
        _set_role(user, role)
        still_admin = user.is_active and (user.is_superuser or role == SYSTEM_ADMIN)
        if was_admin and not still_admin and not _other_admins(user):
            raise Conflict(
                "role: expected one active system_admin to remain, this is the last",
                fields={"role": "this is the last active system_admin"},
            )
        after = _told(user, SYSTEM_ADMIN if user.is_superuser else role)
        if after != before or password:
            audit.record(
                actor=by,
                action="user.change",
                object_type="user",
                object_id=str(user.pk),
                now=now,
                before=before,
                after=after,
                message="with a new password" if password else "",
            )
    return user


def role_of_account(user: User) -> str | None:
    """The role an account has by its rows, active or not."""
    if user.is_superuser:
        return SYSTEM_ADMIN
    names = set(user.groups.filter(name__in=ROLES).values_list("name", flat=True))
    return next((role for role in reversed(ROLES) if role in names), None)


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in FIELDS if name in values}


def _check(user: User, role: str | None) -> None:
    if role is not None and role not in ROLES:
        raise BadInput(
            f"role: expected one of {', '.join(ROLES)} or none, got {role!r:.80}",
            fields={"role": "no such role"},
        )
    try:
        user.clean_fields(exclude=["password", "last_login", "date_joined"])
    except ValidationError as exc:
        fields = {name: " ".join(texts) for name, texts in exc.message_dict.items()}
        name, text = next(iter(fields.items()))
        raise BadInput(f"{name}: {text}", fields=fields) from exc
    if User.objects.filter(username__iexact=user.username).exclude(pk=user.pk).exists():
        raise Conflict(
            f"username: expected a name not in use, got {user.username!r}", fields={"username": "is in use"}
        )


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as exc:
        text = " ".join(exc.messages)
        raise BadInput(f"password: {text}", fields={"password": text}) from exc


def _set_role(user: User, role: str | None) -> None:
    user.groups.remove(*Group.objects.filter(name__in=[name for name in ROLES if name != role]))
    if role is not None:
        user.groups.add(Group.objects.get_or_create(name=role)[0])


def _other_admins(user: User) -> bool:
    others = User.objects.filter(is_active=True).exclude(pk=user.pk).prefetch_related("groups")
    return any(role_of(other) == SYSTEM_ADMIN for other in others)


def _told(user: User, role: str | None) -> dict[str, Any]:
    return {**{name: getattr(user, name) for name in FIELDS}, "role": role}
