"""Bearer tokens: everybody's own, and for a system_admin those of others."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core import tokens
from taskhub.core.errors import BadInput, Forbidden, NotFound
from taskhub.core.models import ApiToken
from taskhub.core.roles import ROLES

from .endpoint import Endpoint, number
from .fields import StrictSerializer, Text, Whole
from .pages import Pages
from .queries import Query, TextFilter
from .rights import SIGNED_IN, token_of


class TokenQuery(Query):
    """Whose tokens."""

    user = TextFilter(max_length=150, help_text="User name, or `*` for all; for a system_admin.")


class NewToken(StrictSerializer):
    """A token to be made."""

    name = Text(max_length=100, help_text="What it is for.")
    days = Whole(required=False, allow_null=True, min_value=1, max_value=tokens.LONGEST_DAYS,
                 help_text="It ends after so many; null: never.")  # fmt: skip
    scope = Text(required=False, allow_blank=True, help_text=f"A role that bounds it: {', '.join(ROLES)}.")
    user = Text(required=False, max_length=150, help_text="For somebody else; for a system_admin.")


class TokenShape(serializers.Serializer[ApiToken]):
    """A token without its text, which nobody knows any more."""

    id = serializers.IntegerField()
    user = serializers.CharField(source="user_name")
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How it begins.")
    scope = serializers.CharField(help_text="Blank: all that its user may do.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To about ten minutes.")
    revoked_at = serializers.DateTimeField(allow_null=True)


class MadeToken(TokenShape):
    """A token with its text, for this once."""

    token = serializers.CharField(help_text="Shown now and never again.")


class TokenEndpoint(Endpoint):
    """An address below the tokens."""

    tag = "tokens"
    path_parameters = {"id": "Number of the token."}

    def visible(self) -> "QuerySet[ApiToken]":
        """The tokens the caller may know of."""
        rows = ApiToken.objects.annotate(user_name=F("user__username")).order_by("-id")
        return rows if self.may("token.manage") else rows.filter(user=self.request.user.pk)

    def found(self, id: str) -> ApiToken:
        """The token of the path.

        Raises:
            NotFound
        """
        key = number(id)
        row = None if key is None else self.visible().filter(pk=key).first()
        if row is None:
            raise NotFound(f"id: expected the number of a token, got {id[:80]!r}")
        return row


class TokensView(TokenEndpoint):
    """Tokens."""

    rights = {"GET": SIGNED_IN, "POST": SIGNED_IN}
    queries = {"get": TokenQuery}
    path_parameters = {}
    pagination_class = Pages

    @extend_schema(responses=TokenShape(many=True))
    def get(self, request: Request) -> Response:
        """List tokens.

        One's own; a system_admin names somebody else, or `*` for all.
        """
        whose = self.query.get("user", request.user.get_username())
        if whose != request.user.get_username():
            self.require("token.manage")
        rows = self.visible()
        return self.page(rows if whose == "*" else rows.filter(user__username=whose), TokenShape)

    @extend_schema(request=NewToken, responses={201: MadeToken})
    def post(self, request: Request) -> Response:
        """Create a token.

        Its text is in this answer and nowhere else. A call that comes with a bounded token makes no
        token that may do more.
        """
        given = self.body(NewToken)
        user = self._user(given.pop("user", None))
        scope = given.get("scope", "")
        _check_scope(scope, token_of(request))
        made, text = tokens.create(user, **given, by=self.actor, now=self.now)
        return Response({**TokenShape(self.found(str(made.pk))).data, "token": text}, status=201)

    def _user(self, name: str | None) -> User:
        if name is None or name == self.request.user.get_username():
            return self.caller
        self.require("token.manage")
        user = User.objects.filter(username=name).first()
        if user is None:
            raise BadInput(
                f"user: expected the name of a user, got {name[:80]!r}", fields={"user": "no such user"}
            )
        return user


class TokenView(TokenEndpoint):
    """One token."""

    rights = {"GET": SIGNED_IN, "DELETE": SIGNED_IN}

    @extend_schema(responses=TokenShape)
    def get(self, request: Request, id: str) -> Response:
        """Read a token."""
        return Response(TokenShape(self.found(id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Revoke a token.

        At once and for ever; a second time changes nothing.
        """
        tokens.revoke(self.found(id), by=self.actor, now=self.now)
        return Response(status=204)


def _check_scope(scope: str, bound: Any) -> None:
    """A token must not be a way round the bounds of the one it was made with."""
    limit = getattr(bound, "scope", "")
    if limit and (scope not in ROLES or ROLES.index(scope) > ROLES.index(limit)):
        raise Forbidden(f"scope: expected at most {limit}, as the token of this call, got {scope or 'none'}")
