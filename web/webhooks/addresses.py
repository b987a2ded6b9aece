"""Which addresses a webhook may be sent to."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_NEVER = (
    ip_network("0.0.0.0/8"),
    ip_network("168.63.129.16/32"),  # Azure's, for what runs inside a virtual machine
    ip_network("169.254.0.0/16"),  # link-local, with the metadata of AWS and others
    ip_network("192.0.0.0/24"),  # Oracle's metadata among others
    ip_network("192.88.99.0/24"),
    ip_network("::/128"),
    ip_network("fd00:ec2::/32"),  # AWS' metadata
    ip_network("fe80::/10"),
    ip_network("fec0::/10"),
)
_OWN_NETWORK = (
    ip_network("10.0.0.0/8"),
    ip_network("100.64.0.0/10"),
    ip_network("127.0.0.0/8"),
    ip_network("172.16.0.0/12"),
    ip_network("192.168.0.0/16"),
    ip_network("::1/128"),
    ip_network("fc00::/7"),
)


def may_connect(text: str, own_network: bool) -> bool:
    """Whether this IP address is public; with `own_network`, private and loopback addresses are allowed too.

    An IPv6 address that stands for an IPv4 address is checked as that one.
    """
    address = _meant(ip_address(text.partition("%")[0]))
    if _is_in(address, _NEVER) or address.is_multicast or address.is_unspecified:
        return False
    if own_network and _is_in(address, _OWN_NETWORK):
        return True
    return address.is_global and not address.is_reserved


def _meant(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if any(address in network for network in _NAT64) or (not int(address) >> 32 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_in(address: Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address in network for network in networks)
