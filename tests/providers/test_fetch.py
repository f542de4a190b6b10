"""Nothing leaves for anywhere but a public host that was checked, and nothing comes back without a bound."""

import gzip
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from providers.fetch import (
    Fetcher,
    FetchFailed,
    NoAnswer,
    NotUnderstood,
    Refused,
    TlsFailed,
    TooLarge,
    TooSlow,
)
from providers.fetch.addresses import PUBLIC
from tests.checker.test_guard import NOT_PUBLIC
from tests.checker.test_guard import PUBLIC as ORDINARY
from tests.hostile import CERTIFICATE, Behaviour, Site, breaks_after, drips, floods, says, secured

SHORT = timedelta(seconds=0.3)
LONG_S = 2.0  # what would be far too long after SHORT, on a busy machine
Resolve = Callable[[str], Sequence[str]]


def knows(*addresses: str) -> Resolve:
    return lambda _host: addresses


HERE = knows("127.0.0.1")


def allowed(site: Site, *, resolve: Resolve = HERE) -> Fetcher:
    """A fetcher for which this one port of loopback is part of the world, and which trusts its certificate."""
    tls = ssl.create_default_context(cafile=str(CERTIFICATE))
    return Fetcher(resolve=resolve, also={("site.test", site.port)}, tls=tls)


# -- where we go -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_an_ordinary_public_host_is_refused(address: str) -> None:
    assert not PUBLIC.permits_address(address)


@pytest.mark.parametrize("address", [*ORDINARY, "2606:4700::1111"])
def test_an_ordinary_public_address_is_allowed(address: str) -> None:
    assert PUBLIC.permits_address(address)


@pytest.mark.parametrize(
    "address", ["64:ff9b::808:808", "2002:808:808::1", "::8.8.8.8", "::ffff:8.8.8.8", "192.0.0.10"]
)
def test_a_disguise_is_refused_whatever_it_hides(address: str) -> None:
    assert not PUBLIC.permits_address(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0177.0.0.1", "0x7f000001", "2130706433", "0", "localhost", "[::1]",
        "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "127.0.0.1.", "LOCALHOST", "①②⑦.0.0.1",
    ],
)  # fmt: skip
def test_no_spelling_of_loopback_reaches_loopback(host: str) -> None:
    with Site() as ours:
        # The port that we use, as far as the URL says, so that it is the address that is refused.
        for url in (f"https://{host}/secret", f"https://{host}:8443/", f"http://{host}:{ours.port}/"):
            with pytest.raises(Refused):
                Fetcher().get(url)

        assert ours.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://example.com:22/", "https://example.com:0/",
        "https://a:b@example.com/", "https://example.com\\@evil.test/", "https://exam ple.com/", "//example.com/",
        "https://example.com/\r\nHost: evil.test", "https://example.com/\t", "https:///", "nonsense", "",
        "https://a.onion/", "https://example.com/" + "a" * 2_000, "file:///etc/passwd", "https://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_url_is_refused_before_any_name_is_asked_for(url: str) -> None:
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return []

    with pytest.raises(Refused) as refusal:
        Fetcher(resolve=resolve).get(url)

    assert asked == []
    assert "example" not in str(refusal.value)


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["10.0.0.1", "2003::1"]])
def test_one_answer_that_is_not_public_spoils_the_whole_name(answers: list[str]) -> None:
    with pytest.raises(Refused, match="not public"):
        Fetcher(resolve=knows(*answers)).get("https://site.test/")


def test_a_resolver_that_fails_or_knows_nothing_closes_the_door() -> None:
    def fails(_host: str) -> list[str]:
        raise OSError("no such name")

    for resolve in (fails, knows()):
        with pytest.raises(NoAnswer):
            Fetcher(resolve=resolve).get("https://site.test/")
    for nonsense in ("not an address", "127.1", "fe80::1%lo"):
        with pytest.raises(Refused):
            Fetcher(resolve=knows(nonsense)).get("https://site.test/")


def test_a_resolver_that_hangs_is_left_when_the_time_is_up() -> None:
    hang = threading.Event()

    def resolve(_host: str) -> list[str]:
        hang.wait(LONG_S)
        return []

    start = time.monotonic()
    with pytest.raises(TooSlow):
        Fetcher(resolve=resolve).get("https://site.test/", within=SHORT)
    hang.set()

    assert time.monotonic() - start < LONG_S


def test_a_name_is_asked_for_once_and_connected_to_where_that_answer_said() -> None:
    # At a second question it would lead to another machine: nobody asks a second time.
    with Site({"/": says(200, b"theirs")}, address="127.0.0.2") as theirs, Site() as ours:
        answers = iter([["127.0.0.2"], ["127.0.0.1"]])
        fetch = allowed(theirs, resolve=lambda _: next(answers))

        assert fetch.get(theirs.url("/")).body == b"theirs"

        assert ours.connections == 0
        assert list(answers) == [["127.0.0.1"]]


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with Site({"/": says(200, b"here")}) as site:
        assert allowed(site, resolve=knows("127.0.0.3", "127.0.0.1")).get(site.url("/")).body == b"here"


def test_what_a_demo_world_names_opens_that_one_port_of_that_one_name() -> None:
    with Site() as named, Site() as other:
        fetch = allowed(named)
        assert fetch.get(named.url("/")).status == 404
        for url in (other.url("/"), named.url("/", host="other.test"), named.url("/", host="127.0.0.1")):
            with pytest.raises(Refused):
                fetch.get(url)
        # And it opens loopback, not the networks behind this machine.
        with pytest.raises(Refused):
            allowed(named, resolve=knows("10.0.0.1")).get(named.url("/"))

        assert (named.connections, other.connections) == (1, 0)


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Site() as proxy, Site({"/": says(200, b"straight")}) as site:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        assert allowed(site).get(site.url("/")).body == b"straight"
        assert proxy.connections == 0


# -- redirects ---------------------------------------------------------------------------------------------


def test_a_redirect_is_an_answer_unless_the_caller_follows_it() -> None:
    with Site({"/a": says(302, Location="/b"), "/b": says(200, b"moved")}) as site:
        fetch = allowed(site)

        assert fetch.get(site.url("/a")).header("location") == "/b"
        assert fetch.post(site.url("/a"), b"{}").status == 302
        assert site.asked() == ["/a", "/a"]
        assert fetch.get(site.url("/a"), redirects=1).body == b"moved"


def test_each_redirect_is_checked_as_if_it_were_the_first() -> None:
    with Site() as ours, Site() as site:
        fetch = allowed(site)
        for location in (
            ours.url("/secret", host="127.0.0.1"),
            "https://10.0.0.1/",
            "ftp://site.test/",
            "http:\\\\x",
        ):
            site.behaviours["/"] = says(302, Location=location)
            with pytest.raises(Refused):
                fetch.get(site.url("/"), redirects=5)

        assert ours.connections == 0


def test_a_name_that_turns_inwards_between_two_redirects_is_refused() -> None:
    answers = iter([["127.0.0.1"], ["192.168.0.1"]])
    with Site({"/": says(301, Location="/next")}) as site:
        with pytest.raises(Refused):
            allowed(site, resolve=lambda _: next(answers)).get(site.url("/"), redirects=5)

        assert site.asked() == ["/"]


def test_redirects_without_end_are_left_after_the_number_that_was_allowed() -> None:
    with Site() as site:
        site.otherwise = says(307, Location="/again")
        with pytest.raises(Refused, match="too often"):
            allowed(site).get(site.url("/"), redirects=3)

        assert len(site.heads) == 4


def test_a_key_does_not_follow_a_redirect_to_another_origin() -> None:
    with Site({"/": says(200)}, address="127.0.0.2") as other, Site() as site:
        site.behaviours = {
            "/": says(302, Location="/here"),
            "/here": says(302, Location=other.url("/", host="other.test")),
        }
        fetch = Fetcher(
            resolve=lambda host: ["127.0.0.2" if host == "other.test" else "127.0.0.1"],
            also={("site.test", site.port), ("other.test", other.port)},
        )

        fetch.get(site.url("/"), headers={"Authorization": "Bearer k", "Accept": "text/plain"}, redirects=2)

        assert all("Bearer k" in head for head in site.heads)
        assert "Bearer" not in other.heads[0]
        assert "text/plain" in other.heads[0]


# -- what comes back ---------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
TOO_MUCH: list[tuple[Behaviour, type[FetchFailed]]] = [
    (drips(b"", b"H"), TooSlow),  # a head that never ends
    (drips(OK + b"X: ", b"x"), TooSlow),
    (drips(OK + b"Content-Length: 1000\r\n\r\n", b"x"), TooSlow),
    (drips(OK, b"HTTP/1.1 103 Early Hints\r\n\r\n"), NotUnderstood),
    (drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), TooSlow),
    (floods(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), TooLarge),
    (floods(OK + b"X: ", b"x" * 10_000), TooLarge),
    (floods(OK, b"X: y\r\n" * 1_000), TooLarge),
    (floods(OK + b"\r\n", b"x" * 10_000), TooLarge),
    (floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1_000), TooLarge),
    (floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 10_000 + b"\r\nx\r\n"), TooLarge),
    (says(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"), NotUnderstood),
    (breaks_after(b"SSH-2.0-OpenSSH\r\n\r\n"), NotUnderstood),
    (breaks_after(b""), NoAnswer),
    (breaks_after(OK + b"Content-Length: 10\r\n\r\nabc"), NoAnswer),
]


@pytest.mark.parametrize(("behaviour", "failure"), TOO_MUCH)
def test_what_never_ends_breaks_off_or_is_no_http_costs_its_time_and_no_more(
    behaviour: Behaviour, failure: type[FetchFailed]
) -> None:
    # What ends by itself has time enough, on a busy machine too.
    within = SHORT if failure is TooSlow else timedelta(seconds=10)
    with Site({"/": behaviour}) as site:
        start = time.monotonic()
        with pytest.raises(failure) as raised:
            allowed(site).get(site.url("/"), within=within, cap_bytes=20_000)

        assert time.monotonic() - start < within.total_seconds() + LONG_S
        assert raised.value.was_sent
        assert raised.value.__cause__ is None


def test_a_body_of_the_cap_is_whole_and_one_more_is_too_large() -> None:
    with Site({"/": says(200, b"x" * 1_000)}) as site:
        assert allowed(site).get(site.url("/"), cap_bytes=1_000).is_whole
        with pytest.raises(TooLarge):
            allowed(site).get(site.url("/"), cap_bytes=999)


def test_an_answer_has_its_status_its_headers_and_its_body() -> None:
    with Site({"/x?y=1": says(503, b"later", Retry_After="120", Set_Cookie="a=b")}) as site:
        fetch = allowed(site)

        answer = fetch.get(site.url("/x?y=1"), headers={"Accept": "application/json"})
        fetch.get(site.url("/x?y=1"))

        assert (answer.status, answer.header("Retry-After"), answer.body) == (503, "120", b"later")
        assert answer.header("X-Nothing") == ""
        assert f"host: site.test:{site.port}" in site.heads[0].lower()
        assert "accept-encoding: identity" in site.heads[0].lower()
        assert "cookie" not in site.heads[1].lower()


def test_a_post_is_judged_by_the_head_and_shows_the_beginning_of_the_rest() -> None:
    with Site({"/hook": says(202, b"thank you" * 100)}) as site:
        answer = allowed(site).post(
            site.url("/hook"), b"news" * 5_000, headers={"webhook-id": "m1"}, keep_bytes=9
        )

        assert (answer.status, answer.body, answer.is_whole) == (202, b"thank you", False)
        assert site.bodies == [b"news" * 5_000]
        assert "webhook-id: m1" in site.heads[0].lower()


@pytest.mark.parametrize(
    "behaviour",
    [
        drips(OK + b"Content-Length: 1000\r\n\r\n", b"x"),
        floods(OK + b"\r\n", b"x" * 10_000),
        breaks_after(OK + b"Content-Length: 10\r\n\r\nabc"),
        says(200, gzip.compress(bytes(1_000_000)), Content_Encoding="gzip"),
    ],
)
def test_a_post_that_was_taken_stays_taken_whatever_the_server_goes_on_to_say(behaviour: Behaviour) -> None:
    with Site({"/hook": behaviour}) as site:
        answer = allowed(site).post(site.url("/hook"), b"{}", within=SHORT)

        assert (answer.status, answer.is_whole) == (200, False)
        assert len(answer.body) <= 2_000


def test_a_failure_says_whether_the_server_may_have_acted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    fetch = Fetcher(resolve=knows("127.0.0.1"), also={("site.test", port)})
    with pytest.raises(NoAnswer, match="nobody listens") as unsent:
        fetch.post(f"http://site.test:{port}/", b"{}")
    assert not unsent.value.was_sent

    with Site({"/": lambda connection, site: None}) as site:
        with pytest.raises(NoAnswer, match="without an answer") as sent:
            allowed(site).post(site.url("/"), b"{}")
        assert sent.value.was_sent


def test_no_header_of_a_caller_can_break_out_of_its_line() -> None:
    with Site() as site:
        with pytest.raises(Refused):
            allowed(site).post(site.url("/"), b"", headers={"X": "a\r\nY: b"})
        assert site.heads == []


# -- TLS ---------------------------------------------------------------------------------------------------


def test_the_certificate_must_be_that_of_the_name_and_not_of_the_address() -> None:
    with Site({"/": says(200, b"private")}) as site:
        site.greets = secured
        fetch = Fetcher(
            resolve=knows("127.0.0.1"),
            also={("site.test", site.port), ("other.test", site.port), ("127.0.0.1", site.port)},
            tls=ssl.create_default_context(cafile=str(CERTIFICATE)),
        )

        assert fetch.get(site.url("/", scheme="https")).body == b"private"
        for host in ("other.test", "127.0.0.1"):
            with pytest.raises(TlsFailed) as failure:
                fetch.get(site.url("/", scheme="https", host=host))
            assert not failure.value.was_sent
        assert len(site.heads) == 1


def test_a_certificate_that_nobody_vouches_for_and_no_tls_at_all_are_not_trusted() -> None:
    with Site({"/": says(200)}) as site:
        stranger = Fetcher(resolve=knows("127.0.0.1"), also={("site.test", site.port)})
        site.greets = secured
        with pytest.raises(TlsFailed):
            stranger.get(site.url("/", scheme="https"))
        site.greets = says(400, b"plain HTTP")
        with pytest.raises(TlsFailed):
            allowed(site).get(site.url("/", scheme="https"))


def test_a_handshake_that_hangs_ends_with_the_time() -> None:
    with Site() as site:
        site.greets = lambda connection, here: here.closing.wait(LONG_S)
        start = time.monotonic()
        with pytest.raises(TooSlow):
            allowed(site).get(site.url("/", scheme="https"), within=SHORT)
        assert time.monotonic() - start < LONG_S


def test_the_tables_of_the_library_are_those_that_were_looked_at() -> None:
    """A newer one is read first: what it calls reachable, we may not."""
    assert PUBLIC.denied_networks.snapshot
    assert all(block.reach.name == "DENIED" for block in PUBLIC.denied_networks.blocks)
    assert ipaddress.ip_network("64:ff9b::/96") in {block.network for block in PUBLIC.denied_networks.blocks}
