"""Whoever leaves is out at the next request, in every channel: sessions, keys, invitations."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.models import ApiKey, User
from audit.record import Actor
from providers.models import Provider
from providers.services import end_relation, merge
from tests.factories import SYSTEM, ProviderFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough pass phrase"


@dataclass
class Leaver:
    """An admin of a provider with all that lets somebody in by them."""

    person: User
    colleague: User
    session: Client
    key: str
    invitation: str

    def opens(self) -> dict[str, bool]:
        """Which channel lets somebody in, at this very request."""
        header = {"authorization": f"Bearer {self.key}"}
        return {
            "session": self.session.get("/portal/").status_code == 200,
            "log-in": authenticate(username=self.person.email, password=PASSWORD) is not None,
            "key": Client().get("/api/v1/notices/", headers=header).status_code == 200,
            "invitation": Client().get(f"/join/{self.invitation}/").status_code == 200,
        }


@pytest.fixture
def leaver() -> Leaver:
    provider = ProviderFactory(code="alfa")
    person = UserFactory(provider_admin=True, provider=provider, email="ada@alfa.example")
    person.set_password(PASSWORD)
    person.save()
    colleague = UserFactory(provider_admin=True, provider=provider, email="bo@alfa.example")
    session = Client()
    session.force_login(person)
    now = timezone.now()
    by = Actor.of(person)
    _key, secret = services.make_key(
        name="tickets",
        scopes=["notices:read"],
        valid=timedelta(days=90),
        provider_id=provider.pk,
        by=by,
        now=now,
    )
    _invitation, token = services.invite(
        email="new@alfa.example", role="provider_member", provider_id=provider.pk, by=by, now=now
    )
    return Leaver(person, colleague, session, secret, token)


def _ended_by_a_colleague(leaver: Leaver) -> None:
    services.end_membership(
        user_id=leaver.person.pk,
        provider_id=leaver.person.provider_id or 0,
        by=Actor.of(leaver.colleague),
        now=timezone.now(),
    )


def _ended_by_the_staff(leaver: Leaver) -> None:
    services.change_user(user_id=leaver.person.pk, by=SYSTEM, now=timezone.now(), is_active=False)


def _moved_to_another_provider(leaver: Leaver) -> None:
    services.change_user(
        user_id=leaver.person.pk, by=SYSTEM, now=timezone.now(), provider=ProviderFactory(code="beta")
    )


def _merged(leaver: Leaver) -> None:
    merge(
        provider_id=leaver.person.provider_id or 0,
        other_id=ProviderFactory(code="beta").pk,
        valid_from=date(2026, 1, 1),
        reason="press release",
        by=SYSTEM,
        now=timezone.now(),
    )


def _row_changed_by_hand(leaver: Leaver) -> None:
    User.objects.filter(pk=leaver.person.pk).update(is_active=False)


@pytest.mark.parametrize("leave", [_ended_by_a_colleague, _ended_by_the_staff, _merged, _row_changed_by_hand])
def test_a_leaver_is_out_at_the_next_request_in_every_channel(
    leaver: Leaver, leave: Callable[[Leaver], None]
) -> None:
    assert leaver.opens() == {"session": True, "log-in": True, "key": True, "invitation": True}
    leave(leaver)
    assert leaver.opens() == {"session": False, "log-in": False, "key": False, "invitation": False}


def test_whoever_goes_to_another_provider_takes_nothing_along(leaver: Leaver) -> None:
    _moved_to_another_provider(leaver)
    # They may log in again, there.
    assert leaver.opens() == {"session": False, "log-in": True, "key": False, "invitation": False}


def test_an_admin_who_becomes_a_member_has_no_invitations_and_makes_no_keys(leaver: Leaver) -> None:
    provider = leaver.person.provider_id or 0
    services.change_role(
        user_id=leaver.person.pk, provider_id=provider, admin=False,
        by=Actor.of(leaver.colleague), now=timezone.now(),
    )  # fmt: skip
    # A member reads notices, so the key may; who has no role any more has no key either.
    assert leaver.opens() == {"session": True, "log-in": True, "key": True, "invitation": False}
    assert leaver.session.get("/portal/keys/").status_code == 403
    User.objects.filter(pk=leaver.person.pk).update(roles=[])
    assert not leaver.opens()["key"]


def test_a_merger_counts_from_its_day_and_not_after_it_was_undone(leaver: Leaver) -> None:
    today = timezone.now().date()
    relation = merge(
        provider_id=leaver.person.provider_id or 0, other_id=ProviderFactory(code="beta").pk,
        valid_from=today + timedelta(days=3), reason="announced", by=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    assert all(leaver.opens().values())
    type(relation).objects.filter(pk=relation.pk).update(valid_from=today - timedelta(days=3))
    assert not any(leaver.opens().values())
    end_relation(
        relation_id=relation.pk, valid_until=today - timedelta(days=1), by=SYSTEM, now=timezone.now()
    )
    assert leaver.opens()["key"]


def test_what_the_hotline_made_for_a_provider_ends_with_nobody(leaver: Leaver) -> None:
    _key, secret = ApiKey.mint(
        name="theirs", scopes=["notices:read"], provider=Provider.objects.get(code="alfa")
    )
    _ended_by_a_colleague(leaver)
    answer = Client().get("/api/v1/notices/", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 200
