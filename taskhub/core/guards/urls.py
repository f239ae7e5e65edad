"""Targets of calls that others ask Taskhub to make."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from taskhub.core.errors import BadInput


@dataclass(frozen=True)
class Target:
    """A checked target: connect to `addresses` only, a second look-up could say something else."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


def check_target(url: str, *, allow_private: bool = False) -> Target:
    """Look the host up and refuse what is not a public http(s) address.

    Raises:
        BadInput: no http(s) URL, credentials in it, unknown host, or an address of this machine,
            a private network, a link or a group.
    """
    if len(url) > 2048 or any(ord(letter) < 33 for letter in url):
        raise _bad(url, "a URL of at most 2048 characters without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as exc:
        raise _bad(url, "a URL") from exc
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad(url, "an http or https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise _bad(url, "a URL without user and password")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise _bad(url, "a host that can be looked up") from exc
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private:
        for address in addresses:
            if not _public(address):
                raise _bad(url, "a public address")
    return Target(parts.scheme, parts.hostname, port, addresses)


def _public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


def _bad(url: str, expected: str) -> BadInput:
    return BadInput(f"url: expected {expected}, got {url[:120]!r}", fields={"url": f"expected {expected}"})
