"""Providers, people, keys, terms and the record."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey, User
from audit.models import Event
from audit.record import Actor, record
from cases.models import DeadlineRule
from providers.models import AsnRule, Attribution, Contact, ContactKey, HostRule, Network, Provider, Relation
from providers.routes import import_routes
from providers.sources.resolver import StaticResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AsnRuleFactory,
    ContactFactory,
    HostRuleFactory,
    NetworkFactory,
    ProviderFactory,
    UserFactory,
    api_key,
)
from tests.providers.test_openpgp import pair
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db


def acts(subject: str) -> list[tuple[str, str]]:
    return list(Event.objects.filter(subject=subject).order_by("pk").values_list("act", "actor"))


# -- providers ------------------------------------------------------------------------------------------------


def press(client: Client, provider: Provider, route: str, **fields: Any) -> Any:
    return client.post(f"/staff/providers/provider/{provider.pk}/{route}/", fields, follow=True)


def test_a_contact_is_added_by_one_and_approved_by_another_suspended_and_used_again(
    in_charge: Client, supervisor: User, browser: Browser, notice_desk: User
) -> None:
    provider = ProviderFactory()

    press(
        browser(notice_desk),
        provider,
        "contact_add",
        role="abuse",
        channel="smtp",
        address="abuse@alfa.example",
        mode="portal",
    )
    contact = Contact.objects.get()
    assert not contact.usable  # nothing goes there before a person approves it

    press(in_charge, provider, f"contacts/{contact.pk}/approve")
    assert Contact.objects.get().usable

    press(in_charge, provider, f"contacts/{contact.pk}/suspend", reason="it bounces")
    assert Contact.objects.get().suspended_reason == "it bounces"

    press(in_charge, provider, f"contacts/{contact.pk}/resume")
    assert Contact.objects.get().usable
    by = f"user:{supervisor.pk}"
    first = ("add", f"user:{notice_desk.pk}")
    assert acts("contact") == [first, ("approve", by), ("suspend", by), ("resume", by)]


def test_the_page_of_a_contact_says_what_it_gets_and_lets_it_be_changed(in_charge: Client) -> None:
    contact = ContactFactory(approved=True)
    at = f"/staff/providers/provider/{contact.provider_id}/contacts/{contact.pk}/"
    assert in_charge.get(at).status_code == 200

    answer = press(
        in_charge,
        contact.provider,
        f"contacts/{contact.pk}/change",
        mode="attachment",
        formats="both",
    )
    assert answer.redirect_chain == [(at, 302)]
    assert (Contact.objects.get().mode, Contact.objects.get().formats) == ("attachment", "both")
    assert "CSV and XARF v4 (JSON)" in answer.content.decode()

    answer = press(
        in_charge, contact.provider, f"contacts/{contact.pk}/change", mode="portal", formats="xarf"
    )
    assert answer.status_code == 422
    assert "an XARF report has the address in it" in answer.content.decode()
    assert Contact.objects.get().formats == "both"
    assert in_charge.get(at.replace("/provider/", "/provider/9")).status_code == 404


def test_a_key_is_brought_by_one_compared_by_another_and_put_away(
    in_charge: Client, supervisor: User, browser: Browser
) -> None:
    contact = ContactFactory(approved=True)
    at = f"contacts/{contact.pk}"
    key, text = pair()
    spelled = key.extract_certificate().fingerprint.upper()

    answer = press(in_charge, contact.provider, f"{at}/keys/add", text=text.decode())
    brought = ContactKey.objects.get()
    assert brought.approved_at is None
    assert f"{spelled[:4]} {spelled[4:8]}" in answer.content.decode()
    assert "Abuse desk &lt;abuse@alfa.example&gt;" in answer.content.decode()

    file = SimpleUploadedFile("key.asc", bytes(key.extract_certificate()))
    press(in_charge, contact.provider, f"{at}/keys/add", file=file)
    again = ContactKey.objects.proposed().get()
    assert again.pk != brought.pk

    answer = press(in_charge, contact.provider, f"{at}/keys/{brought.pk}/approve")
    assert "Another key waits for approval than the one that you saw." in answer.content.decode()
    answer = press(in_charge, contact.provider, f"{at}/keys/{again.pk}/approve")
    assert "Somebody else approves it: you added it yourself." in answer.content.decode()
    other = UserFactory(supervisor=True, email="other@hotline.example")
    press(browser(other), contact.provider, f"{at}/keys/{again.pk}/approve")
    assert ContactKey.objects.in_use().get().pk == again.pk
    press(in_charge, contact.provider, f"{at}/keys/{again.pk}/retire")
    assert not ContactKey.objects.in_use()

    by, approved_by = f"user:{supervisor.pk}", f"user:{other.pk}"
    added = ("add_key", by)
    assert acts("contact") == [added, added, ("approve_key", approved_by), ("retire_key", by)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": ""}, "Paste the key, or choose its file."),
        ({"text": "my key"}, "no OpenPGP key"),
        ({"text": str(pair()[0])}, "private key. It was not kept"),
        ({"file": SimpleUploadedFile("key.asc", b"x" * 70_000)}, "64 kB"),
    ],
)
def test_what_is_no_key_is_refused_in_words(in_charge: Client, fields: dict[str, Any], said: str) -> None:
    contact = ContactFactory(approved=True)

    answer = press(in_charge, contact.provider, f"contacts/{contact.pk}/keys/add", **fields)

    assert said in answer.content.decode()
    assert "PRIVATE KEY" not in answer.content.decode()
    assert not ContactKey.objects.exists()


def test_the_secret_of_a_webhook_is_shown_once_and_tried_by_a_button(in_charge: Client) -> None:
    contact = ContactFactory(approved=True, channel="webhook", mode="api", address="https://192.0.2.7/hook")
    at = f"contacts/{contact.pk}"

    answer = press(in_charge, contact.provider, f"{at}/secret/mint")
    (secret,) = [each.secret for each in contact.secrets.all()]
    assert secret in html.unescape(answer.content.decode())
    page = in_charge.get(f"/staff/providers/provider/{contact.provider_id}/{at}/").content.decode()
    assert "whsec_" not in page

    answer = press(in_charge, contact.provider, f"{at}/secret/try")
    # An address for documentation: the guard does not go there.
    assert "Their server did not accept it: We do not go there" in html.unescape(answer.content.decode())


def test_the_page_of_a_contact_costs_as_few_queries_as_it_needs(
    in_charge: Client, django_assert_max_num_queries: Any
) -> None:
    contact = ContactFactory(approved=True)

    with django_assert_max_num_queries(8):
        in_charge.get(f"/staff/providers/provider/{contact.provider_id}/contacts/{contact.pk}/")


@pytest.mark.parametrize(
    ("route", "fields", "said"),
    [
        (
            "contact_add",
            {"role": "abuse", "channel": "smtp", "address": "no address", "mode": "portal"},
            "not an e-mail address",
        ),
        (
            "contact_add",
            {"role": "abuse", "channel": "webhook", "address": "http://x.test", "mode": "api"},
            "begins with https",
        ),
        (
            "contact_add",
            {"role": "abuse", "channel": "smtp", "address": "abuse@alfa.example", "mode": "portal"},
            "already",
        ),
        ("network_keep", {"prefix": "192.0.2.1/24", "asn": 1, "country": "NL", "name": "x"}, "host bits"),
        (
            "network_keep",
            {"prefix": "192.0.2.0/24", "asn": 2**32, "country": "NL", "name": "x"},
            "4294967295",
        ),
        ("network_keep", {"prefix": "192.0.2.0/24", "asn": 1, "country": "N1", "name": "x"}, "two letters"),
        (
            "host_rule_add",
            {"pattern": "nl", "country": "NL", "reason": "x"},
            "all who have a domain under it",
        ),
        ("host_rule_add", {"pattern": "http://a.test/x", "country": "NL", "reason": "x"}, "no http://"),
        ("host_rule_add", {"pattern": "*.a.test", "country": "NL", "reason": "x"}, "no wildcard"),
        ("host_rule_add", {"pattern": "forum.example", "country": "NL", "reason": "x"}, "rule for this host"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    in_charge: Client, route: str, fields: dict[str, Any], said: str
) -> None:
    provider = ProviderFactory()
    ContactFactory(provider=provider)
    HostRuleFactory(provider=provider, pattern="forum.example")
    before = Event.objects.count()

    answer = press(in_charge, provider, route, **fields)

    assert said in answer.content.decode()
    assert Event.objects.count() == before


def test_a_network_goes_to_another_provider_and_is_removed(in_charge: Client) -> None:
    beta, network = ProviderFactory(code="beta"), NetworkFactory()

    press(in_charge, beta, "network_keep", prefix="192.0.2.0/24", asn="64501", country="nl", name="BETA")
    network = Network.objects.get()
    assert (network.provider, network.asn, network.country) == (beta, 64501, "NL")

    press(in_charge, beta, f"networks/{network.pk}/remove")
    assert not Network.objects.exists()
    assert [act for act, _actor in acts("network")] == ["keep", "remove"]


def test_a_rule_for_a_host_is_sealed_shown_to_analysts_and_not_in_the_audit(
    in_charge: Client, at_work: Client
) -> None:
    provider = ProviderFactory()

    press(in_charge, provider, "host_rule_add", pattern="FAß.example.", country="NL", reason="They told us")

    rule = HostRule.objects.get()
    assert rule.pattern == "xn--fa-hia.example"
    assert b"xn--fa-hia" not in bytes(rule.pattern_sealed)
    assert (
        "xn--fa-hia.example"
        in at_work.get(f"/staff/providers/provider/{provider.pk}/change/").content.decode()
    )
    assert "example" not in str(Event.objects.get(act="add_host_rule").data)

    press(in_charge, provider, f"rules/{rule.pk}/remove")
    assert not HostRule.objects.exists()


def test_a_provider_is_added_and_corrected(in_charge: Client) -> None:
    fields = {"name": "Gamma", "kind": "hoster", "country": "nl", "language": "nl", "kvk": "12345678"}

    in_charge.post("/staff/providers/provider/new/", fields | {"code": "gamma"})
    provider = Provider.objects.get(code="gamma")
    press(in_charge, provider, "provider_edit", **fields | {"name": "Gamma B.V.", "code": "other"})

    provider = Provider.objects.get()
    assert (provider.code, provider.name, provider.country) == ("gamma", "Gamma B.V.", "NL")
    assert Event.objects.get(subject="provider", act="change").data == {"fields": ["name"]}


@pytest.fixture
def ask_why(at_work: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The page's words about what is typed into it. img.forum.example is at 192.0.2.10."""
    hosts = tmp_path / "hosts.csv"
    hosts.write_text("host;addresses\nimg.forum.example;192.0.2.10\n", encoding="utf-8")
    monkeypatch.setattr("providers.admin.why.resolver", lambda: StaticResolver(hosts))
    return lambda text: html.unescape(at_work.post("/staff/why/", {"text": text}).content.decode())


def test_why_this_provider_is_answered_and_not_kept(ask_why: Callable[[str], str]) -> None:
    NetworkFactory()

    assert "192.0.2.0/24 (AS64500, ALFA-NET-1) is the most specific network of 192.0.2.10." in ask_why(
        "IMG.forum.example"
    )
    assert "Alfa Hosting" in ask_why("192.0.2.77")
    assert "None of its addresses is in a network that we know." in ask_why("198.51.100.7")
    assert "The host name leads to no address." in ask_why("nobody.example")
    HostRuleFactory(provider=ProviderFactory(code="beta"), pattern="forum.example")
    answer = ask_why("img.forum.example")
    assert "A rule for this host or a domain above it: The owner told us" in answer
    assert "<code>forum.example</code>" in answer
    assert not Attribution.objects.exists()


@pytest.mark.parametrize(
    "text",
    [
        "https://img.forum.example/a/b.jpg?c=d#e",
        "hxxps://img[.]forum[.]example/a",
        "img.forum.example/a",
        "http://user@IMG.forum.example:8080\\@other.example/",
        "192.0.2.10",
        "http://0xc000020a/",
        "192.0.2.0/28",
    ],
)
def test_why_takes_what_somebody_has_in_hand_and_does_not_show_it_again(
    ask_why: Callable[[str], str], text: str
) -> None:
    NetworkFactory()
    answer = ask_why(text)

    assert "192.0.2.0/24 (AS64500, ALFA-NET-1) is on our own list." in answer
    assert text not in answer or text in {"192.0.2.10", "192.0.2.0/28"}


@pytest.mark.parametrize(
    "text", ["", "not a host", "http://", "AS99999999999", "*.forum.example", "a" * 9_000]
)
def test_why_says_what_it_cannot_read(at_work: Client, text: str) -> None:
    assert at_work.post("/staff/why/", {"text": text}).status_code == 422


def test_why_shows_every_source_in_order_and_which_decides(
    ask_why: Callable[[str], str], tmp_path: Path
) -> None:
    table = tmp_path / "routes.txt"
    table.write_text("192.0.2.0\t28\t64501\n192.0.2.64\t26\t64501\n")
    import_routes([table], source="collector", by=SYSTEM, now=NOON)
    beta = ProviderFactory(code="beta")
    AsnRuleFactory(asn=64501, provider=beta)
    answer = ask_why("192.0.2.10")
    assert (
        "192.0.2.0/28 is announced by AS64501 (routing table collector 2026-11-24)."
        " A rule says whose that AS is: Its own site says so"
    ) in answer
    assert "confidence: medium" in answer

    NetworkFactory()
    answer = ask_why("192.0.2.10")
    assert answer.index("on our own list") < answer.index("is announced by AS64501")
    assert answer.index("decides") < answer.index("on our own list")

    about = ask_why("as 64501")
    assert "Beta Hosting" in about
    assert "2 prefixes: <code>192.0.2.0/28</code> <code>192.0.2.64/26</code>" in about
    assert "Nobody has said whose this AS is" in ask_why("AS64500")


def test_a_rule_for_an_as_is_kept_and_withdrawn(in_charge: Client) -> None:
    provider = ProviderFactory()
    fields = {"asn": "AS64500", "country": "nl", "reason": "Their own word"}
    press(in_charge, provider, "asn_rule_add", **fields)
    press(in_charge, provider, "asn_rule_add", **fields)
    rule = AsnRule.objects.get()
    assert (rule.asn, rule.provider, rule.country) == (64500, provider, "NL")

    press(in_charge, provider, f"as-rules/{rule.pk}/remove")
    assert not AsnRule.objects.exists()


def test_a_relation_stands_on_the_pages_of_both_until_it_is_ended(in_charge: Client) -> None:
    alfa, beta = ProviderFactory(), ProviderFactory(code="beta")
    said = {"kind": "reseller_of", "other": "alfa", "valid_from": "2026-11-01", "reason": "Their contract"}
    unknown = press(in_charge, beta, "relation_add", **said | {"other": "nobody"})
    assert "There is no provider with this code." in unknown.content.decode()

    press(in_charge, beta, "relation_add", **said)
    relation = Relation.objects.get()
    pages = [
        in_charge.get(f"/staff/providers/provider/{one.pk}/change/").content.decode() for one in (alfa, beta)
    ]
    assert all("from 1 November 2026" in shown for shown in pages)

    answer = press(in_charge, beta, f"relations/{relation.pk}/end", valid_until="tomorrow")
    assert "Enter a valid date." in answer.content.decode()
    press(in_charge, beta, f"relations/{relation.pk}/end", valid_until="2026-11-20")
    assert str(Relation.objects.get().valid_until) == "2026-11-20"


def test_a_provider_is_merged_into_another(in_charge: Client) -> None:
    alfa, network = ProviderFactory(), NetworkFactory(provider=ProviderFactory(code="beta"))
    said = {"other": "alfa", "valid_from": "2026-11-01", "reason": "The trade register"}
    answer = press(in_charge, network.provider, "provider_merge", **said)

    assert "merged into <a" in answer.content.decode()
    assert Network.objects.get().provider == alfa


@pytest.mark.parametrize("pattern", ["nl", "co.uk", "example"])
def test_a_rule_for_all_who_have_a_domain_under_something_is_refused(in_charge: Client, pattern: str) -> None:
    fields = {"pattern": pattern, "country": "NL", "reason": "why not"}
    answer = in_charge.post(f"/staff/providers/provider/{ProviderFactory().pk}/host_rule_add/", fields)

    assert answer.status_code == 422
    assert "That would cover all who have a domain under it" in answer.content.decode()


def test_the_list_of_providers_asks_as_often_for_many_as_for_few(at_work: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert at_work.get("/staff/providers/provider/").status_code == 200
        return len(asked)

    ContactFactory()
    queries()
    few = queries()
    for number in range(15):
        ContactFactory(provider=ProviderFactory(code=f"p{number}"))

    assert queries() == few <= 6


# -- people -----------------------------------------------------------------------------------------------------


@pytest.fixture
def settings_desk(browser: Browser, functional_admin: User) -> Client:
    """The functional admin's browser."""
    return browser(functional_admin)


PASSWORD = "correct horse battery"
PERSON = {
    "email": "New@Hotline.example",
    "name": "New",
    "roles": ["analyst"],
    "language": "nl",
    "is_active": "on",
}


def test_a_person_is_added_with_a_password_and_can_log_in(
    settings_desk: Client, functional_admin: User
) -> None:
    settings_desk.post(
        "/staff/accounts/user/new/", PERSON | {"password": PASSWORD, "again": PASSWORD}, follow=True
    )

    person = User.objects.get(email="new@hotline.example")
    assert person.roles == ["analyst"]
    assert Client().login(username="new@hotline.example", password=PASSWORD)
    event = Event.objects.get(subject="user", act="add")
    assert event.actor == f"user:{functional_admin.pk}"
    assert event.data == {"roles": ["analyst"], "provider": None, "active": True}  # no name, no address


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"again": "something else entirely"}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "too short"),
        ({"roles": ["analyst", "provider_admin"]}, "do not mix"),
        ({"roles": []}, "This field is required."),
        ({"email": "noor@hotline.example"}, "already exists"),
    ],
)
def test_a_person_that_cannot_be_is_refused(settings_desk: Client, fields: dict[str, Any], said: str) -> None:
    UserFactory(email="noor@hotline.example")

    answer = settings_desk.post(
        "/staff/accounts/user/new/", PERSON | {"password": PASSWORD, "again": PASSWORD} | fields
    )

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_a_person_is_given_another_role_and_shut_out(
    settings_desk: Client, browser: Browser, analyst: User
) -> None:
    theirs = browser(analyst)
    fields = {"email": analyst.email, "name": analyst.name, "language": "en"}

    settings_desk.post(
        f"/staff/accounts/user/{analyst.pk}/save/", fields | {"roles": ["supervisor"], "is_active": "on"}
    )
    assert theirs.get("/staff/overdue/").status_code == 200

    settings_desk.post(f"/staff/accounts/user/{analyst.pk}/save/", fields | {"roles": ["supervisor"]})
    assert theirs.get("/staff/overdue/").status_code == 302
    assert Event.objects.filter(subject="user", act="change").count() == 2


def test_nobody_takes_their_own_rights_away(settings_desk: Client, functional_admin: User) -> None:
    me = functional_admin
    answer = settings_desk.post(
        f"/staff/accounts/user/{me.pk}/save/",
        {"email": me.email, "name": me.name, "language": "en", "roles": ["analyst"], "is_active": "on"},
        follow=True,
    )

    assert "You cannot take your own rights away" in answer.content.decode()
    assert User.objects.get(pk=me.pk).roles == ["functional_admin"]


def test_a_new_password_ends_the_sessions_of_the_old_one(
    settings_desk: Client, browser: Browser, analyst: User
) -> None:
    theirs = browser(analyst)
    assert theirs.get("/staff/").status_code == 200

    settings_desk.post(
        f"/staff/accounts/user/{analyst.pk}/password/", {"password": PASSWORD, "again": PASSWORD}
    )

    assert theirs.get("/staff/").status_code == 302
    assert Event.objects.filter(subject="user", act="set_password", subject_id=analyst.pk).exists()


# -- keys -------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_revoked(settings_desk: Client) -> None:
    answer = settings_desk.post(
        "/staff/accounts/apikey/new/", {"name": "checker in Amsterdam", "scopes": ["sightings:write"]}
    )

    secret = re.search(r'<code class="revealed">(td_[\w-]+)</code>', answer.content.decode())
    assert secret
    key = ApiKey.objects.get()
    assert bytes(key.digest) == ApiKey.digest_of(secret[1])
    assert secret[1] not in settings_desk.get("/staff/accounts/apikey/").content.decode()

    settings_desk.post(f"/staff/accounts/apikey/{key.pk}/revoke/")
    assert ApiKey.objects.get().revoked_at is not None
    assert [act for act, _actor in acts("key")] == ["create_key", "revoke_key"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"scopes": ["notices:answer"]}, "say which one"),
        ({"scopes": ["reports:write"], "provider": "alfa"}, "these scopes only"),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["everything"]}, "not one of the available choices"),
    ],
)
def test_a_key_that_may_too_much_is_refused(settings_desk: Client, fields: dict[str, Any], said: str) -> None:
    ProviderFactory(code="alfa")

    answer = settings_desk.post("/staff/accounts/apikey/new/", {"name": "x"} | fields)

    assert said in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_revoked_key_is_not_revoked_again(settings_desk: Client) -> None:
    key, _secret = api_key()
    settings_desk.post(f"/staff/accounts/apikey/{key.pk}/revoke/")

    answer = settings_desk.post(f"/staff/accounts/apikey/{key.pk}/revoke/", follow=True)

    assert "revoked already" in answer.content.decode()


# -- terms ------------------------------------------------------------------------------------------------------


def test_a_new_term_is_set_for_clocks_that_start_later(settings_desk: Client, functional_admin: User) -> None:
    settings_desk.post("/staff/cases/deadlinerule/set/", {"hours": "0.5", "valid_from": "2099-01-01T12:00"})

    rule = DeadlineRule.objects.get(version=2)
    assert rule.term == timedelta(minutes=30)
    assert rule.valid_from.isoformat() == "2099-01-01T12:00:00+00:00"
    assert rule.by == f"user:{functional_admin.pk}"
    assert Event.objects.filter(act="set_term", subject_id=rule.pk).exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"hours": "0"}, "longer than nothing"),
        ({"hours": "24", "valid_from": "2020-01-01T12:00"}, "cannot begin in the past"),
        ({"hours": "x"}, "Enter a number"),
    ],
)
def test_a_term_that_would_rewrite_the_past_is_refused(
    settings_desk: Client, fields: dict[str, str], said: str
) -> None:
    answer = settings_desk.post("/staff/cases/deadlinerule/set/", fields)

    assert said in answer.content.decode()
    assert DeadlineRule.objects.count() == 1


# -- the record -------------------------------------------------------------------------------------------------


def test_the_record_is_read_by_pages_that_cost_the_same(in_charge: Client) -> None:
    for number in range(250):
        record("try", "test", number, by=Actor.system("test"), at=NOON)

    seen, address = [], "/staff/audit/event/?subject=test"
    while address:
        with CaptureQueriesContext(connection) as asked:
            page = in_charge.get(address)
        assert not any("COUNT(" in query["sql"] or "OFFSET" in query["sql"] for query in asked)
        seen += [row["event"].subject_id for row in page.context["rows"]]
        older = page.context["older"]
        address = f"/staff/audit/event/?subject=test&before={older}" if older else ""

    assert seen == list(range(249, -1, -1))
    back = in_charge.get(f"/staff/audit/event/?subject=test&after={page.context['rows'][0]['event'].pk}")
    assert [row["event"].subject_id for row in back.context["rows"]][-1] == 50


@pytest.mark.parametrize("query", ["before=x", "before=-1", f"subject_id={10**30}", "actor=%00", "after=1"])
def test_a_strange_page_of_the_record_breaks_nothing(in_charge: Client, query: str) -> None:
    record("try", "test", 1, by=Actor.system("test"), at=timezone.now())

    assert in_charge.get(f"/staff/audit/event/?{query}").status_code == 200
