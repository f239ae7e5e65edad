"""Which pages may open a socket: our own.

A browser sends the user's cookie with every socket, whoever asked for it, and another port of this
machine gets the same cookies; only the Origin tells.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

CLOSED = 4403

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def is_ours(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the one Origin names the host that was asked, port included, or is trusted by the settings."""
    origins = [value.decode("latin1") for name, value in headers if name == b"origin"]
    hosts = [value.decode("latin1").lower() for name, value in headers if name == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    if not validate_host(split_domain_port(hosts[0])[0], settings.ALLOWED_HOSTS):
        return False
    origin = origins[0].lower()
    if origin in (trusted.lower() for trusted in settings.CSRF_TRUSTED_ORIGINS):
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if default is None or not parts.hostname or parts.path or parts.query or "@" in parts.netloc:
        return False
    host = parts.netloc.rpartition(":")[0] if port else parts.netloc
    spellings = {f"{host}:{port or default}"}
    if (port or default) == default:
        spellings.add(host)
    return hosts[0] in spellings


def own_origin_only(app: App) -> App:
    """Refuses the handshake of foreign, `null` and missing origins."""

    async def guarded(scope: Scope, receive: Any, send: Any) -> None:
        if is_ours(scope.get("headers", [])):
            await app(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": CLOSED})

    return guarded
