"""`token`: bearer tokens for programs that use the API."""

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from taskhub.core import tokens
from taskhub.core.audit import SYSTEM
from taskhub.core.errors import TaskhubError
from taskhub.core.models import ApiToken
from taskhub.core.roles import ROLES


class Command(BaseCommand):
    help = "Make, list and revoke API tokens."
    # They would import every page and endpoint, which takes longer than the work.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="create|list|revoke")
        create = verbs.add_parser(
            "create", help="make a token; the last word printed is its text, shown once"
        )
        create.add_argument("user", help="whose token it is")
        create.add_argument("--name", default="command line", help="what it is for")
        create.add_argument("--days", type=int, help="it ends after that many days (default: never)")
        create.add_argument("--scope", default="", help=f"a role that bounds it: {', '.join(ROLES)}")
        shown = verbs.add_parser("list", help="show tokens, without their texts")
        shown.add_argument("user", nargs="?", help="only those of this user")
        revoke = verbs.add_parser("revoke", help="end a token at once")
        revoke.add_argument("id", type=int, help="as `token list` shows it")
        for verb in (create, shown, revoke):
            verb.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        act = {"create": self._create, "list": self._list, "revoke": self._revoke}[verb]
        try:
            act(timezone.now(), options)
        except TaskhubError as exc:
            raise CommandError(str(exc)) from exc

    def _create(self, now: datetime, options: dict[str, Any]) -> None:
        user = _user(options["user"])
        if not user.is_active:
            raise CommandError(
                f"USER: expected one who may sign in, got {user.get_username()}, who is switched off"
            )
        token, text = tokens.create(
            user, name=options["name"], days=options["days"], scope=options["scope"], by=SYSTEM, now=now
        )
        if options["json"]:
            self._print({**_shown(token), "token": text})
            return
        until = f" until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else ""
        self.stdout.write(f"Token {token.pk} of {user.get_username()}{until}; it is shown only now: {text}")

    def _list(self, now: datetime, options: dict[str, Any]) -> None:
        rows = ApiToken.objects.select_related("user").order_by("pk")
        if options["user"]:
            rows = rows.filter(user=_user(options["user"]))
        if options["json"]:
            self._print([_shown(token) for token in rows])
            return
        for token in rows:
            state = "revoked" if token.revoked_at else "ended" if _ended(token, now) else "holds"
            self.stdout.write(
                f"{token.pk}  {token.prefix}…  {state:8}  {token.user.get_username()}  "
                f"{token.scope or 'all'}  {token.name}"
            )

    def _revoke(self, now: datetime, options: dict[str, Any]) -> None:
        token = ApiToken.objects.select_related("user").filter(pk=options["id"]).first()
        if token is None:
            raise CommandError(f"ID: expected the id of a token, got {options['id']}")
        revoked = tokens.revoke(token, by=SYSTEM, now=now)
        if options["json"]:
            self._print({"id": token.pk, "revoked": revoked})
        else:
            self.stdout.write(
                f"Token {token.pk} " + ("is revoked." if revoked else "had been revoked before.")
            )

    def _print(self, value: Any) -> None:
        self.stdout.write(json.dumps(value))


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"USER: expected the name of a user, got {name!r}")
    return user


def _ended(token: ApiToken, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= now


def _shown(token: ApiToken) -> dict[str, Any]:
    def moment(value: datetime | None) -> str | None:
        return None if value is None else value.isoformat().replace("+00:00", "Z")

    return {
        "id": token.pk,
        "user": token.user.get_username(),
        "name": token.name,
        "prefix": token.prefix,
        "scope": token.scope,
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "last_used_at": moment(token.last_used_at),
        "revoked_at": moment(token.revoked_at),
    }
