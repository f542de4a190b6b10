"""Host names as content has them: A-labels in lower case, or an address (IPv6 in brackets)."""

from functools import cache
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList

from vault.keys import ring


def host_key(host: str) -> bytes:
    """The blind index of a host name."""
    return ring().blind(host, purpose="host")


def literal(host: str) -> str:
    """The address that a host is, in its usual spelling; "" when it is a name."""
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return ""


def parents(host: str) -> list[str]:
    """The host and every domain above it, longest first; an address has none."""
    if literal(host):
        return [host]
    labels = host.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]


def registrable(host: str) -> str:
    """The domain that somebody registered: "forum.co.uk" of "img.forum.co.uk"; "" of an address or a public suffix."""
    if literal(host):
        return ""
    return _suffixes().privatesuffix(host) or ""


@cache
def _suffixes() -> PublicSuffixList:
    # Only ICANN's part: a private suffix (a blog host) is one site with one provider.
    return PublicSuffixList(only_icann=True)
