"""Who did what: a row in the transaction of the change, and a JSON line once it is committed."""

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from .home import Home
from .models import AuditEntry

log = logging.getLogger("taskhub.audit")

MASK = "********"
_SECRET = re.compile(r"pass(word|wd|phrase)?|secret|token|api_?key|private_?key|credential|authorization|cookie", re.I)


@dataclass(frozen=True)
class Actor:
    """Who acts: a user's name and id, or a part of Taskhub; `address` is where the call came from."""

    name: str
    user_id: int | None = None
    address: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Actor":
        user = request.user
        address = request.META.get("REMOTE_ADDR", "")[:64]
        if not user.is_authenticated:
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
    """Write one entry in the caller's transaction; secrets in `before` and `after` are masked."""
    values = {
        "actor": actor.name[:150],
        "actor_id": actor.user_id,
        "address": actor.address,
        "action": action,
        "object_type": object_type,
        "object_id": object_id[:128],
        "before": masked(before),
        "after": masked(after),
        "result": result,
        "message": message,
    }
    AuditEntry.objects.bulk_create([AuditEntry(at=now, **values)])
    line = json.dumps({"at": now.isoformat().replace("+00:00", "Z"), **values}, default=str)
    transaction.on_commit(lambda: _append(line))


def masked(value: Any) -> Any:
    """The same value with what hides behind a secret-sounding name made unreadable."""
    if isinstance(value, Mapping):
        return {
            str(key): MASK if _SECRET.search(str(key)) and item not in (None, "") else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return value


def _append(line: str) -> None:
    try:
        descriptor = os.open(Home.current().audit_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # One write: lines of several processes do not mix in a file opened for appending.
            os.write(descriptor, line.encode() + b"\n")
        finally:
            os.close(descriptor)
    except OSError as exc:
        # The row is committed and is the truth; the copy must not undo what was done.
        log.error("audit line not written: %s", exc)
