"""What stands for a caller where addresses are counted or compared."""

from __future__ import annotations

import ipaddress


def network_of(address: str | None) -> str | None:
    """An IPv4 address itself; of an IPv6 address its /64: a subscriber has at least that, and takes a new address at will.

    `address` is as samia_chat.middleware.client_address gives it: never IPv4 written as IPv6, all of which is one /64.
    """
    if address is None or ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))
