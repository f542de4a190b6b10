"""Where one look goes: the parts of a URL that the network needs.

No text form of a target leaves this room: the classes here have no telling `repr`, and no exception
carries any part of a URL.
"""

import ipaddress
import re
import string
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import quote, urljoin, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}

_VISIBLE_ASCII = re.compile(r"[!-\[\]-~]{1,8192}\Z")  # without the backslash, which parsers read differently
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")


class NotUsable(ValueError):
    """Not an http(s) URL in the canonical form that the API hands out."""


@dataclass(frozen=True, repr=False)
class Target:
    """One resource at one site; `path` includes the query, never the fragment."""

    scheme: str
    host: str  # lower case; an IPv6 address stands without brackets
    port: int
    path: str

    @classmethod
    def parse(cls, raw: str) -> Self:
        """The target of a URL. Raises NotUsable, also for userinfo, and for names not in ASCII."""
        if not _VISIBLE_ASCII.match(raw):
            raise NotUsable("not a usable URL")
        try:
            parts = urlsplit(raw)
            host, port = (parts.hostname or "").removesuffix("."), parts.port
        except ValueError:
            raise NotUsable("not a usable URL") from None
        if parts.scheme not in DEFAULT_PORTS or "@" in parts.netloc or port == 0 or not _is_host(host):
            raise NotUsable("not a usable URL")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path)

    @property
    def authority(self) -> str:
        """Host and, unless it is the scheme's own, port: the value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The absolute form, as a forward proxy wants it."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def site(self) -> tuple[str, str, int]:
        """What shares one answer to paths that do not exist."""
        return self.scheme, self.host, self.port

    def at(self, path: str) -> Self:
        """Another resource of the same site."""
        return replace(self, path=path)

    def redirected(self, location: str) -> Self:
        """Where a Location header leads, seen from here. Raises NotUsable."""
        # http.client reads headers as Latin-1; what is not visible ASCII belongs percent-encoded.
        visible = quote(location.strip().encode("latin-1", "replace"), safe=string.punctuation)
        try:
            return self.parse(urljoin(self.url, visible))
        except NotUsable:
            raise
        except ValueError:
            raise NotUsable("not a usable URL") from None

    def is_on_site_of(self, other: Self) -> bool:
        """Whether both are one site in the eyes of a visitor: `www.` and http or https do not matter.

        Another port than the ordinary ones is another site, so that a redirect is no port scan.
        """
        ports = {other.port, *DEFAULT_PORTS.values()}
        return self.host.removeprefix("www.") == other.host.removeprefix("www.") and self.port in ports


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host).scope_id is None
        except ValueError:
            return False
    return len(host) <= 253 and all(_LABEL.match(label) for label in host.split("."))
