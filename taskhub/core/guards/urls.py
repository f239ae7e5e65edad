"""Addresses Taskhub is asked to call: http(s), and never into the network it stands in itself."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple, NoReturn
from urllib.parse import SplitResult, urlsplit

from taskhub.core.errors import BadInput

LONGEST = 2048
PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], list[str]]

# What inet_aton takes for an address: 2130706433, 0x7f.1, 0177.0.0.1. We take it for a trick.
_NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|\d+)(\.(0[xX][0-9a-fA-F]*|\d+))*\.?")
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
# IPv6 addresses that carry an IPv4 address to which the packet may go in the end.
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class Target(NamedTuple):
    """A URL that may be called, at the addresses that were checked.

    Attributes:
        host: name or address as given, without brackets.
        path: with the query; what goes into the request line.
        addresses: connect to these and to no others, for a name may mean something else next time.
    """

    url: str
    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


def check_form(url: str, *, field: str = "url") -> SplitResult:
    """Whether it is a URL one could call; names are not looked up.

    Raises:
        BadInput: not http or https, no host, a user or password in it, control characters, a port
            out of range, a host that is a number in disguise.
    """
    if not isinstance(url, str) or len(url) > LONGEST:
        _refuse(field, f"an address of at most {LONGEST} characters", "another")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        _refuse(field, "an address of printable ASCII characters", ascii(url[:80]))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise _refusal(field, "an address with a valid host and port", ascii(url[:80])) from exc
    if parts.scheme not in PORTS:
        _refuse(field, "http:// or https://", ascii(url[:80]))
    if "@" in parts.netloc:
        _refuse(field, "an address without user and password", f"one for host {parts.hostname!r}")
    if port == 0:
        _refuse(field, "a port from 1 to 65535", "0")
    host = parts.hostname or ""
    literal = _literal(host)
    if literal is None and "[" in parts.netloc:
        _refuse(field, "an IPv6 address in brackets", ascii(host[:80]))
    if literal is None and (_NUMERIC.fullmatch(host) or not _NAME.fullmatch(host) or len(host) > 253):
        _refuse(field, "a host name or an address in its usual form", ascii(host[:80]))
    return parts


def check_target(
    url: str, *, allow: Iterable[str] = (), field: str = "url", resolve: Resolver | None = None
) -> Target:
    """Whether Taskhub may call it, after its name was looked up. Waits for the name server.

    Args:
        allow: hosts and networks (`10.0.0.0/8`) that may be called though they are not public.
        resolve: host and port → addresses; the system's by default.

    Raises:
        BadInput: as `check_form`; the name is unknown; one of its addresses is private, loopback,
            link-local, reserved, multicast, or an IPv6 spelling of such a one.
    """
    parts = check_form(url, field=field)
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    try:
        found = (resolve or _resolve)(host, port)
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    except (OSError, ValueError) as exc:
        raise _refusal(field, "a host that can be found", ascii(host[:80])) from exc
    if not addresses:
        _refuse(field, "a host that can be found", ascii(host[:80]))
    named, networks = _allowed(allow)
    if host.rstrip(".") not in named:
        for address in addresses:
            if not is_public(address) and not any(address in network for network in networks):
                _refuse(field, "an address on the public internet", f"{host} at {address}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, parts.scheme, host, port, path, tuple(str(address) for address in addresses))


def is_public(address: Address) -> bool:
    """Whether it can only be a host on the public internet, whichever way it is spelled."""
    if isinstance(address, ipaddress.IPv6Address):
        if (inner := _inner(address)) is not None:
            return is_public(inner)
        if address in _COMPATIBLE or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address within a mapped, 6to4, Teredo or NAT64 one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _allowed(allow: Iterable[str]) -> tuple[set[str], list[Network]]:
    named: set[str] = set()
    networks: list[Network] = []
    for entry in allow:
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            named.add(entry.lower().rstrip("."))
    return named, networks


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _refusal(field: str, expected: str, got: str) -> BadInput:
    return BadInput(
        f"{field}: expected {expected}, got {got}", fields={field: f"expected {expected}, got {got}"}
    )


def _refuse(field: str, expected: str, got: str) -> NoReturn:
    raise _refusal(field, expected, got)
