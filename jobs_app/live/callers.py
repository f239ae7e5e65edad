"""Whose socket it is, asked anew as long as it is open."""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.http import HttpRequest
from django.utils.module_loading import import_string

from .topics import Rights, rights_of


async def rights_now(session_key: str | None) -> Rights | None:
    """What the session's user may see by now; None if nobody is signed in with it any more.

    Signed out, expired, deactivated, another password: all of them end a session for us.
    """
    # In a thread of a pool: one shared by all sockets would make them wait for each other.
    return await sync_to_async(_rights, thread_sensitive=False)(session_key) if session_key else None


def _rights(session_key: str) -> Rights | None:
    request = HttpRequest()
    store: Any = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    request.session = store(session_key)
    try:
        user = get_user(request)
        return rights_of(user) if user.is_authenticated and user.is_active else None
    finally:
        # The pool's threads stay, and each would keep one.
        connection.close()
