"""What a hostile server does to whoever looks: names that turn inwards, redirects, and answers that never end."""

import gzip
from typing import Any

from tests.hostile import Behaviour, breaks_after, drips, floods, says
from tests.island.network import INSIDE, WEB

#: Names that lead inside, and what they answer: always, beside a public address, or from the second question on.
TURNS: dict[str, list[list[str]]] = {
    **{f"in{number}.test": [[address]] for number, address in enumerate(INSIDE)},
    **{f"both{number}.test": [[WEB, address]] for number, address in enumerate(INSIDE)},
    "mapped.test": [["::ffff:127.0.0.1"]],
    "nat64.test": [["64:ff9b::7f00:1"]],
    "compatible.test": [["::127.0.0.1"]],
    "turns.test": [[WEB], ["127.0.0.1"]],
    "turnssix.test": [[WEB], ["::1"]],
    "flips.test": [[WEB], ["10.0.0.5"], [WEB], ["169.254.169.254"]],
    "www.hop.test": [["127.0.0.1"]],
    "www.late.test": [[WEB], ["10.0.0.5"]],
    "nothing.test": [[]],
}

_SPELLINGS = (
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]",
    "[fd00::5]", "10.0.0.5", "169.254.169.254", "127.8.8.8:6379", "100.64.0.5:8080",
)  # fmt: skip


def direct() -> list[str]:
    """URLs whose host alone leads inside, in every spelling and by every name above."""
    named = [f"http://{name}/page" for name in TURNS if name not in {"www.hop.test", "www.late.test"}]
    return [*named, *(f"http://{host}/latest/meta-data/" for host in _SPELLINGS)]


def answers(marker: bytes) -> dict[str, Behaviour]:
    """Behaviours by name; each says the marker in its body, and where it can also in its head."""
    page = b"<html><title>t</title><p>" + marker * 40 + b"</p></html>"
    head = b"HTTP/1.1 200 OK\r\nX-M: " + marker + b"\r\n\r\n"
    text = marker.decode()

    def leads(to: str) -> Behaviour:
        return says(302, page, Location=to)

    return {
        "page": says(200, page, Content_Type="text/html", X_M=text),
        "file": says(200, marker * 9, Content_Type="image/jpeg"),
        "changed": says(200, marker * 7, Content_Type="image/jpeg"),
        "refused": says(403, page),
        "robots": says(403, page, cf_mitigated="challenge"),
        "login": says(200, page + b'<form><input type="password"></form>'),
        "gone": says(404, page),
        "bomb": says(200, gzip.compress(marker * 200_000), Content_Encoding="gzip"),
        "endless": floods(head, marker * 1_000),
        "endless-head": floods(b"HTTP/1.1 200 OK\r\nX: ", marker * 1_000),
        "many-heads": says(200, page, **{f"X_{number}": text for number in range(400)}),
        "chunks": floods(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"40\r\n" + marker * 2 + b"\r\n"
        ),
        "informed": floods(b"", b"HTTP/1.1 103 Early Hints\r\nX-M: " + marker + b"\r\n\r\n"),
        "hinted": _hinted(marker),
        "continued": floods(b"", b"HTTP/1.1 100 Continue\r\nX-M: " + marker + b"\r\n\r\n"),
        "cut": breaks_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + marker),
        "babble": says_raw(marker * 30),
        **{f"leads{number}": leads(f"http://{host}/") for number, host in enumerate(_SPELLINGS)},
        "leads-out": leads("http://turns.test/"),
        "leads-file": leads("file:///etc/passwd"),
        "leads-odd": leads("gopher://127.0.0.1:6379/_FLUSHALL"),
    }


def _hinted(marker: bytes) -> Behaviour:
    """Two hints, then what counts."""
    hint = b"HTTP/1.1 103 Early Hints\r\nX-M: " + marker + b"\r\n\r\n"
    return says_raw(hint * 2 + b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")


def slow(marker: bytes) -> dict[str, Behaviour]:
    """Those that keep a visitor for as long as it stays."""
    return {
        "trickle": drips(b"HTTP/1.1 200 OK\r\n\r\n", marker),
        "trickle-head": drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        "trickle-chunks": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        "silent": drips(b"", b""),
    }


def by_host(behaviours: dict[str, Behaviour]) -> Behaviour:
    """One server for all: behaves by the first label of the Host header; nothing stands at a random path."""

    def behave(connection: Any, site: Any) -> None:
        host = site.heads[-1].lower().partition("\r\nhost: ")[2].partition("\r\n")[0]
        name = host.removeprefix("www.").partition(".")[0]
        if "/takedown-probe-" in site.asked()[-1] and not name.endswith("login"):
            says(404)(connection, site)
            return
        behaviours.get(name, _otherwise(host))(connection, site)

    return behave


def _otherwise(host: str) -> Behaviour:
    """A site that sends everybody to its own `www.`, whose name then turns inwards; and pages of no use."""
    name = host.partition(":")[0]
    if name in {"hop.test", "late.test"}:
        return says(301, b"", Location=f"http://www.{name}/page")
    return says(200, f"<p>{host}</p>".encode())


def says_raw(data: bytes) -> Behaviour:
    """No HTTP at all."""

    def behave(connection: Any, _site: Any) -> None:
        connection.sendall(data)

    return behave
