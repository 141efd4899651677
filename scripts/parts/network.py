"""This machine in its network: its address, and whether a port is free."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

# RFC 5737 keeps this address for documents. Asking for the way to it sends nothing.
_ELSEWHERE = ("192.0.2.1", 9)


def lan_address() -> str | None:
    """Return the IPv4 address that the local network knows this machine by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    found = ip_address(address)
    return None if found.is_loopback or found.is_unspecified else address


def why_not(host: str, port: int) -> str | None:
    """Return why a server could not listen there, as a sentence; None if it could."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        return f"{host} is no address of this machine; choose another: --host ADDRESS"
    with socket.socket(family, kind) as probe:
        # As servers do: the closed connections of the last one are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except OSError as error:
            return _sentence(error, host, port)
    return None


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken by another program; stop that one or choose "
            f"another port: --port {port + 1}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights; choose one above 1023: --port 8000"
    return f"cannot listen on {host}: {error.strerror}; choose another: --host ADDRESS"
