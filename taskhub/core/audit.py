"""Who did what: a row in the transaction of the change, and a JSON line once it is committed."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest
from rest_framework.request import Request

from .home import Home
from .masking import clean, masked
from .models import AuditEntry

__all__ = ["ENGINE", "SYSTEM", "Actor", "masked", "record"]

log = logging.getLogger("taskhub.audit")

_JSON = ("before", "after")


@dataclass(frozen=True)
class Actor:
    """Who acts: a user's name and id, or a part of Taskhub; `address` is where the call came from."""

    name: str
    user_id: int | None = None
    address: str = ""

    @classmethod
    def of(cls, request: HttpRequest | Request) -> "Actor":
        user = getattr(request, "user", None)
        address = str(request.META.get("REMOTE_ADDR") or "")
        if user is None or not user.is_authenticated:
            return cls("anonymous", None, address)
        return cls(user.get_username(), user.pk, address)


ENGINE = Actor("engine")
SYSTEM = Actor("system")


def record(
    *,
    actor: Actor,
    action: str,
    object_type: str = "",
    object_id: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    result: str = "ok",
    message: str = "",
    now: datetime,
) -> None:
    """Write one entry in the caller's transaction, with secrets in `before` and `after` masked.

    Whatever the texts hold, they are made to fit: an entry must not fail for the sake of what
    somebody typed into a form.

    Args:
        action: `<object>.<verb>`, as `job.cancel`.
        result: ok, refused or failed.
    """
    values = {
        "actor": clean(actor.name, 150),
        "actor_id": actor.user_id,
        "address": clean(actor.address, 64),
        "action": action,
        "object_type": object_type,
        "object_id": clean(object_id, 128),
        "before": masked(before),
        "after": masked(after),
        "result": result,
        "message": masked(message),
    }
    _insert(now, values)
    at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    line = json.dumps({"at": at, **values}) + "\n"
    transaction.on_commit(lambda: _append(line.encode()), robust=True)


def _insert(now: datetime, values: dict[str, Any]) -> None:
    """By hand, for every job that is made brings an entry: Django's own way costs four times as much."""
    row = {name: _as_json(value) if name in _JSON else value for name, value in values.items()}
    names = ", ".join(f'"{name}"' for name in ("at", *row))
    marks = ", ".join(["%s"] * (1 + len(row)))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{AuditEntry._meta.db_table}" ({names}) VALUES ({marks})',  # noqa: S608 - our own names
            [connection.ops.adapt_datetimefield_value(now), *row.values()],
        )


def _as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _append(line: bytes) -> None:
    try:
        descriptor = _open(Home.current().audit_log)
        try:
            # One write: lines of several processes do not mix in a file opened for appending.
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as exc:
        # The row is committed and is the truth; its copy must not undo what was done.
        log.error("audit line not written: %s", exc)


def _open(log_file: Path) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(log_file, flags, 0o600)
    except FileNotFoundError:
        log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(log_file, flags, 0o600)
