"""Whom runspaces serve, in words: the app or the user whose jobs share one."""

from collections.abc import Iterable

from django.contrib.auth import get_user_model

from runspaces_app.models import Runspace

_APP, _OWNER = "app:", "owner:"


def words(runspaces: Iterable[Runspace]) -> dict[int, str]:
    """Those that serve somebody, by key. One statement at most, however many users there are."""
    serving = {row.pk: row.affinity for row in runspaces if row.affinity}
    owners = {key for each in serving.values() if (key := _owner(each)) is not None}
    users = get_user_model().objects.filter(pk__in=owners)
    names = dict(users.values_list("pk", "username")) if owners else {}
    return {key: _said(affinity, names) for key, affinity in serving.items()}


def _owner(affinity: str) -> int | None:
    key = affinity.removeprefix(_OWNER)
    return int(key) if affinity.startswith(_OWNER) and key.isdecimal() else None


def _said(affinity: str, names: dict[int, str]) -> str:
    if affinity.startswith(_APP):
        app = affinity.removeprefix(_APP)
        return f"the app {app}" if app else "the data folder"
    if affinity == _OWNER:
        return "jobs without an owner"
    owner = _owner(affinity)
    if owner is None:
        return affinity
    return names.get(owner) or f"user {owner}, who was removed"
