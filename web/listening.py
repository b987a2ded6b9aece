"""Checks of the address that web is to listen on."""

import errno
import ipaddress
import socket

from jobs.errors import InvalidSettings


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_free(host: str, port: int) -> None:
    """Raises InvalidSettings if web cannot listen on the port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InvalidSettings(
                    f"port {port} is in use; choose another, as in --port {port + 1}"
                ) from None
            raise InvalidSettings(f"cannot listen on {host}, port {port}: {error.strerror}") from None
        except OverflowError:
            raise InvalidSettings(f"there is no port {port}; they go from 1 to 65535") from None
