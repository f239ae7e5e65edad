"""Who calls: a bearer token, or the session of a browser."""

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from taskhub.core import tokens
from taskhub.core.errors import NotSignedIn
from taskhub.core.models import ApiToken

REALM = 'Bearer realm="taskhub"'


class BadToken(NotSignedIn):
    """The token is malformed, unknown, revoked or has expired, or its user may not sign in."""

    code = "bad_token"


class BearerTokens(BaseAuthentication):
    """`Authorization: Bearer …`; `request.auth` is then the ApiToken."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        kind, _, text = str(request.META.get("HTTP_AUTHORIZATION", "")).strip().partition(" ")
        if kind.lower() != "bearer":
            return None
        token = tokens.authenticate(text.strip(), now=timezone.now())
        if token is None:
            raise BadToken("Authorization: expected a token that holds, got an unknown, ended or revoked one")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return REALM


class Sessions(SessionAuthentication):
    """The browser's session; whatever changes something needs the CSRF token too."""


AUTHENTICATION = (BearerTokens, Sessions)
