"""Addresses of machines, and which of them are of the internet at large."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

Resolve = Callable[[str, int], Sequence[Address]]
"""Gives all addresses that a host has, by its name, for a port."""

_NAT64 = ip_network("64:ff9b::/96")
"""What a network without IPv4 has for addresses of IPv4, which are the last 32 bits."""

_UNICAST = ip_network("2000::/3")
"""What is public of IPv6 is in here; what IPv4 is mapped to is not."""

_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # of protocols, and what a cloud tells its machines
            "192.88.99.0/24",  # leads to 6to4
            "168.63.129.16/32",  # what a cloud tells its machines
            "2001::/23",  # of protocols; Teredo, which leads to IPv4
            "2002::/16",  # 6to4, which does too
            "3fff::/20",  # for examples
        ),
    )
)
"""What `ipaddress` takes for public, or older versions of Python do."""


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host as this machine looks them up; see `Resolve`.

    Raises:
        OSError, UnicodeError: it has none, or is no name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(where[0]) for *_, where in found]


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet at large, and stands for no other that is not."""
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.version == 6 and address not in _UNICAST:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC)
    )
