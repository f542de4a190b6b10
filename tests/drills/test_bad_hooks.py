"""Drill: webhooks that fail in every way there is; every notice ends in one honest place, under one id."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import pytest
from django.utils import timezone

from audit.record import Actor
from cases.formats.event import event_id
from cases.models import Dispatch, DispatchLine, Notice
from cases.services import route
from providers import services
from providers.channels import CHANNELS, webhook
from providers.models import Contact
from providers.sources.resolver import NoResolver
from takedown.env import Rate
from tests.drills.test_bad_peers import until_settled
from tests.drills.world import assert_verified, judged
from tests.factories import SYSTEM
from tests.hostile import Behaviour, Site, breaks_after, drips, floods, says, secured
from tests.providers.test_webhook import channel

BY = Actor.system("drill")
OK: Final = b"HTTP/1.1 200 OK\r\n\r\n"


def stalls(_connection: Any, site: Site) -> None:
    """Takes the request and never answers."""
    site.closing.wait(40)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour for each visit; the last for good."""
    left = list(behaviours)

    def behave(connection: Any, site: Site) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection, site)

    return behave


#: What an endpoint does, and where its messages end: "accepted", or the trouble that they are parked with.
WAYS: Final[dict[str, tuple[Behaviour, str]]] = {
    "500 for ever": (says(500, b"oops"), "no_luck"),
    "302": (says(302, Location="https://elsewhere.example/"), "refused"),
    "410": (says(410), "contact"),
    "429 for ever": (says(429, Retry_After="90"), "no_luck"),
    "never answers": (stalls, "no_luck"),
    "trickles its head": (drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"), "no_luck"),
    "breaks off": (breaks_after(b"HTTP/1.1 2"), "no_luck"),
    "endless body": (floods(OK, b"x" * 65_536), "accepted"),
    "trickles its body": (drips(OK, b"x"), "accepted"),
    "500 twice": (in_turn(says(500), says(500), says(202)), "accepted"),
    "429 once": (in_turn(says(429, Retry_After="90"), says(202)), "accepted"),
    "fine": (says(202, b"queued"), "accepted"),
}


@pytest.fixture
def site(
    transactional_db: None,
    host: Callable[..., None],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """Everybody's endpoint, each under a path of its own."""
    monkeypatch.setattr(webhook, "WITHIN", timedelta(seconds=0.4))
    none = Rate(0, timedelta(minutes=1))
    host(grouping_window=timedelta(0), send_per_contact=none, send_per_host=none)
    with Site() as made:
        made.greets = secured
        monkeypatch.setitem(CHANNELS, "webhook", contextmanager(lambda: iter([channel(made)])))
        yield made


def put_in_outbox(site: Site, each: int) -> list[Notice]:
    """`each` notices for an endpoint of every way."""
    notices = judged(contacts=len(WAYS), each=each)
    for number, (contact, behaviour) in enumerate(
        zip(Contact.objects.order_by("pk"), WAYS.values(), strict=True)
    ):
        Contact.objects.filter(pk=contact.pk).update(
            channel="webhook", mode="api", address=site.url(f"/{number}", scheme="https")
        )
        services.mint_secret(contact_id=contact.pk, by=SYSTEM, now=timezone.now())
        site.behaviours[f"/{number}"] = behaviour[0]
    route.route_due(resolver=NoResolver(), by=BY, now=timezone.now())
    return notices


def assert_honest(notices: list[Notice], site: Site) -> Counter[str]:
    """Each in the place that its way leads to, on a clock only when it was taken. Returns how many are where."""
    ids = {event_id(dispatch): dispatch.pk for dispatch in Dispatch.objects.all()}
    said: dict[str, set[str]] = {}
    for head, body in zip(site.heads, site.bodies, strict=True):
        found = re.search(r"\r\nwebhook-id: (\S+)", head)
        assert found is not None
        assert found[1] in ids
        said.setdefault(found[1], set()).add(body.decode())
    assert {len(bodies) for bodies in said.values()} == {1}, "one id, one body, at every attempt"
    places: Counter[str] = Counter()
    ends = [where for _behaviour, where in WAYS.values()]
    contacts = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
    lines = DispatchLine.objects.filter(dropped_because="").select_related("notice", "dispatch")
    assert len(lines) == len(notices)
    for line in lines:
        dispatch, end = line.dispatch, ends[contacts.index(line.contact_id)]
        assert (dispatch.trouble if dispatch.state == "parked" else dispatch.state) == end
        assert (line.notice.state == "notified") == (end == "accepted")
        places[end] += 1
    assert_verified()
    return places


def test_bad_webhooks_leave_each_notice_in_one_honest_place(site: Site) -> None:
    notices = put_in_outbox(site, 1)
    until_settled(rounds=10)

    assert assert_honest(notices, site) == {"accepted": 5, "no_luck": 5, "refused": 1, "contact": 1}


@pytest.mark.drill
def test_600_notices_for_webhooks_of_which_most_are_bad(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    notices = put_in_outbox(site, 50)
    rounds = until_settled(rounds=400)

    places = assert_honest(notices, site)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(notices)} notices for {len(WAYS)} webhooks: {dict(places)} after {rounds} rounds;"
            f" {len(site.heads):,} calls, one id and one body per notice\n"
        )
