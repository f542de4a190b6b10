"""What opens, what does not, and what is written down of it; without a browser."""

import base64
import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import factors, services
from accounts.models import Session, User
from accounts.views import coming_in
from audit.models import Event
from audit.record import Actor
from tests.accounts.apps import code_of
from tests.factories import NOON, ProviderFactory, UserFactory

PASSWORD = "a long enough pass phrase"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HALF_MINUTE = timedelta(seconds=30)


def broken(**response: str) -> str:
    """A credential in the right form, with `response` in it, in base 64."""
    said = {"clientDataJSON": '{"type": "webauthn.create", "challenge": "x", "origin": "http://localhost"}'}
    parts = {
        name: base64.urlsafe_b64encode(text.encode()).decode() for name, text in (said | response).items()
    }
    return json.dumps({"id": "eA", "rawId": "eA", "type": "public-key", "response": parts})


#: Cut off, empty, not CBOR, too short for what it says, and an attestation without a key.
BROKEN = [
    broken(),
    broken(attestationObject=""),
    broken(attestationObject="\x19"),
    broken(attestationObject="nonsense"),
    broken(attestationObject="\xa3cfmtdnonegattStmt\xa0hauthDatax"),
    broken(authenticatorData="", signature="", userHandle="MQ"),
    broken(authenticatorData="x" * 37, signature="x", userHandle="1"),
    broken(authenticatorData="A" * 60, signature="x", userHandle="99999999999999999999"),
    broken(clientDataJSON="[1]", attestationObject="x"),
    broken(clientDataJSON="{}", attestationObject="x"),
]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_earnest(host: Callable[..., None]) -> None:
    """A second factor is required."""
    host(second_factor=True)


@pytest.fixture
def noor() -> User:
    """A supervisor with a password and nothing else."""
    person: User = UserFactory(supervisor=True, password=PASSWORD)
    return person


def set_up_app(person: User, at: datetime = NOON) -> list[str]:
    """An app of this person; its recovery codes."""
    return services.enrol_app(
        user_id=person.pk, secret=SECRET, code=code_of(SECRET, at), by=Actor.of(person), now=at
    )


def first_step(client: Client, person: User, password: str = PASSWORD) -> str:
    """Where the password leads."""
    answer = client.post("/login/", {"username": person.email, "password": password})
    return str(answer.get("Location", answer.status_code))


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def failures() -> list[str]:
    return [(event.data or {})["step"] for event in Event.objects.filter(act="log_in_failed").order_by("pk")]


# -- The steps -----------------------------------------------------------------------------------------


def test_a_right_password_alone_only_leads_to_the_setting_up_of_a_second_factor(
    client: Client, noor: User
) -> None:
    assert first_step(client, noor) == "/login/enrol/"
    assert not is_in(client)
    assert client.get("/staff/").status_code == 302

    page = client.get("/login/enrol/").text
    secret = re.search(r'way__key">([^<]+)<', page)[1].replace(" ", "")  # type: ignore[index]
    assert client.post("/login/enrol/", {"code": "000000"}).status_code == 422
    codes = client.post("/login/enrol/", {"code": code_of(secret, timezone.now())}).text

    assert len(re.findall(r"<li><code>\d{4} \d{4}</code>", codes)) == 10
    assert is_in(client)


def test_a_password_and_a_code_open_and_the_code_opens_nothing_again(client: Client, noor: User) -> None:
    set_up_app(noor)
    code = code_of(SECRET, timezone.now())
    assert first_step(client, noor) == "/login/second/"

    assert client.post("/login/second/", {"code": f"{code[:3]} {code[3:]}"})["Location"] == "/home/"

    assert is_in(client)
    other = Client()
    first_step(other, noor)
    assert other.post("/login/second/", {"code": code}).status_code == 200
    assert not is_in(other)
    assert failures() == ["code"]


def test_a_code_counts_half_a_minute_early_and_late_and_each_once(noor: User) -> None:
    set_up_app(noor)
    later = NOON + timedelta(hours=1)

    def opens(code_at: datetime) -> bool:
        try:
            services.use_code(user_id=noor.pk, code=code_of(SECRET, code_at), now=later)
        except factors.NotProven:
            return False
        return True

    assert not opens(later - 2 * HALF_MINUTE)
    assert opens(later)
    assert not opens(later)
    assert not opens(later - HALF_MINUTE), "what was shown before the used one is spent with it"
    assert opens(later + HALF_MINUTE)
    assert not opens(later + 2 * HALF_MINUTE)


def test_a_recovery_code_opens_once_and_new_ones_end_the_old(noor: User) -> None:
    codes = set_up_app(noor)

    assert services.use_code(user_id=noor.pk, code=codes[3], now=NOON) == "recovery_codes"
    with pytest.raises(factors.NotProven):
        services.use_code(user_id=noor.pk, code=codes[3], now=NOON)
    fresh = services.renew_codes(user_id=noor.pk, by=Actor.of(noor), now=NOON)
    with pytest.raises(factors.NotProven):
        services.use_code(user_id=noor.pk, code=codes[4], now=NOON)
    assert services.use_code(user_id=noor.pk, code=fresh[4], now=NOON) == "recovery_codes"


def test_secrets_of_apps_and_codes_lie_sealed(noor: User) -> None:
    set_up_app(noor)

    kept = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert SECRET not in kept
    assert {"secret", "seed"} <= set(re.findall(r"'(\w+)':", kept))


def test_halfway_lasts_ten_minutes_and_not_for_who_left(
    client: Client, noor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_app(noor)
    first_step(client, noor)
    User.objects.update(is_active=False)
    assert client.get("/login/second/")["Location"] == "/login/"

    User.objects.update(is_active=True)
    assert client.get("/login/second/").status_code == 200
    monkeypatch.setattr(coming_in, "_HALFWAY_LASTS", timedelta(0))
    assert client.get("/login/second/")["Location"] == "/login/"


def test_another_password_ends_what_was_half_open(client: Client, noor: User) -> None:
    set_up_app(noor)
    first_step(client, noor)
    services.set_password(
        user_id=noor.pk, password="another long pass phrase", by=Actor.of(noor), now=timezone.now()
    )

    assert client.get("/login/second/")["Location"] == "/login/"


def test_a_first_second_factor_is_the_first_or_none(noor: User) -> None:
    services.check_first_factor(user_id=noor.pk)
    set_up_app(noor)

    with pytest.raises(services.Unfit):
        services.check_first_factor(user_id=noor.pk)


def test_the_way_back_stays_in_the_house(client: Client, noor: User) -> None:
    set_up_app(noor)
    client.post(
        "/login/", {"username": noor.email, "password": PASSWORD, "next": "https://evil.example/login/"}
    )

    answer = client.post("/login/second/", {"code": code_of(SECRET, timezone.now())})

    assert answer["Location"] == "/home/"


def test_a_credential_that_is_none_opens_nothing(client: Client, noor: User) -> None:
    assert client.post("/login/passkey/options/").json()["publicKey"]["userVerification"] == "required"
    for junk in (
        *BROKEN,
        "",
        "{}",
        "[]",
        "null",
        '{"id": 1}',
        '{"response": {"userHandle": "MQ"}}',
        '{"a"' * 50,
    ):
        assert client.post("/login/passkey/", {"credential": junk}).status_code == 200, junk
    assert not is_in(client)


def test_a_passkey_that_is_none_is_not_kept(client: Client, noor: User) -> None:
    first_step(client, noor)
    for junk in BROKEN:
        assert client.post("/login/enrol/options/").status_code == 200
        assert client.post("/login/enrol/", {"credential": junk}).status_code == 422, junk

    assert not factors.is_enrolled(noor)


@pytest.mark.parametrize("waived", [True, False])
def test_only_a_demo_world_lets_a_password_open_and_not_for_who_has_a_second_factor(
    client: Client, noor: User, host: Callable[..., None], waived: bool
) -> None:
    host(second_factor=not waived)

    assert (first_step(client, noor) == "/home/") == waived

    set_up_app(noor)
    assert first_step(Client(), noor) == "/login/second/"


# -- Guessing ------------------------------------------------------------------------------------------


def test_every_failure_is_answered_alike(client: Client, noor: User) -> None:
    UserFactory(analyst=True, password=PASSWORD, is_active=False)
    answers = [
        client.post("/login/", {"username": email, "password": password}).content
        for email, password in (
            (noor.email, "wrong"),
            ("nobody@hotline.example", PASSWORD),
            ("analyst@hotline.example", PASSWORD),
        )
    ]
    for _time in range(10):
        client.post("/login/", {"username": noor.email, "password": "wrong"})
    answers.append(client.post("/login/", {"username": noor.email, "password": PASSWORD}).content)

    def bare(page: bytes) -> str:
        return re.sub(
            rb'value="[^"]*"|<time.*?</time>( <span class="instant__also">.*?</span>)?', b"", page
        ).decode()

    assert {bare(page) for page in answers} == {bare(answers[0])}
    assert failures()[-1] == "too_often"


def test_who_is_guessed_at_still_comes_in_from_a_device_of_theirs(client: Client, noor: User) -> None:
    set_up_app(noor)
    first_step(client, noor)
    client.post("/login/second/", {"code": code_of(SECRET, timezone.now())})
    client.post("/logout/")

    attacker = Client()
    for _time in range(12):
        attacker.post("/login/", {"username": noor.email, "password": "guess"})

    assert first_step(attacker, noor) == "200", "not even with the right password"
    assert first_step(client, noor) == "/login/second/"


def test_who_tries_much_from_one_place_is_told_when_to_come_back(
    client: Client, noor: User, settings: Settings
) -> None:
    hour = timedelta(hours=1)
    settings.RATES = settings.RATES | {"login": dict.fromkeys(("address", "network", "everybody"), (2, hour))}
    for _time in range(2):
        first_step(client, noor, "wrong")

    answer = client.post("/login/", {"username": noor.email, "password": PASSWORD})

    assert answer.status_code == 429
    assert 1700 < int(answer["Retry-After"]) <= 1800


def test_the_attempts_at_all_addresses_of_one_provider_are_counted_together(
    client: Client, settings: Settings
) -> None:
    hour = timedelta(hours=1)
    settings.RATES = settings.RATES | {"account": {"account": (10, hour), "tenant": (3, hour)}}
    provider = ProviderFactory()
    people = [
        UserFactory(provider_contact=True, provider=provider, email=f"{n}@alfa.example", password=PASSWORD)
        for n in range(4)
    ]
    for person in people[:3]:
        first_step(client, person, "wrong")

    assert first_step(client, people[3]) == "200"


def test_codes_cannot_be_tried_one_after_the_other(client: Client, noor: User) -> None:
    set_up_app(noor)
    first_step(client, noor)
    for _time in range(10):
        client.post("/login/second/", {"code": "000000"})

    client.post("/login/second/", {"code": code_of(SECRET, timezone.now())})

    assert not is_in(client)
    assert failures() == ["code"] * 10 + ["too_often"]


# -- How long ------------------------------------------------------------------------------------------


def sat_still(person: User, span: timedelta) -> None:
    Session.objects.filter(user=person).update(seen_at=timezone.now() - span)


@pytest.mark.parametrize(("who", "minutes"), [("analyst", 15), ("provider_contact", 30)])
def test_who_sits_still_too_long_is_out(client: Client, who: str, minutes: int) -> None:
    person = UserFactory(**{who: True})
    client.force_login(person)

    sat_still(person, timedelta(minutes=minutes, seconds=-5))
    assert is_in(client)
    sat_still(person, timedelta(minutes=minutes))
    assert not is_in(client)
    assert not Session.objects.filter(user=person).exists()


def test_a_page_that_nobody_is_at_keeps_nobody_logged_in(client: Client, noor: User) -> None:
    client.force_login(noor)
    sat_still(noor, timedelta(minutes=5))
    seen = Session.objects.get().seen_at

    client.get("/account/", headers={"X-Unattended": "yes"})
    assert Session.objects.get().seen_at == seen
    client.get("/account/")
    assert Session.objects.get().seen_at > seen


def test_after_twelve_hours_everybody_logs_in_again_however_busy(client: Client, noor: User) -> None:
    client.force_login(noor)
    session = Session.objects.get()
    assert session.expire_date - session.started_at == timedelta(hours=12)

    kept = client.session
    kept["anything"] = "changed"
    kept.save()
    assert Session.objects.get().expire_date == session.expire_date, "saving it does not prolong it"
    Session.objects.update(expire_date=timezone.now())
    assert not is_in(client)
    services.forget_ended(now=timezone.now())
    assert not Session.objects.exists()


def test_who_leaves_is_out_in_every_browser(client: Client, noor: User) -> None:
    client.force_login(noor)

    services.change_user(user_id=noor.pk, by=Actor.system("test"), now=NOON, is_active=False)

    assert not is_in(client)
    assert not Session.objects.filter(user=noor).exists()
    assert Event.objects.filter(act="end_sessions", subject_id=noor.pk).exists()


# -- One's own page ------------------------------------------------------------------------------------


def logged_in(person: User) -> Client:
    """By password and code, so that the proof is fresh."""
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    set_up_app(person)
    first_step(client, person)
    client.post("/login/second/", {"code": code_of(SECRET, timezone.now())})
    return client


def test_a_person_sees_and_ends_their_sessions_and_nobody_elses(noor: User) -> None:
    here, there, foreign = logged_in(noor), Client(), Client()
    there.force_login(noor)
    foreign.force_login(UserFactory(analyst=True))
    page = here.get("/account/").text
    assert "Firefox, Linux" in page
    assert "127.0.0.0/24" in page
    numbers = {str(session.user): session.number for session in Session.objects.exclude(device__gt="")}
    assert str(numbers["Analyst"]) not in page

    here.post(f"/account/sessions/{numbers['Analyst']}/end/")
    here.post(f"/account/sessions/{uuid.uuid4()}/end/")
    assert is_in(foreign)
    assert is_in(there)
    here.post(f"/account/sessions/{numbers[str(noor)]}/end/")
    assert not is_in(there)
    there.force_login(noor)
    here.post("/account/sessions/end/")
    assert not is_in(there)
    assert is_in(here)


def test_the_last_way_in_cannot_be_removed_and_nobody_elses_at_all(noor: User) -> None:
    client = logged_in(noor)
    other = UserFactory(analyst=True)
    set_up_app(other)
    for app in Authenticator.objects.filter(type=factors.APP):
        answer = client.post(f"/account/factors/{app.pk}/remove/", follow=True)
        assert "message--error" in answer.text

    assert Authenticator.objects.filter(type=factors.APP).count() == 2


def test_what_is_weighty_wants_a_proof_of_the_last_ten_minutes(noor: User) -> None:
    robin = UserFactory(functional_admin=True, password=PASSWORD)
    client = logged_in(robin)
    pages = ("/staff/accounts/apikey/new/", "/account/enrol/", "/staff/accounts/user/new/")
    assert {client.get(page).status_code for page in pages} == {200}

    kept = client.session
    kept["proved_at"] = (timezone.now() - timedelta(minutes=10)).timestamp()
    kept.save()

    for page in pages:
        assert client.get(page)["Location"] == f"/account/confirm/?next={page.replace('/', '%2F')}"
    form = "http://testserver/staff/accounts/user/3/change/?tab=rights"
    asked = client.post(f"/staff/accounts/user/{noor.pk}/save/", {}, headers={"Referer": form})
    assert asked["Location"] == "/account/confirm/?next=%2Fstaff%2Faccounts%2Fuser%2F3%2Fchange%2F"
    assert client.post("/account/confirm/", {"code": "000000"}).status_code == 422
    code = code_of(SECRET, timezone.now() + HALF_MINUTE)
    assert client.post("/account/confirm/?next=/staff/", {"code": code})["Location"] == "/staff/"
    assert {client.get(page).status_code for page in pages} == {200}


def test_the_page_costs_the_same_however_many_sessions(
    client: Client, noor: User, django_assert_num_queries: Callable[..., object]
) -> None:
    for _time in range(5):
        Client().force_login(noor)
    client.force_login(noor)

    with django_assert_num_queries(4):  # session, person, ways in, sessions
        client.get("/account/")
