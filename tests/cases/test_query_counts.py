"""A batch of 200 asks the database as often as a batch of 10."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.chain import extend
from cases.models import Dispatch, Notice
from cases.services import due_checks, keep, ladder, observe, outgoing, receive, route
from cases.services.answers import Answer, answer_many
from cases.services.sending import claim, prepare, settle
from providers.channels.result import Accepted
from providers.routing import attribute
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    NetworkFactory,
    SourceFactory,
    many,
)

DAY = timedelta(hours=24)


class World:
    """Rows for one provider, made quickly: one place, one message for all."""

    def __init__(self) -> None:
        self.contact = ContactFactory(approved=True)
        self.provider = self.contact.provider
        NetworkFactory(provider=self.provider)
        self.place = AttributionFactory(provider=self.provider)
        self.resolver = FixedResolver()

    def notices(self, count: int, trait: str, **fields: object) -> list[Notice]:
        if trait == "received":
            return many(count, **fields)
        place = {"provider": self.provider, "attribution": self.place, "contact": self.contact}
        return many(count, **{trait: True}, **place, **fields)

    # -- one pass of each batch service over `count` rows --------------------------------------------------

    def attribute_new(self, count: int) -> Callable[[], object]:
        self.notices(count, "received")
        return lambda: route.attribute_new(resolver=self.resolver, by=SYSTEM, now=NOON)

    def attribute(self, count: int) -> Callable[[], object]:
        hosts = [f"host{i}.example" for i in range(count)]
        return lambda: attribute(hosts, resolver=self.resolver, by="system:test", now=NOON)

    def route_due(self, count: int) -> Callable[[], object]:
        self.notices(count, "assessed")
        return lambda: route.route_due(resolver=self.resolver, by=SYSTEM, now=NOON)

    def prepare(self, count: int) -> Callable[[], object]:
        self.notices(count, "routed")
        (held,) = claim(now=NOON, limit=1)
        return lambda: prepare(held, resolver=self.resolver, by=SYSTEM, now=NOON)

    def settle(self, count: int) -> Callable[[], object]:
        self.notices(count, "routed")
        (held,) = claim(now=NOON, limit=1)
        prepare(held, resolver=self.resolver, by=SYSTEM, now=NOON)
        return lambda: settle(held, Accepted("250 OK"), by=SYSTEM, now=NOON)

    def cancel(self, count: int) -> Callable[[], object]:
        self.notices(count, "routed")
        dispatch = Dispatch.objects.get(state="pending")
        return lambda: outgoing.cancel(dispatch_id=dispatch.pk, by=SYSTEM, now=NOON)

    def run_out_due(self, count: int) -> Callable[[], object]:
        self.notices(count, "notified")
        return lambda: ladder.run_out_due(by=SYSTEM, now=NOON + DAY)

    def take_steps_due(self, count: int) -> Callable[[], object]:
        self.notices(count, "notified", last_seen_online_at=NOON + DAY)
        ladder.run_out_due(by=SYSTEM, now=NOON + DAY)
        return lambda: ladder.take_steps_due(by=SYSTEM, now=NOON + DAY)

    def answer_many(self, count: int) -> Callable[[], object]:
        words = ("acknowledged", "removed", "forwarded", "not_ours", "dispute", "need_information")
        answers = [
            Answer(notice.reference, words[i % 6], reason="because")
            for i, notice in enumerate(self.notices(count, "notified"))
        ]
        return lambda: answer_many(provider_id=self.provider.pk, answers=answers, by=SYSTEM, now=NOON)

    def answer_first(self, count: int) -> Callable[[], object]:
        """Answers that start clocks."""
        answers = [Answer(notice.reference, "acknowledged") for notice in self.notices(count, "sent")]
        return lambda: answer_many(provider_id=self.provider.pk, answers=answers, by=SYSTEM, now=NOON)

    def observe(self, count: int) -> Callable[[], object]:
        notices = self.notices(count, "notified")
        sightings = [
            observe.Seen(notice.reference, NOON + minutes * timedelta(minutes=1), outcome, "checker-nl")
            for i, notice in enumerate(notices)
            for minutes, outcome in ((0, "gone"), (5, "gone" if i % 2 else "online"), (10, "gone"))
        ]
        now = NOON + timedelta(minutes=10)
        return lambda: observe.observe(sightings=sightings, by=SYSTEM, now=now)

    def lease_checks(self, count: int) -> Callable[[], object]:
        self.notices(count, "notified")
        return lambda: due_checks.lease_checks(limit=500, by=SYSTEM, now=NOON)

    def receive(self, count: int) -> Callable[[], object]:
        lines = [receive.Line(f"https://new.example/{i % (count - 2)}") for i in range(count)]
        source = SourceFactory()
        return lambda: receive.receive(source=source, way="file", lines=lines, by=SYSTEM, now=NOON)

    def read_on(self, count: int) -> Callable[[], object]:
        lines = [receive.Line(f"https://new.example/{i % (count - 2)}") for i in range(count)]
        report = keep.keep(source=SourceFactory(), way="file", lines=lines, digest=None, by=SYSTEM, now=NOON)
        return lambda: keep.read_on(report_id=report.pk, now=NOON)

    def extend(self, count: int) -> Callable[[], object]:
        self.notices(count, "received")
        return extend


SERVICES = [name for name in vars(World) if not name.startswith("_") and name != "notices"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_asks_as_often_for_200_rows_as_for_10(name: str, host: Callable[..., None]) -> None:
    host(relay_is_final_hop=True)
    asked = []
    for count in (10, 200):
        # Each batch in a world of its own.
        with transaction.atomic():
            act = getattr(World(), name)(count)
            with CaptureQueriesContext(connection) as queries:
                act()
            asked.append([query["sql"][:90] for query in queries])
            transaction.set_rollback(True)

    assert len(asked[0]) == len(asked[1]), "\n".join(asked[1])
    assert len(asked[0]) < 60
