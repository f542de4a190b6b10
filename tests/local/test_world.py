"""The demo world: its people do nothing that a service would refuse them."""

from collections import Counter

import pytest

from cases.models import Message, Notice, Reply, Verdict
from local.demo.world import BEGAN, HERE, World, people
from providers.files import import_providers
from providers.models import Contact, Provider
from tests.factories import HOUR, NOON, SYSTEM, ContactFactory, NoticeFactory

pytestmark = pytest.mark.django_db


def test_what_waits_for_the_contacts_desk_is_there() -> None:
    import_providers(HERE / "providers.csv", by=SYSTEM, now=NOON)
    people(NOON)

    World(until=NOON, seed=1, say=print).lose_contacts(NOON)

    assert Contact.objects.filter(suspended_at__isnull=False).count() == 2
    assert Contact.objects.get(address="noc@charlie.test").usable
    assert Contact.objects.get(address="abuse@delta.test").approved_at is None


def test_alfas_list_has_something_of_everything_to_work_through() -> None:
    import_providers(HERE / "providers.csv", by=SYSTEM, now=NOON)
    people(NOON)
    world = World(until=NOON, seed=1, say=print)
    alfa = Provider.objects.get(code="alfa")
    contact = ContactFactory(provider=alfa, approved=True)
    notices = [
        NoticeFactory(notified=True, provider=alfa, contact=contact, notified_at=NOON - 3 * HOUR)
        for _ in range(12)
    ]
    world.kept.update(notice.content.url for notice in notices)

    began = NOON - BEGAN
    world.at(began, world.begin_at_alfa)
    world.play()

    said = Counter(Reply.objects.values_list("answer", flat=True))
    assert said == {"removed": 2, "acknowledged": 4, "forwarded": 2, "need_information": 1}
    assert Notice.objects.contradicted().count() == 1
    assert Notice.objects.filter(state="removed").count() == 1
    assert Verdict.objects.filter(receipt__isnull=False, answer="confirmed").exists()
    assert Message.objects.unread().count() == 1
