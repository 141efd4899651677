"""Whose network a request comes from, for limits."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface


def network_of(address: str) -> str | None:
    """Tell what to count a network address as.

    Args:
        address: IPv4 or IPv6; what a proxy wrote instead is counted as it stands.

    Returns:
        The address; the /64 of an IPv6 one, which one subscriber has whole; None for
        the machine's own, which everybody has behind a proxy that no setting names.
    """
    try:
        # Not an interface: a length that a proxy wrote is no part of an address.
        network = ip_address(address)
    except ValueError:
        return address
    if network.is_loopback:
        return None
    if network.version == 6:  # noqa: PLR2004
        return str(ip_interface(f"{address}/64").network)
    return address
