"""Nothing but public addresses is ever touched, whatever a name says."""

import ipaddress
import threading
import time

import pytest

from checker.exits import Direct, tls_context
from checker.guard import Address, Guard, NotAllowed, is_public, system_resolver
from checker.look import UNKNOWN, Looker
from checker.wire import Deadline
from tests.hostile import Site, says

NOT_PUBLIC = [
    # this host, and every way to write it
    "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "::", "::1",
    # private, shared, link-local
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.100.100.200",
    "169.254.0.1", "169.254.169.254", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1",
    # other people's wiring
    "168.63.129.16", "192.0.0.1", "192.0.0.9", "192.0.0.170", "192.0.0.192", "192.31.196.1", "192.52.193.1",
    "192.88.99.1", "192.175.48.1", "2620:4f:8000::1",
    # documentation, benchmarks, reserved, multicast, broadcast
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "2001:db8::1", "3fff::1", "2001:2::1", "100::1",
    "ff02::1", "ff0e::1",
    # IPv4 in disguise: mapped, translated, compatible, NAT64 (both prefixes), 6to4, Teredo, ISATAP
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::",
    "2001:10::1", "2001:20::1", "2606:2800:220:1:0:5efe:7f00:1", "2606:2800:220:1:200:5efe:a00:1",
    # never given out, or given back
    "3ffe::1", "4000::1", "1fff::1", "5f00::1", "8000::1",
]  # fmt: skip

# What example.com itself has used, and the neighbours of the ranges above.
PUBLIC = [
    "93.184.215.14", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
    "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "2001:200::1", "2003::1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_an_ordinary_public_host_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_ordinary_public_address_is_allowed(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "0",
        "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::]", "127.0.0.1.", "LOCALHOST",
    ],
)  # fmt: skip
def test_no_spelling_of_loopback_reaches_loopback(host: str) -> None:
    with Site({"/secret": says(200, b"secret")}) as ours:
        finding = Looker(Direct(Guard(), tls_context()), total_s=5).look(ours.url("/secret", host=host))

        assert finding.outcome == UNKNOWN
        assert ours.connections == 0


@pytest.mark.parametrize(
    "url", ["ftp://site.test/", "http://a:b@site.test/", "http://site.test\\@127.0.0.1/"]
)
def test_what_is_no_plain_web_address_is_not_even_resolved(url: str) -> None:
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return []

    assert Looker(Direct(Guard(resolve), tls_context())).look(url).outcome == UNKNOWN
    assert asked == []


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["127.0.0.1", "2003::1"]])
def test_one_answer_that_is_not_public_spoils_the_whole_name(answers: list[str]) -> None:
    with Site() as ours:
        with pytest.raises(NotAllowed):
            Guard(lambda _: answers).connect("site.test", ours.port, Deadline(1))

        assert ours.connections == 0


def test_a_resolver_that_fails_knows_nothing_or_answers_nonsense_closes_the_door() -> None:
    def fails(_: str) -> list[str]:
        raise OSError("no such name")

    for resolve in (fails, lambda _: [], lambda _: ["not an address"], lambda _: ["127.1"]):
        with pytest.raises(NotAllowed):
            Guard(resolve).connect("site.test", 80, Deadline(1))


def test_a_resolver_that_hangs_is_left_when_the_time_is_up() -> None:
    hang = threading.Event()

    def resolve(_: str) -> list[str]:
        hang.wait(2)
        return []

    start = time.monotonic()
    with pytest.raises(TimeoutError):
        Guard(resolve).connect("site.test", 80, Deadline(0.2))
    hang.set()

    assert time.monotonic() - start < 1.5


def test_an_onion_name_is_never_asked_of_the_resolver() -> None:
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"]

    with pytest.raises(NotAllowed):
        Guard(resolve).connect("a.onion", 80, Deadline(1))
    assert asked == []


def test_a_name_that_points_elsewhere_at_the_second_question_is_connected_to_the_checked_address() -> None:
    with Site(address="127.0.0.2") as theirs, Site() as ours:
        answers = iter([["127.0.0.2"], ["127.0.0.1"]])

        def only_theirs(address: Address) -> bool:
            return str(address) == "127.0.0.2"

        guard = Guard(lambda _: next(answers), only_theirs)
        with guard.connect("site.test", theirs.port, Deadline(1)) as connection:
            assert connection.getpeername()[0] == "127.0.0.2"
        with pytest.raises(NotAllowed):
            guard.connect("site.test", ours.port, Deadline(1))

        assert ours.connections == 0


def test_every_request_of_a_look_is_checked_again() -> None:
    # The page is at an allowed address; by the time of the redirect the name points to our own network.
    theirs = Site({"/page": says(302, Location="/moved")}, address="127.0.0.2")
    with theirs:
        answers = iter([["127.0.0.2"], ["127.0.0.1"]])
        guard = Guard(lambda _: next(answers), lambda address: str(address) == "127.0.0.2")

        finding = Looker(Direct(guard, tls_context())).look(theirs.url("/page"))

        assert (finding.outcome, finding.note) == (UNKNOWN, "no public address")
        assert theirs.asked() == ["/page"]


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with Site() as site:
        guard = Guard(lambda _: ["127.0.0.3", "127.0.0.1"], lambda _: True)

        with guard.connect("site.test", site.port, Deadline(1)) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"


def test_the_systems_resolver_answers_each_address_once() -> None:
    assert system_resolver("127.0.0.1") == ["127.0.0.1"]
