"""`Idempotency-Key`: equal calls with one key have one effect and one answer.

Key, effect and answer are committed in one transaction. So a call that dies half-way leaves
neither, its key is free again, and of many equal calls at once the first does the work while the
others wait for its commit and repeat its answer.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.errors import BadInput, Conflict, Unavailable
from taskhub.core.models import IdempotencyKey

HEADER = "Idempotency-Key"
REPLAY = "Idempotent-Replay"
KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 255
_LONGEST_PATH = 255
# What belongs to the answer besides its body.
_KEPT_HEADERS = ("Location",)

Prepared = TypeVar("Prepared")


class KeyReused(Conflict):
    """The key came with another body before."""

    code = "idempotency_key_reused"


class _Taken(Exception):
    """Another call with this key has committed."""


def once(
    request: Request,
    prepare: Callable[[], Prepared],
    effect: Callable[[Prepared], Response],
    *,
    now: datetime | None = None,
) -> Response:
    """Answer a call that changes something; with a key, as its first call was answered.

    Args:
        prepare: checks and slow work without any effect, done outside the transaction; not done
            for an answer that is repeated.
        effect: makes the change and the answer, within the transaction. What it raises is not
            kept: the key stays free.

    Raises:
        BadInput: the key is blank, too long, or not printable ASCII.
        KeyReused: the key came with another body within 24 hours.
    """
    key = _key_of(request)
    if key is None:
        return effect(prepare())
    moment = now or timezone.now()
    call = _Call.of(request, key)
    if (answer := call.answer(moment)) is not None:
        return answer
    prepared = prepare()
    # Twice: the row that was in the way may be gone when it is looked for.
    for _ in range(2):
        try:
            with transaction.atomic():
                row = call.claim(moment)
                response = effect(prepared)
                _keep(row, response)
                return response
        except _Taken:
            if (answer := call.answer(moment)) is not None:
                return answer
    raise Unavailable(f"{HEADER}: expected the first call's answer, got none yet", retry_after=1)


class _Call(NamedTuple):
    caller: str
    path: str
    key: str
    digest: str

    @classmethod
    def of(cls, request: Request, key: str) -> "_Call":
        user = request.user
        caller = (
            f"user:{user.pk}" if user.is_authenticated else f"from:{request.META.get('REMOTE_ADDR', '')[:50]}"
        )
        path = request.path.rstrip("/")
        if len(path) > _LONGEST_PATH:
            path = hashlib.sha256(path.encode()).hexdigest()
        said = [request.method, request.META.get("QUERY_STRING", ""), request.data]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
        return cls(caller, path, key, digest)

    def answer(self, now: datetime) -> Response | None:
        """What the first call was answered; None if there was none within 24 hours."""
        row = IdempotencyKey.objects.filter(
            caller=self.caller,
            path=self.path,
            key=self.key,
            created_at__gt=now - KEPT_FOR,
            status__isnull=False,
        ).first()
        if row is None:
            return None
        if row.body_digest != self.digest:
            raise KeyReused(
                f"{HEADER}: expected the body it came with before, got another one",
                fields={HEADER: "came with another body before"},
            )
        data = json.loads(row.answer) if row.answer else None
        return Response(data, status=row.status, headers={**row.headers, REPLAY: "true"})

    def claim(self, now: datetime) -> IdempotencyKey:
        """Take the key. A call that holds it is waited for, by the row or by the writers' line."""
        held = IdempotencyKey.objects.filter(caller=self.caller, path=self.path, key=self.key)
        held.filter(created_at__lte=now - KEPT_FOR).delete()
        try:
            return IdempotencyKey.objects.create(
                caller=self.caller, path=self.path, key=self.key, body_digest=self.digest, created_at=now
            )
        except IntegrityError as exc:
            raise _Taken from exc


def _keep(row: IdempotencyKey, response: Response) -> None:
    row.status = response.status_code
    row.answer = "" if response.data is None else JSONRenderer().render(response.data).decode()
    row.headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    row.save(update_fields=["status", "answer", "headers"])


def _key_of(request: Request) -> str | None:
    given = request.META.get("HTTP_" + HEADER.upper().replace("-", "_"))
    if given is None:
        return None
    key = str(given).strip()
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        expected = f"expected 1 to {LONGEST_KEY} printable ASCII characters"
        raise BadInput(f"{HEADER}: {expected}, got {key[:80]!a}", fields={HEADER: expected})
    return key
