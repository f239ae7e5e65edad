"""Addresses Taskhub is asked to call."""

import ipaddress
import socket

import pytest

from taskhub.core.errors import BadInput
from taskhub.core.guards import urls
from taskhub.core.guards.urls import check_form, check_target, is_public

pytestmark = pytest.mark.one_database

NAMES = {
    "example.com": ["93.184.216.34"],
    "six.example.com": ["2606:4700:4700::1111"],
    "localhost": ["127.0.0.1", "::1"],
    "private.example.com": ["10.0.0.5"],
    "both.example.com": ["93.184.216.34", "192.168.1.1"],
    "mapped.example.com": ["::ffff:10.0.0.5"],
    "metadata.example.com": ["169.254.169.254"],
    "scoped.example.com": ["fe80::1%eth0"],
    "empty.example.com": [],
}


def resolve(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    if host.rstrip(".") in NAMES:
        return NAMES[host.rstrip(".")]
    raise socket.gaierror(-2, "Name or service not known")


def test_a_public_target_comes_with_the_addresses_that_were_checked():
    target = check_target("https://Example.com:8443/hook?a=b#part", resolve=resolve)
    assert (target.scheme, target.host, target.port) == ("https", "example.com", 8443)
    assert (target.path, target.addresses) == ("/hook?a=b", ("93.184.216.34",))


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://example.com", 80), ("https://example.com", 443), ("http://six.example.com", 80)],
)
def test_the_port_is_that_of_the_scheme_unless_given(url, port):
    target = check_target(url, resolve=resolve)
    assert (target.port, target.path) == (port, "/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://x",
        "http://",
        "http:///x",
        "http://:80",
        "http://user:pw@example.com",
        "http://user@example.com",
        "http://@example.com",
        "http://example.com:0",
        "http://example.com:65536",
        "http://example.com:x",
        "http://[::1",
        "http://[v1.x]/",
        "http://exa mple.com",
        "http://example.com/a b",
        "http://example.com\n/",
        "http://example.com/\0",
        "http://example.com\\@127.0.0.1/",
        "http://ex\u00e4mple.com",
        "http://\u24dbocalhost/",
        "http://example..com",
        "http://-x.example.com",
        "http://" + "a" * 64 + ".com",
        "http://" + "a." * 130 + "com",
        "http://x/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_http_address_is_refused_without_a_look_up(url):
    with pytest.raises(BadInput) as refused:
        check_form(url)
    assert list(refused.value.fields) == ["url"]
    assert str(refused.value).isascii()
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "127.0.0.1.",
        "0",
        "1.1",
        "4294967295",
        "00000000177.0.0.1",
        "127.0.0.01",
    ],
)
def test_numbers_in_disguise_are_refused(host):
    with pytest.raises(BadInput, match="usual form"):
        check_target(f"http://{host}/", resolve=resolve)


PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "fe80::1",
    "fc00::1",
    "fd12::1",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:c0a8:0001::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "100::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused_however_they_are_spelled(address):
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(BadInput, match="on the public internet"):
        check_target(f"http://{host}/", resolve=resolve)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", [name for name in NAMES if name not in ("example.com", "six.example.com")])
def test_names_are_judged_by_all_their_addresses(host):
    with pytest.raises(BadInput):
        check_target(f"https://{host}/", resolve=resolve)


@pytest.mark.parametrize("host", ["unknown.example.com", "localhost.unknown"])
def test_names_that_cannot_be_found_are_refused(host):
    with pytest.raises(BadInput, match="a host that can be found"):
        check_target(f"https://{host}/", resolve=resolve)


def test_a_setting_may_allow_hosts_and_networks():
    assert check_target("http://10.0.0.1/", allow=["10.0.0.0/8"], resolve=resolve).addresses == ("10.0.0.1",)
    assert check_target("http://localhost/", allow=["Localhost"], resolve=resolve).addresses == (
        "127.0.0.1",
        "::1",
    )
    with pytest.raises(BadInput):
        check_target("http://localhost/", allow=["127.0.0.0/8"], resolve=resolve)


def test_the_systems_own_look_up_is_judged_too():
    with pytest.raises(BadInput, match="localhost at 127"):
        check_target("http://localhost:9/", resolve=lambda host, port: sorted(urls._resolve(host, port)))
