"""The rule that makes one canonical form of every spelling of an address.

Canonical is the WHATWG URL Standard's serialisation (https://url.spec.whatwg.org/) without credentials,
fragment and a dot at the end of the host name, with percent-encoding normalised as RFC 3986, 6.2.2 has it:
what needs no code is decoded, hexadecimal digits are upper-case. Case of the path and order of the query
are kept.
"""

import re
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Final

import can_ada

from cases.url import host as hosts
from cases.url.raw import refanged, stripped

#: Goes up with every change that makes another canonical form of some text; stored with each content.
RULE_VERSION: Final = 2
MAX_LENGTH: Final = 8_192

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY: Final = re.compile(r"https?:[/\\]*([^/?#]*)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PORT: Final = re.compile(r":(?:[0-5]?[0-9]{0,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$")
_LOOKS_LIKE_HOST: Final = re.compile(
    r"(?://)?[\w.-]+\.\w{2,}\.?(?::\d+)?(?:[/?#].*)?|(?://)?\d+(?:\.\d+){3}(?:[:/?#].*)?"
)
# One name and perhaps one password, without a dot: "example.com@" wants to be taken for a host.
_PLAIN_USERINFO: Final = re.compile(r"[A-Za-z0-9_~-]*(?::[A-Za-z0-9_~!$&'()*+,;=-]*)?")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
# A % that begins no code, and perhaps one digit: two characters more and it would begin one.
_HALF_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]?\Z")
_UNRESERVED: Final = frozenset(ascii_letters + digits + "-._~")
_SCHEMES_WITH_WORDS: Final = frozenset({"ftp", "file", "data", "javascript", "magnet", "mailto", "blob"})


class Refusal(Exception):
    """The text is no address that can be reported. `code` is a key of REASONS."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Parsed:
    """An address: the text as it came in, its one canonical form, and the host in that form."""

    raw: str
    canonical: str
    host: str
    rule_version: int = RULE_VERSION

    def __repr__(self) -> str:
        return "Parsed(…)"  # a traceback or a log may print this


class Quarantine(Exception):
    """A person must look before this counts as an address. `parsed` is what it means if they say yes."""

    def __init__(self, code: str, parsed: Parsed) -> None:
        self.code, self.parsed = code, parsed
        super().__init__(code)


def parse(raw: str) -> Parsed:
    """Read one reported address. Raises Refusal or Quarantine."""
    text = stripped(raw)
    if not text:
        raise Refusal("empty")
    if len(text) > MAX_LENGTH:
        raise Refusal("too_long")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Refusal("bad_text")
    if _CONTROL.search(text):
        raise Refusal("control_character")
    text = refanged(text)
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() in {"http", "https"}:
        return _parse_http(raw, text)
    if _LOOKS_LIKE_HOST.fullmatch(text):
        raise _without_scheme(raw, text)
    if scheme is None or scheme.end() == len(text):
        raise Refusal("not_a_url")
    name = scheme[1].lower()
    raise Refusal(f"scheme_{name}" if name in _SCHEMES_WITH_WORDS else "scheme_other")


def _parse_http(raw: str, text: str) -> Parsed:
    authority = _AUTHORITY.match(text)[1]  # type: ignore[index]  # the scheme matched, so this does
    userinfo, _at, spelling = authority.rpartition("@")
    if not spelling.isascii() and any(map(hosts.is_invisible, spelling)):
        raise Refusal("invisible_in_host")
    try:
        url = can_ada.parse(text)
    except ValueError:
        raise Refusal(_why_invalid(spelling)) from None
    if url.port == "0":
        raise Refusal("bad_port")
    host = url.hostname.removesuffix(".")
    if host != url.hostname:
        # "a.test." is "a.test" to the DNS: the same machine, so the same provider and the same content.
        url.hostname = host
    if hosts.is_too_long(host):
        raise Refusal("host_too_long")
    if not host or ".." in host or host.startswith(".") or host.endswith("."):
        raise Refusal("bad_host")
    if "@" in authority:
        url.username = url.password = ""
    if "#" in text:
        url.hash = ""
    parsed = Parsed(raw=raw, canonical=_ESCAPE.sub(_normal, url.href), host=host)
    code = _doubt_of_text(text, userinfo, spelling, host) or hosts.doubt(host)
    if code:
        raise Quarantine(code, parsed)
    return parsed


def _without_scheme(raw: str, text: str) -> Refusal | Quarantine:
    """`www.example.com/x` is clearly meant for an address, but which scheme is a guess: a person decides."""
    try:
        parsed = _parse_http(raw, "http://" + text.removeprefix("//"))
    except Quarantine as quarantine:
        return Refusal("not_a_url") if quarantine.code == "unknown_suffix" else quarantine
    except Refusal:
        return Refusal("not_a_url")
    return Quarantine("no_scheme", parsed)


def _doubt_of_text(text: str, userinfo: str, spelling: str, host: str) -> str:
    if "\\" in text and ("\\" in userinfo or "\\" in spelling or "\\" in text.rpartition("@")[0]):
        return "backslash"
    if text.find("//") != text.find(":") + 1 or text.find("///") == text.find(":") + 1:
        return "odd_slashes"
    if userinfo and not _PLAIN_USERINFO.fullmatch(userinfo):
        return "userinfo"
    if "%" in spelling:
        return "encoded_host"
    if not spelling.isascii() and hosts.is_ambiguous(_PORT.sub("", spelling), host):
        return "idn_ambiguous"
    return ""


def _why_invalid(spelling: str) -> str:
    """The most helpful reason why a WHATWG parser refuses this authority."""
    if spelling.startswith("["):
        _literal, bracket, port = spelling.partition("]")
        return "bad_port" if bracket and _is_bad_port(port) else "bad_address"
    name = spelling.partition(":")[0]
    if not name:
        return "no_host"
    if _is_bad_port(spelling[len(name) :]):
        return "bad_port"
    return "bad_address" if name.rstrip(".").rpartition(".")[2].isdigit() else "bad_host"


def _is_bad_port(text: str) -> bool:
    """Whether `text` (":80", or nothing) is there and cannot be a port."""
    return text.startswith(":") and _PORT.fullmatch(text) is None


def _normal(escape: re.Match[str]) -> str:
    """What a code stands for, if it needs none; `%%361` stays, for `%61` would be another code."""
    character, begin = chr(int(escape[1], 16)), escape.start()
    if character in _UNRESERVED and not _HALF_ESCAPE.search(escape.string, max(begin - 2, 0), begin):
        return character
    return escape[0].upper()
