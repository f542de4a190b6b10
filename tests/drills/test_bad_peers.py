"""Drill: 10,000 approved notices for 50 contacts, 30 % of whose servers fail in every way there is.

The servers are one program that behaves as each recipient's server would; our relay speaks with them and tells us at
once. Our own relay being away or unable to prove its name is a phase of its own. Real time is passed over: what waits
for a moment is due at once (`time_passes`); only a tarpit is waited for, with a short limit.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from django.db import connections
from django.db.models import Count
from django.utils import timezone

from audit.models import Event
from audit.record import Actor
from cases.clock import database_now
from cases.models import Dispatch, DispatchLine, Notice
from cases.services import route
from cases.services.sending import LEASE, deliver_due
from providers.models import Contact
from providers.sources.resolver import NoResolver
from takedown.env import Mail, Rate
from tests.drills.world import assert_verified, judged, time_passes
from tests.mailserver import (
    ACCEPT,
    CUT_AFTER,
    DROP,
    LATER,
    MID_DATA,
    NEVER,
    STALL,
    TOO_BUSY,
    TRICKLE,
    MailServer,
)

BY = Actor.system("drill")
#: What a server does at each attempt, and where its messages end. A plan that runs out accepts.
WAYS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "421 for ever": ((TOO_BUSY,), "parked"),
    "451 for ever": ((LATER,), "parked"),
    "550": ((NEVER,), "parked"),
    "never answers": ((STALL,), "parked"),
    "trickles its answer": ((TRICKLE,), "parked"),
    "cuts in the middle of DATA": ((MID_DATA,), "parked"),
    "takes it and cuts before 250": ((DROP,), "parked"),
    "421 once": ((TOO_BUSY, ACCEPT), "accepted"),
    "451 twice": ((LATER, LATER, ACCEPT), "accepted"),
    "never answers, once": ((STALL, ACCEPT), "accepted"),
    "trickles once": ((TRICKLE, ACCEPT), "accepted"),
    "cuts in DATA twice": ((MID_DATA, MID_DATA, ACCEPT), "accepted"),
    "cuts before 250 twice": ((DROP, DROP, ACCEPT), "accepted"),
    "cuts after 250": ((CUT_AFTER,), "accepted"),
    "550 for one of two": ((ACCEPT, NEVER, ACCEPT), "one of two"),
}


@dataclass
class Peers:
    """The mail server, with a way for each of the first contacts; the others take everything."""

    mail: MailServer
    ways: dict[int, str] = field(default_factory=dict)

    def behave(self, bad: int) -> None:
        """Give the first `bad` contacts their ways, in turn."""
        names = list(WAYS)
        for number, contact in enumerate(Contact.objects.order_by("pk")[:bad]):
            way = names[number % len(names)]
            self.ways[contact.pk] = way
            self.mail.behave(contact.address, *WAYS[way][0])


@pytest.fixture
def peers(
    transactional_db: None, mail_server: MailServer, host: Callable[..., None], settings: Any
) -> Iterator[Peers]:
    """Bad servers, and a time limit that a drill can wait for."""
    settings.EMAIL_TIMEOUT = 0.5
    host(
        grouping_window=timedelta(0),
        send_per_contact=Rate(0, timedelta(minutes=1)),
        send_per_host=Rate(0, timedelta(minutes=1)),
        mail=Mail("127.0.0.1", mail_server.port, "", "", ""),
        relay_is_final_hop=True,
    )
    yield Peers(mail_server)
    mail_server.resume()


def send(passes: int = 2) -> None:
    """`passes` passes at once, as of as many workers."""
    faults: list[BaseException] = []

    def work() -> None:
        try:
            deliver_due(resolver=NoResolver(), by=BY, clock=database_now)
        except BaseException as fault:  # noqa: BLE001 - told below
            faults.append(fault)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(passes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(600)
    assert faults == []


def until_settled(*, rounds: int) -> int:
    """Send until nothing waits any more; returns the rounds it took."""
    for count in range(1, rounds + 1):
        send()
        time_passes()
        if not Dispatch.objects.filter(state=Dispatch.State.PENDING).exists():
            return count
    raise AssertionError(f"after {rounds} rounds some still wait")


def put_in_outbox(contacts: int, each: int) -> list[Notice]:
    """Judged notices, routed to the outbox."""
    notices = judged(contacts=contacts, each=each)
    route.route_due(resolver=NoResolver(), by=BY, now=timezone.now())
    assert DispatchLine.objects.filter(dropped_because="").count() == len(notices)
    return notices


def assert_each_in_one_honest_place(notices: list[Notice], peers: Peers) -> Counter[str]:
    """With its provider and on a clock since their 250, or parked with the reason and on none. Returns how many."""
    mail = peers.mail
    named = dict(Dispatch.objects.values_list("message_id", "pk"))
    assert set(mail.copies()) <= set(named), "a copy went out under a Message-ID that is no dispatch's"
    lines = DispatchLine.objects.filter(dropped_because="")
    assert lines.count() == len(notices) == lines.aggregate(n=Count("notice", distinct=True))["n"]
    answered = {named[copy.id] for copy in mail.accepted}
    places: Counter[str] = Counter()
    for line in lines.select_related("notice", "dispatch"):
        dispatch, notice = line.dispatch, line.notice
        is_with_them = dispatch.pk in answered
        assert dispatch.state == ("accepted" if is_with_them else "parked"), dispatch.number
        assert (notice.state == Notice.State.NOTIFIED) == is_with_them
        assert (notice.notified_at == dispatch.accepted_at) if is_with_them else notice.notified_at is None
        assert is_with_them or dispatch.trouble in {"refused", "no_luck"}
        places[dispatch.state if is_with_them else dispatch.trouble] += 1
    started = Event.objects.filter(subject="notice", became="notified").values_list("subject_id", flat=True)
    assert len(started) == len(set(started)) == places["accepted"]
    for contact_id, way in peers.ways.items():
        states = set(Dispatch.objects.filter(contact=contact_id).values_list("state", flat=True))
        expected = {"accepted", "parked"} if WAYS[way][1] == "one of two" else {WAYS[way][1]}
        assert states == expected, way
    assert_verified()
    return places


def test_bad_servers_and_a_relay_that_was_away_leave_each_notice_in_one_honest_place(
    peers: Peers, host: Callable[..., None]
) -> None:
    host(lines_per_message=2, mail=Mail("127.0.0.1", 9, "", "", ""))
    notices = put_in_outbox(contacts=len(WAYS) + 3, each=4)
    send()
    assert set(Dispatch.objects.values_list("trouble", "failures")) <= {("ours", 0), ("", 0)}
    time_passes()
    host(lines_per_message=2, mail=Mail("127.0.0.1", peers.mail.port, "", "", ""))
    peers.behave(len(WAYS))
    until_settled(rounds=16)

    places = assert_each_in_one_honest_place(notices, peers)
    assert places["accepted"] == (len(WAYS) + 3 - 7) * 4 - 2


@pytest.mark.drill
def test_10_000_notices_for_50_contacts_of_whom_15_have_bad_servers(
    peers: Peers, host: Callable[..., None], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    # A good server on a busy machine needs longer than the short drill allows.
    settings.EMAIL_TIMEOUT = 4
    host(lines_per_message=40, mail=Mail("127.0.0.1", 9, "", "", ""))
    notices = put_in_outbox(contacts=50, each=200)
    send()
    time_passes()
    # It answers, and cannot prove its name: TLS was asked for and there is none.
    host(lines_per_message=40, mail=Mail("127.0.0.1", peers.mail.port, "", "", "starttls"))
    send()
    assert not Dispatch.objects.exclude(failures=0).exists()
    time_passes()
    host(lines_per_message=40, mail=Mail("127.0.0.1", peers.mail.port, "", "", ""))
    peers.behave(15)
    began = time.monotonic()
    send()
    good = Dispatch.objects.exclude(contact__in=peers.ways)
    first_round = time.monotonic() - began
    held_up = good.exclude(state="accepted")
    assert list(held_up.values_list("state", "trouble_answer")) == [], "bad neighbours held up a good one"
    rounds = 1 + until_settled(rounds=80)

    places = assert_each_in_one_honest_place(notices, peers)
    copies = peers.mail.copies()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(notices):,} notices on {Dispatch.objects.count():,} messages, 15 of 50 servers bad: {dict(places)}"
            f" after {rounds} rounds; the good ones all in the first, {first_round:.0f} s; {copies.total():,} copies on"
            f" the wire, at most {max(copies.values())} of one message, always one Message-ID; what a dead worker holds"
            f" is free after {LEASE.total_seconds():.0f} s, and the next sweep comes within 15 s more\n"
        )
