"""Connections by the sockets in C, without the enumerations of all that an operating system knows of them."""

__all__ = ["IPPROTO_TCP", "TCP_NODELAY", "create_connection", "gaierror", "timeout"]

from _socket import IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, gaierror, getaddrinfo, socket, timeout
from typing import Any, Optional, Tuple


def create_connection(address: Tuple[Any, int], limit: Optional[float] = None) -> socket:
    """A connection to the first of a host's addresses that takes one.

    Args:
        address: Name or address of the host, and the port.
        limit: Seconds for each try, None for no limit.

    Raises:
        OSError: Of the last try.
    """
    failure = OSError(f"there is no address of {address[0]!r}")
    for family, kind, protocol, _, place in getaddrinfo(*address, 0, SOCK_STREAM):
        connection = None
        try:
            connection = socket(family, kind, protocol)
            connection.settimeout(limit)
            connection.connect(place)
            return connection
        except OSError as error:
            failure = error
            if connection is not None:
                connection.close()
    raise failure
