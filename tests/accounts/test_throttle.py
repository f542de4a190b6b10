"""How often a door may be used, and whose machine is asking."""

import ipaddress
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import RequestFactory
from pytest_django import Settings

from accounts.client import address_of
from accounts.models import Bucket
from accounts.throttle import TooOften, forget_empty, let_in
from tests.factories import NOON

HOUR = timedelta(hours=1)


def ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)


@pytest.fixture
def rates(settings: Settings) -> None:
    """Small enough to be used up."""
    settings.RATES = {
        "door": {"address": (3, HOUR), "network": (5, HOUR), "everybody": (8, HOUR)},
        "other": {"address": (1, HOUR), "network": (1, HOUR), "everybody": (1, HOUR)},
    }


def refused(door: str, address: str | None, **when: object) -> bool:
    try:
        let_in(door, ip(address) if address else None, now=when.get("now", NOON))
    except TooOften:
        return True
    return False


@pytest.mark.django_db
@pytest.mark.usefixtures("rates")
def test_the_fourth_of_three_an_hour_is_refused_and_says_when_to_come_back() -> None:
    for _time in range(3):
        let_in("door", ip("192.0.2.1"), now=NOON)

    with pytest.raises(TooOften) as refusal:
        let_in("door", ip("192.0.2.1"), now=NOON)

    assert refusal.value.retry_after_s == 20 * 60
    assert refused("door", "192.0.2.1", now=NOON + refusal.value.wait - timedelta(microseconds=1))
    assert not refused("door", "192.0.2.1", now=NOON + refusal.value.wait)


@pytest.mark.django_db
@pytest.mark.usefixtures("rates")
def test_what_is_refused_counts_nowhere() -> None:
    for _time in range(50):
        refused("door", "192.0.2.1")

    assert not refused("door", "192.0.2.2")
    assert not refused("door", "192.0.2.2")
    assert refused("door", "192.0.2.3")  # five of its /24
    assert not refused("door", "198.51.100.1")


@pytest.mark.django_db
@pytest.mark.usefixtures("rates")
@pytest.mark.parametrize(
    ("first", "second"), [("2001:db8::1", "2001:db8::ffff:2"), ("192.0.2.1", "::ffff:192.0.2.1")]
)
def test_one_customer_is_one_address(first: str, second: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=second)
    for _time in range(3):
        let_in("door", ip(first), now=NOON)

    with pytest.raises(TooOften):
        let_in("door", address_of(request), now=NOON)


@pytest.mark.django_db
@pytest.mark.usefixtures("rates")
def test_a_flood_from_many_networks_meets_the_limit_for_everybody() -> None:
    passed = [host for host in range(40) if not refused("door", f"2001:db8:{host:x}::1")]

    assert len(passed) == 8


@pytest.mark.django_db
@pytest.mark.usefixtures("rates")
def test_an_address_that_is_not_known_is_only_one_of_everybody() -> None:
    assert [refused("door", None) for _time in range(9)] == [False] * 8 + [True]


@pytest.mark.django_db
@pytest.mark.usefixtures("rates")
def test_each_door_counts_for_itself() -> None:
    let_in("other", ip("192.0.2.1"), now=NOON)

    assert refused("other", "192.0.2.1")
    assert not refused("door", "192.0.2.1")


@pytest.mark.django_db
@pytest.mark.usefixtures("rates")
def test_what_is_kept_is_no_address_and_is_forgotten_when_it_counts_no_more() -> None:
    let_in("door", ip("192.0.2.77"), now=NOON)

    assert not any(b"192.0.2" in bytes(key) for key in Bucket.objects.values_list("key", flat=True))
    assert forget_empty(now=NOON + timedelta(minutes=19)) == 2  # the fuller leak slower
    assert forget_empty(now=NOON + timedelta(minutes=20)) == 1
    assert not Bucket.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rates")
def test_a_flood_in_parallel_passes_no_more_than_may() -> None:
    passed: list[int] = []
    start = threading.Barrier(10)

    def knock(number: int) -> None:
        start.wait()
        if not refused("door", "192.0.2.1"):
            passed.append(number)
        connection.close()

    threads = [threading.Thread(target=knock, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(passed) == 3


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, "203.0.113.9"),
        (0, "192.0.2.1", "203.0.113.9"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.66, 192.0.2.1", "192.0.2.1"),
        (2, "198.51.100.66, 192.0.2.1, 198.51.100.2", "192.0.2.1"),
        (2, "192.0.2.1", "203.0.113.9"),
        (1, None, "203.0.113.9"),
        (1, "192.0.2.1:50312", "192.0.2.1"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "unknown", "203.0.113.9"),
        (1, "192.0.2.1,", "203.0.113.9"),
    ],
)
def test_nobody_chooses_the_own_address_by_a_header(
    host: Callable[..., None], proxies: int, forwarded: str | None, address: str
) -> None:
    host(trusted_proxies=proxies)
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}

    found = address_of(RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", **headers))

    assert str(found) == address


def test_a_socket_has_no_address(host: Callable[..., None]) -> None:
    assert address_of(RequestFactory().get("/", REMOTE_ADDR="")) is None
