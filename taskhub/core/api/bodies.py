"""Request bodies: JSON within the bounds, nothing else."""

from collections.abc import Mapping
from typing import IO, Any

from django.http.request import UnreadablePostError
from rest_framework.parsers import BaseParser

from taskhub.core.errors import BadInput, TooLarge
from taskhub.core.guards import json

LIMIT = 2 * 1024 * 1024


class StrictJSON(BaseParser):
    """At most 2 MiB, and all that `guards.json.parse` asks for; an empty body is an empty object."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {}).get("request")
        if request is not None:
            _check_declared(request.META.get("CONTENT_LENGTH"))
        try:
            raw = stream.read(LIMIT + 1)
        except (UnreadablePostError, OSError) as exc:
            raise BadInput("body: expected all of it, got a connection that broke off") from exc
        return json.parse(raw, limit=LIMIT) if raw.strip() else {}


def _check_declared(length: str | None) -> None:
    """Refuse by the header what is not even worth reading."""
    if length and length.isascii() and length.isdigit() and int(length[:20]) > LIMIT:
        raise TooLarge(f"body: expected at most {LIMIT} bytes, got {length[:20]}")
