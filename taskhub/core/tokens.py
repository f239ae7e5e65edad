"""Bearer tokens: made once, shown once, kept as a digest."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Q

from . import audit
from .audit import SYSTEM, Actor
from .errors import BadInput
from .guards.json import check_text
from .models import ApiToken
from .roles import ROLES

LONGEST_DAYS = 3650
# Knowing when a token was last used is worth a write now and then, not one at each request.
USE_NOTED_EVERY = timedelta(minutes=10)

_PREFIX = "th_"
_PREFIX_LENGTH = 11
_FORM = re.compile(r"th_[A-Za-z0-9_-]{43}")


def create(
    user: User, *, name: str, days: int | None = None, scope: str = "", by: Actor = SYSTEM, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token; its text is known here and never again.

    Args:
        name: what it is for, 1 to 100 characters.
        days: it ends after that many; None: never.
        scope: a role that bounds what it may do; blank: all that its user may.

    Raises:
        BadInput: naming the field.
    """
    checked = check_text(name, "name", max_length=100, blank=False).strip()
    if days is not None and not (isinstance(days, int) and 1 <= days <= LONGEST_DAYS):
        raise BadInput(
            f"days: expected 1 to {LONGEST_DAYS}, got {days!r:.40}",
            fields={"days": f"expected 1 to {LONGEST_DAYS}"},
        )
    if scope and scope not in ROLES:
        expected = f"expected one of {', '.join(ROLES)}, or none"
        raise BadInput(f"scope: {expected}, got {scope!r:.80}", fields={"scope": expected})
    text = _PREFIX + secrets.token_urlsafe(32)
    expires_at = None if days is None else now + timedelta(days=days)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=checked,
            prefix=text[:_PREFIX_LENGTH],
            digest=_digest(text),
            scope=scope,
            expires_at=expires_at,
        )
        audit.record(
            actor=by,
            action="token.create",
            object_type="token",
            object_id=str(token.pk),
            after={
                "user": user.get_username(),
                "name": checked,
                "scope": scope,
                "expires_at": expires_at and expires_at.isoformat(),
            },
            now=now,
        )
    return token, text


def revoke(token: ApiToken, *, by: Actor, now: datetime) -> bool:
    """End a token at once; False if it had been revoked before."""
    with transaction.atomic():
        moved = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
        if moved:
            audit.record(
                actor=by,
                action="token.revoke",
                object_type="token",
                object_id=str(token.pk),
                after={"user": token.user.get_username(), "name": token.name},
                now=now,
            )
    return moved == 1


def authenticate(text: str, *, now: datetime) -> ApiToken | None:
    """The token with this text, if it still holds and its user may still sign in; its user comes with it."""
    if not _FORM.fullmatch(text):
        return None
    # Found by digest, so the time a lookup takes tells nothing about the text of another token.
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=_digest(text), revoked_at__isnull=True, user__is_active=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .first()
    )
    if token is not None and (token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY):
        _note_use(token, now)
    return token


def _note_use(token: ApiToken, now: datetime) -> None:
    try:
        with transaction.atomic():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    except DatabaseError:
        # A full or busy database must not keep anybody from reading.
        return
    token.last_used_at = now


def _digest(text: str) -> str:
    # 256 random bits cannot be guessed, so a fast digest is enough.
    return hashlib.sha256(text.encode()).hexdigest()
