"""The demo world: its people do nothing that a service would refuse them."""

import pytest

from local.demo.world import HERE, World, people
from providers.files import import_providers
from providers.models import Contact
from tests.factories import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def test_what_waits_for_the_contacts_desk_is_there() -> None:
    import_providers(HERE / "providers.csv", by=SYSTEM, now=NOON)
    people(NOON)

    World(until=NOON, seed=1, say=print).lose_contacts(NOON)

    assert Contact.objects.filter(suspended_at__isnull=False).count() == 2
    assert Contact.objects.get(address="noc@charlie.test").usable
    assert Contact.objects.get(address="abuse@delta.test").approved_at is None
