"""Whose socket it is, asked anew as long as it is open."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.module_loading import import_string

from .topics import Rights, rights_of


def rights_now(session_key: str | None) -> Rights | None:
    """What the session's user may see by now; None if nobody is signed in with it any more.

    Signed out, expired, deactivated, another password: all of them end a session for us.
    """
    if not session_key:
        return None
    request = HttpRequest()
    store: Any = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    request.session = store(session_key)
    user = get_user(request)
    if isinstance(user, AnonymousUser) or not user.is_active:
        return None
    return rights_of(user)
