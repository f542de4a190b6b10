"""Who is let in by whom: invitations, colleagues, and a new way in by two of the staff."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts import factors, services
from accounts.models import Invitation, Recovery, Session, User
from accounts.services import Unfit, invitations
from audit.models import Event
from audit.record import Actor
from providers.models import Provider
from tests.accounts.apps import code_of
from tests.factories import AMONG_OWN_ROWS, NOON, ProviderFactory, UserFactory

PASSWORD = "a long enough pass phrase"
pytestmark = pytest.mark.django_db


@pytest.fixture
def alfa() -> Provider:
    provider: Provider = ProviderFactory(code="alfa")
    return provider


@pytest.fixture
def admin(alfa: Provider) -> User:
    """The only admin of Alfa."""
    person: User = UserFactory(provider_admin=True, provider=alfa, name="Ada")
    return person


@pytest.fixture
def member(alfa: Provider) -> User:
    """A colleague."""
    person: User = UserFactory(provider_contact=True, provider=alfa, name="Ben")
    return person


def of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def link_in(page: str) -> str:
    return str(re.search(r"http://localhost:8000(/join/[\w-]{43}/)", page)[1])  # type: ignore[index]


def invited(by: User, email: str = "new@alfa.example", role: str = "provider_member") -> str:
    """The path of a fresh link."""
    return link_in(of(by).post("/portal/colleagues/invite/", {"email": email, "role": role}).text)


def take_up(client: Client, link: str, **fields: str) -> int:
    """Press, and set up an app; the status of the last answer."""
    if client.post(link, {"name": "New Person"}).status_code != 302:
        return 404
    secret = re.search(r'way__key">([^<]+)<', client.get("/join/").text)[1].replace(" ", "")  # type: ignore[index]
    data = {"code": code_of(secret, timezone.now()), "password": PASSWORD, "again": PASSWORD}
    return client.post("/join/", data | fields).status_code


# -- Invitations ---------------------------------------------------------------------------------------


def test_a_link_makes_an_account_once_and_only_with_a_second_factor(admin: User, client: Client) -> None:
    link = invited(admin)
    before = Invitation.objects.values().get(), User.objects.count()
    for _look in range(3):
        assert client.get(link).status_code == 200
    assert (Invitation.objects.values().get(), User.objects.count()) == before, "a look changes nothing"
    assert link.split("/")[2] not in str(before)

    assert take_up(client, link, code="000000") == 422
    assert take_up(client, link, again="something else") == 422
    assert User.objects.count() == before[1]
    assert take_up(client, link) == 200

    person = User.objects.get(email="new@alfa.example")
    assert (person.name, person.roles, person.provider) == ("New Person", ["provider_member"], admin.provider)
    assert person.check_password(PASSWORD)
    assert factors.is_enrolled(person)
    assert client.get("/portal/").status_code == 200
    assert take_up(Client(), link) == 404
    acts = [event.act for event in Event.objects.filter(subject="invitation").order_by("pk")]
    assert acts == ["invite", "take_up"]


@pytest.mark.parametrize(
    "why", ["revoked", "replaced", "old", "inviter left", "inviter is no admin any more"]
)
def test_a_link_opens_nothing_any_more(
    admin: User, client: Client, why: str, host: Callable[..., None]
) -> None:
    if why == "old":
        host(invitation_valid=timedelta(0))
    link = invited(admin)
    halfway = Client()
    halfway.post(link, {"name": "New"})
    by = {"by": Actor.system("test"), "now": timezone.now()}
    match why:
        case "revoked":
            of(admin).post(f"/portal/colleagues/invitations/{Invitation.objects.get().pk}/revoke/")
        case "replaced":
            invited(admin)
        case "inviter left":
            services.change_user(user_id=admin.pk, is_active=False, **by)
        case "inviter is no admin any more":
            UserFactory(provider_admin=True, provider=admin.provider, email="second@alfa.example")
            services.change_role(user_id=admin.pk, provider_id=admin.provider_id, admin=False, **by)

    assert client.get(link).status_code == 404
    assert take_up(client, link) == 404
    assert halfway.get("/join/").status_code == 404
    assert client.get("/join/not-a-link/").status_code == 404


def test_a_provider_invites_to_itself_only_and_does_not_learn_who_has_an_account_elsewhere(
    admin: User, member: User, client: Client
) -> None:
    UserFactory(analyst=True)

    again = of(admin).post("/portal/colleagues/invite/", {"email": member.email, "role": "provider_member"})
    assert "has an account already" in again.text
    link = invited(admin, "ANALYST@hotline.example")
    assert take_up(client, link) == 422
    assert User.objects.get(email="analyst@hotline.example").roles == ["analyst"]
    wrong = {"email": "x@alfa.example", "role": "analyst"}
    assert of(admin).post("/portal/colleagues/invite/", wrong).status_code == 422


def test_the_staff_invite_the_first_admin_of_a_provider(alfa: Provider, client: Client) -> None:
    desk = of(UserFactory(contact_manager=True))
    data = {"provider": "alfa", "email": "boss@alfa.example", "role": "provider_admin"}

    link = link_in(desk.post("/staff/accounts/invitation/new/", data).text)
    assert "boss@alfa.example" in desk.get("/staff/accounts/invitation/").text
    assert take_up(client, link) == 200

    assert User.objects.get(email="boss@alfa.example").roles == ["provider_admin"]
    assert client.get("/portal/colleagues/").status_code == 200


# -- Colleagues ----------------------------------------------------------------------------------------


def test_a_member_sees_colleagues_and_changes_nothing(admin: User, member: User) -> None:
    foreign = UserFactory(provider_admin=True, provider=ProviderFactory(code="bravo"), name="Zoe")
    client = of(member)

    page = client.get("/portal/colleagues/").text
    assert "Ada" in page
    assert foreign.name not in page
    assert "<form" not in page.split('<main id="main"')[1]
    for address in ("invite/", "invitations/1/revoke/", f"{admin.pk}/role/", f"{admin.pk}/end/"):
        assert client.post(f"/portal/colleagues/{address}", {"admin": "no"}).status_code == 403


def test_an_admin_shuts_out_a_colleague_at_their_next_request_and_never_the_last_admin(
    admin: User, member: User
) -> None:
    client, theirs = of(admin), of(member)
    assert theirs.get("/portal/").status_code == 200

    client.post(f"/portal/colleagues/{member.pk}/end/")

    assert theirs.get("/portal/").status_code == 302
    assert not Session.objects.filter(user=member).exists()
    for act in ("end/", "role/"):
        client.post(f"/portal/colleagues/{admin.pk}/{act}", {"admin": "no"})
    kept = User.objects.get(pk=admin.pk)
    assert (kept.is_active, kept.roles) == (True, ["provider_admin"])


def test_an_admin_makes_another_and_may_then_step_back(admin: User, member: User) -> None:
    client = of(admin)

    client.post(f"/portal/colleagues/{member.pk}/role/", {"admin": "yes"})
    client.post(f"/portal/colleagues/{admin.pk}/role/", {"admin": "no"})

    assert User.objects.get(pk=member.pk).roles == ["provider_admin"]
    assert User.objects.get(pk=admin.pk).roles == ["provider_member"]
    assert client.post(f"/portal/colleagues/{member.pk}/end/").status_code == 403


def test_the_people_of_another_provider_are_nobody_here(admin: User) -> None:
    foreign = UserFactory(provider_contact=True, provider=ProviderFactory(code="bravo"))
    unknown = foreign.pk + 1000

    def told(pk: int, act: str) -> str:
        page = of(admin).post(f"/portal/colleagues/{pk}/{act}/", {"admin": "yes"}, follow=True).text
        return str(re.search(r'role="alert">(.*?)</div>\s*</div>', page, re.DOTALL)[1])  # type: ignore[index]

    for act in ("end", "role"):
        assert told(foreign.pk, act) == told(unknown, act)
    assert User.objects.get(pk=foreign.pk).is_active


def test_the_page_of_colleagues_costs_the_same_however_many(
    admin: User, django_assert_num_queries: Callable[..., object]
) -> None:
    for n in range(20):
        UserFactory(provider_contact=True, provider=admin.provider, email=f"{n}@alfa.example")
    invited(admin, "a@x.example")
    invited(admin, "b@x.example")
    client = of(admin)

    with django_assert_num_queries(
        4 + AMONG_OWN_ROWS
    ):  # session, person with provider, colleagues, invitations
        client.get("/portal/colleagues/")


def test_of_two_who_take_up_an_address_at_one_moment_one_is_told_so_in_words(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited(admin)
    UserFactory(email="new@alfa.example")
    # The other one's account is not seen yet when it is looked for.
    looked_for = User.objects.filter(email="nobody@alfa.example")
    monkeypatch.setattr(invitations.User.objects, "filter", lambda **_which: looked_for)
    with pytest.raises(Unfit):
        services.take_up(
            invitation_id=Invitation.objects.get().pk,
            person_id=services.next_person(),
            name="Second",
            language="en",
            password="",
            now=timezone.now(),
        )

    monkeypatch.undo()
    assert Invitation.objects.get().used_at is None


# -- A new way in --------------------------------------------------------------------------------------


@pytest.fixture
def robin() -> User:
    person: User = UserFactory(functional_admin=True, name="Robin")
    return person


@pytest.fixture
def sam() -> User:
    person: User = UserFactory(supervisor=True, name="Sam")
    return person


def test_two_of_the_staff_give_a_new_way_in_and_the_old_ones_end(
    robin: User, sam: User, member: User, client: Client
) -> None:
    secret = factors.new_secret()
    services.enrol_app(
        user_id=member.pk, secret=secret, code=code_of(secret, NOON), by=Actor.of(member), now=NOON
    )
    theirs = of(member)
    desk = "/staff/accounts/recovery/"

    of(robin).post(f"{desk}ask/", {"email": member.email, "reason": "lost the telephone"})
    recovery = Recovery.objects.get()
    assert theirs.get("/portal/").status_code == 200, "asking changes nothing"
    assert "/join/" not in of(robin).post(f"{desk}{recovery.pk}/confirm/", follow=True).text
    assert Recovery.objects.get().decided_at is None, "nobody confirms what they asked"
    assert "lost the telephone" in of(sam).get(desk).text
    link = link_in(of(sam).post(f"{desk}{recovery.pk}/confirm/").text)

    assert theirs.get("/portal/").status_code == 302
    assert not Authenticator.objects.filter(user=member).exists()
    assert take_up(client, link) == 200
    assert client.get("/portal/").status_code == 200
    kept = User.objects.get(pk=member.pk)
    assert (kept.name, kept.roles, kept.check_password(PASSWORD)) == ("Ben", ["provider_member"], True)
    acts = Event.objects.filter(subject="user", subject_id=member.pk).order_by("pk")
    assert [(event.act, event.actor) for event in acts if "recovery" in event.act] == [
        ("ask_recovery", f"user:{robin.pk}"),
        ("confirm_recovery", f"user:{sam.pk}"),
    ]


def test_who_had_the_password_finds_nothing_half_open_after_a_new_way_in_was_given(
    robin: User, sam: User, member: User, host: Callable[..., None]
) -> None:
    host(second_factor=True)
    member.set_password(PASSWORD)
    member.save()
    secret = factors.new_secret()
    services.enrol_app(
        user_id=member.pk, secret=secret, code=code_of(secret, NOON), by=Actor.of(member), now=NOON
    )
    thief = Client()
    assert thief.post("/login/", {"username": member.email, "password": PASSWORD})["Location"] == (
        "/login/second/"
    )

    asked = services.ask_recovery(email=member.email, reason="x", by=Actor.of(robin), now=timezone.now())
    services.confirm_recovery(recovery_id=asked.pk, by=Actor.of(sam), now=timezone.now())

    assert thief.get("/login/enrol/").get("Location") == "/login/"
    assert thief.post("/login/enrol/options/").status_code == 403


def test_nobody_confirms_their_own_and_a_no_changes_nothing(robin: User, sam: User) -> None:
    services.ask_recovery(email=sam.email, reason="x", by=Actor.of(robin), now=NOON)
    recovery = Recovery.objects.get()
    for person in (robin, sam):
        with pytest.raises(Unfit):
            services.confirm_recovery(recovery_id=recovery.pk, by=Actor.of(person), now=NOON)
    with pytest.raises(Unfit):
        services.ask_recovery(email=sam.email, reason="again", by=Actor.of(robin), now=NOON)

    services.refuse_recovery(recovery_id=recovery.pk, by=Actor.of(sam), now=NOON)

    assert not Invitation.objects.exists()
    with pytest.raises(Unfit):
        services.refuse_recovery(recovery_id=recovery.pk, by=Actor.of(robin), now=NOON)


def test_the_database_itself_wants_two(robin: User, sam: User) -> None:
    asked = services.ask_recovery(email=sam.email, reason="x", by=Actor.of(robin), now=NOON)

    with pytest.raises(IntegrityError):
        Recovery.objects.filter(pk=asked.pk).update(decided_by=robin, decided_at=NOON, confirmed=True)


@pytest.mark.parametrize("desk", ["invitation", "recovery"])
def test_the_lists_of_the_staff_cost_the_same_however_long(
    robin: User, admin: User, desk: str, django_assert_max_num_queries: Callable[..., object]
) -> None:
    by, now = Actor.of(robin), timezone.now()
    for n in range(12):
        person = UserFactory(analyst=True, email=f"{n}@hotline.example")
        services.ask_recovery(email=person.email, reason="x", by=by, now=now)
        services.invite(
            email=f"{n}@alfa.example",
            role="provider_member",
            provider_id=admin.provider_id,
            by=by,
            now=now,
        )
    client = of(robin)

    with django_assert_max_num_queries(8):  # session, person, count, rows, and the filter's providers
        assert "11@" in client.get(f"/staff/accounts/{desk}/").text
