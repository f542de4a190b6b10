"""What people do with providers leaves a line in the audit, and refuses in words."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from audit.models import Event
from providers import services
from providers.models import AsnRule, Attribution, Contact, HolderRule, HostRule, Network, Relation
from providers.routing import host_key
from providers.services import Unfit
from tests.factories import (
    NOON,
    SYSTEM,
    AsnRuleFactory,
    AttributionFactory,
    ContactFactory,
    HolderRuleFactory,
    HostRuleFactory,
    NetworkFactory,
    ProviderFactory,
)

BY: dict[str, Any] = {"by": SYSTEM, "now": NOON}


def acts() -> list[tuple[str, str]]:
    """(act, subject) of every event."""
    return list(Event.objects.values_list("act", "subject"))


def now_of(contact: Contact) -> Contact:
    return Contact.objects.get(pk=contact.pk)


@pytest.mark.django_db
def test_a_provider_is_added_and_corrected() -> None:
    provider = services.add_provider(
        code="gamma", name="Gamma", kind="hoster", country="NL", language="nl", **BY
    )
    services.change_provider(provider_id=provider.pk, name="Gamma BV", country="NL", **BY)
    services.change_provider(provider_id=provider.pk, name="Gamma BV", country="NL", **BY)

    assert acts() == [("add", "provider"), ("change", "provider")]
    assert Event.objects.last().data == {"fields": ["name"]}  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_new_contact_waits_for_a_persons_approval_once() -> None:
    contact = services.add_contact(
        provider_id=ProviderFactory().pk, channel="smtp", address=" abuse@alfa.example ", mode="portal", **BY
    )
    assert (contact.address, contact.usable) == ("abuse@alfa.example", False)

    services.approve_contact(contact_id=contact.pk, **BY)

    assert now_of(contact).usable
    assert (now_of(contact).approved_at, now_of(contact).approved_by) == (NOON, str(SYSTEM))
    with pytest.raises(Unfit):
        services.approve_contact(contact_id=contact.pk, **BY)
    assert acts() == [("add", "contact"), ("approve", "contact")]


@pytest.mark.django_db
def test_a_telephone_number_is_a_contact_that_no_notice_goes_to() -> None:
    provider = ProviderFactory()
    fields = {"provider_id": provider.pk, "channel": "phone", "mode": "portal", **BY}
    for wrong in ("020 123 45 67", "abuse@alfa.example", "+31"):
        with pytest.raises(Unfit, match="with its country"):
            services.add_contact(address=wrong, **fields)

    number = services.add_contact(address="+31 20 000 00 00", **fields)
    services.approve_contact(contact_id=number.pk, **BY)

    assert now_of(number).usable
    assert not Contact.objects.for_notices().exists()


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(set(Contact.Role.values) - {"abuse"}))
def test_an_address_for_something_else_gets_no_notices(role: str) -> None:
    provider = ProviderFactory()
    fields: dict[str, Any] = {"provider_id": provider.pk, "channel": "smtp", "mode": "portal", **BY}
    for address, of in (("other@alfa.example", role), ("abuse@alfa.example", "abuse")):
        contact = services.add_contact(address=address, role=of, **fields)
        services.approve_contact(contact_id=contact.pk, **BY)

    assert [contact.address for contact in Contact.objects.for_notices()] == ["abuse@alfa.example"]
    assert Contact.objects.usable().count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("smtp", "not an address"),
        ("smtp", "a@b.example\r\nBcc: c@d.example"),
        ("smtp", "a@b.example, c@d.example"),
        ("webhook", "http://alfa.example/hook"),
        ("smtp", "abuse@alfa.example"),
    ],
    ids=["no address", "two headers", "two addresses", "in clear", "there already"],
)
def test_a_contact_that_cannot_be_is_refused(channel: str, address: str) -> None:
    contact = ContactFactory()

    with pytest.raises(Unfit):
        services.add_contact(
            provider_id=contact.provider_id, channel=channel, address=address, mode="portal", **BY
        )
    assert Contact.objects.count() == 1
    assert acts() == []


@pytest.mark.django_db
def test_how_a_contact_gets_addresses_changes_and_the_audit_says_from_what_to_what() -> None:
    contact = ContactFactory(approved=True)

    for _twice in range(2):
        services.change_contact(contact_id=contact.pk, mode="attachment", formats="xarf", by=SYSTEM, now=NOON)

    assert now_of(contact).attaches == {"xarf"}
    (change,) = Event.objects.filter(act="change", subject="contact")
    assert change.data == {
        "provider": contact.provider.code,
        "was": {"mode": "portal", "formats": ""},
        "became": {"mode": "attachment", "formats": "xarf"},
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "formats"), [("portal", "xarf"), ("defanged", "both"), ("attachment", "")])
def test_a_file_that_does_not_go_with_the_way_of_giving_addresses_is_refused(mode: str, formats: str) -> None:
    contact = ContactFactory(approved=True)

    with pytest.raises(Unfit):
        services.change_contact(contact_id=contact.pk, mode=mode, formats=formats, by=SYSTEM, now=NOON)
    with pytest.raises(Unfit):
        services.add_contact(
            provider_id=contact.provider_id,
            channel="smtp",
            address="other@alfa.example",
            mode=mode,
            formats=formats,
            by=SYSTEM,
            now=NOON,
        )
    assert now_of(contact).mode == "portal"


@pytest.mark.django_db
def test_a_suspension_says_why_and_ends_when_somebody_ends_it() -> None:
    contact = ContactFactory(approved=True)
    with pytest.raises(Unfit):
        services.suspend_contact(contact_id=contact.pk, reason=" ", **BY)
    services.suspend_contact(contact_id=contact.pk, reason="It bounces", **BY)

    assert (now_of(contact).usable, now_of(contact).suspended_reason) == (False, "It bounces")
    with pytest.raises(Unfit):
        services.suspend_contact(contact_id=contact.pk, reason="Again", **BY)

    services.resume_contact(contact_id=contact.pk, **BY)
    assert now_of(contact).usable
    with pytest.raises(Unfit):
        services.resume_contact(contact_id=contact.pk, **BY)
    assert acts() == [("suspend", "contact"), ("resume", "contact")]


@pytest.mark.django_db
def test_a_prefix_belongs_to_the_last_provider_that_somebody_named() -> None:
    network, beta = NetworkFactory(), ProviderFactory(code="beta")
    services.keep_network(
        prefix="192.0.2.0/24", provider_id=beta.pk, asn=64501, country="NL", name="BETA", **BY
    )
    assert Network.objects.get().provider == beta

    services.remove_network(network_id=network.pk, **BY)
    assert not Network.objects.exists()
    assert acts() == [("keep", "network"), ("remove", "network")]


@pytest.mark.django_db
def test_a_rule_for_a_host_stands_sealed_and_the_audit_does_not_name_the_host() -> None:
    provider = ProviderFactory()
    rule = services.add_host_rule(
        pattern="forum.example", provider_id=provider.pk, country="NL", reason="Their own word", **BY
    )

    kept = HostRule.objects.get(pk=rule.pk)
    assert (kept.pattern, bytes(kept.pattern_key)) == ("forum.example", host_key("forum.example"))
    assert b"forum" not in bytes(kept.pattern_sealed)
    assert "forum" not in str(list(Event.objects.values()))
    with pytest.raises(Unfit):
        services.add_host_rule(
            pattern="forum.example", provider_id=provider.pk, country="NL", reason="Again", **BY
        )

    services.remove_host_rule(rule_id=rule.pk, **BY)
    assert not HostRule.objects.exists()
    assert acts() == [("add_host_rule", "provider"), ("remove_host_rule", "provider")]


@pytest.mark.django_db
def test_an_as_has_one_rule_until_somebody_withdraws_it() -> None:
    alfa, beta = ProviderFactory(), ProviderFactory(code="beta")
    fields: dict[str, Any] = {"asn": 64500, "country": "NL", **BY}
    rule = services.add_asn_rule(provider_id=alfa.pk, reason=" Their own word ", **fields)
    assert (rule.provider, rule.reason, rule.by) == (alfa, "Their own word", str(SYSTEM))
    with pytest.raises(Unfit, match="AS64500 already, for Alfa Hosting"):
        services.add_asn_rule(provider_id=beta.pk, reason="Mine", **fields)
    with pytest.raises(Unfit):
        services.add_asn_rule(provider_id=beta.pk, reason=" ", **fields)

    services.remove_asn_rule(asn_rule_id=rule.pk, **BY)
    assert services.add_asn_rule(provider_id=beta.pk, reason="Mine", **fields).provider == beta
    assert acts() == [
        ("add_asn_rule", "provider"),
        ("remove_asn_rule", "provider"),
        ("add_asn_rule", "provider"),
    ]


TODAY = NOON.date()


@pytest.mark.django_db
def test_a_relation_holds_from_its_first_day_until_the_day_that_ends_it() -> None:
    alfa, beta = ProviderFactory(), ProviderFactory(code="beta")
    relation = services.add_relation(
        provider_id=beta.pk,
        kind="reseller_of",
        other_id=alfa.pk,
        valid_from=TODAY,
        reason="Their contract",
        **BY,
    )
    services.end_relation(relation_id=relation.pk, valid_until=TODAY + timedelta(days=2), **BY)

    held = [Relation.objects.valid_on(TODAY + timedelta(days=n)).exists() for n in (-1, 0, 1, 2)]
    assert held == [False, True, True, False]
    assert [list(Relation.objects.of(one)) for one in (alfa, beta, ProviderFactory(code="gamma"))] == [
        [relation],
        [relation],
        [],
    ]
    assert acts() == [("add_relation", "provider"), ("end_relation", "provider")]
    with pytest.raises(Unfit):
        services.end_relation(relation_id=relation.pk, valid_until=TODAY, **BY)


@pytest.mark.django_db
def test_a_relation_that_cannot_be_is_refused() -> None:
    alfa, beta = ProviderFactory(), ProviderFactory(code="beta")
    fields: dict[str, Any] = {"kind": "reseller_of", "valid_from": TODAY, "reason": "Their contract", **BY}
    relation = services.add_relation(provider_id=beta.pk, other_id=alfa.pk, **fields)

    for one, other, changed in (
        (alfa, alfa, {}),
        (beta, alfa, {}),
        (alfa, beta, {}),
        (beta, alfa, {"kind": "customer_of", "reason": " "}),
    ):
        with pytest.raises(Unfit):
            services.add_relation(provider_id=one.pk, other_id=other.pk, **fields | changed)
    with pytest.raises(Unfit):
        services.add_relation(provider_id=beta.pk, other_id=0, **fields)
    with pytest.raises(Unfit):
        services.end_relation(relation_id=relation.pk, valid_until=TODAY - timedelta(days=1), **BY)
    assert list(Relation.objects.all()) == [relation]


@pytest.mark.django_db
def test_a_provider_that_goes_up_in_another_gives_it_its_networks_and_rules_and_keeps_its_history() -> None:
    alfa, beta = ProviderFactory(), ProviderFactory(code="beta")
    NetworkFactory(provider=beta)
    HostRuleFactory(provider=beta, pattern="forum.example")
    HolderRuleFactory(provider=beta)
    AsnRuleFactory(provider=beta)
    place = AttributionFactory(provider=beta)
    ours = ContactFactory(provider=beta, approved=True)
    ContactFactory(provider=beta, address="both@alfa.example", approved=True)
    ContactFactory(provider=alfa, address="both@alfa.example", approved=True)
    services.merge(provider_id=beta.pk, other_id=alfa.pk, valid_from=TODAY, reason="The trade register", **BY)

    assert {
        row.provider for model in (Network, HostRule, AsnRule, HolderRule) for row in model.objects.all()
    } == {alfa}
    assert HostRule.objects.get().pattern == "forum.example"
    assert Attribution.objects.get(pk=place.pk).provider == beta
    assert now_of(ours).provider == beta
    assert now_of(ours).usable
    (proposed,) = Contact.objects.filter(provider=alfa, approved_at=None)
    assert proposed.address == ours.address
    assert str(Relation.objects.get()) == "Beta Hosting merged into Alfa Hosting"
    assert Event.objects.get(act="merge").data == {
        "into": "alfa", "from": "2026-11-24",
        "networks": 1, "host_rules": 1, "asn_rules": 1, "holder_rules": 1, "contacts": 1
    }  # fmt: skip


@pytest.mark.django_db
def test_a_merger_that_cannot_be_is_refused() -> None:
    alfa, beta, gamma = (ProviderFactory(code=code) for code in ("alfa", "beta", "gamma"))
    fields: dict[str, Any] = {"valid_from": TODAY, "reason": "The trade register", **BY}
    services.merge(provider_id=beta.pk, other_id=alfa.pk, **fields)

    for one, other in ((beta, gamma), (gamma, beta), (gamma, gamma)):
        with pytest.raises(Unfit):
            services.merge(provider_id=one.pk, other_id=other.pk, **fields)
    for changed in ({"reason": " "}, {"other_id": 0}):
        with pytest.raises(Unfit):
            services.merge(**{"provider_id": gamma.pk, "other_id": alfa.pk, **fields, **changed})
    with pytest.raises(Unfit, match="act of its own"):
        services.add_relation(provider_id=gamma.pk, kind="merged_into", other_id=alfa.pk, **fields)
    services.merge(provider_id=gamma.pk, other_id=alfa.pk, **fields)
    assert Relation.objects.count() == 2


@pytest.mark.django_db
def test_what_has_ended_can_begin_again() -> None:
    alfa, beta = ProviderFactory(), ProviderFactory(code="beta")
    fields: dict[str, Any] = {
        "provider_id": beta.pk, "other_id": alfa.pk, "kind": "customer_of", "reason": "So they say", **BY
    }  # fmt: skip
    first = services.add_relation(valid_from=TODAY, **fields)
    services.end_relation(relation_id=first.pk, valid_until=TODAY, **BY)  # it never held
    second = services.add_relation(valid_from=TODAY, **fields)

    assert list(Relation.objects.valid_on(TODAY)) == [second]


@pytest.mark.django_db
def test_a_rule_says_how_somebody_knows() -> None:
    with pytest.raises(Unfit):
        services.add_host_rule(
            pattern="x.example", provider_id=ProviderFactory().pk, country="NL", reason="", **BY
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "verb",
    [
        lambda: services.approve_contact(contact_id=0, **BY),
        lambda: services.suspend_contact(contact_id=0, reason="why", **BY),
        lambda: services.resume_contact(contact_id=0, **BY),
        lambda: services.remove_network(network_id=0, **BY),
        lambda: services.remove_host_rule(rule_id=uuid4(), **BY),
        lambda: services.remove_asn_rule(asn_rule_id=0, **BY),
        lambda: services.end_relation(relation_id=0, valid_until=TODAY, **BY),
    ],
)
def test_what_does_not_exist_is_refused_in_words(verb: Callable[[], Any]) -> None:
    with pytest.raises(Unfit):
        verb()


@pytest.mark.django_db
def test_a_rule_shows_its_reason_and_never_its_host() -> None:
    assert str(HostRuleFactory()) == "Alfa Hosting: The owner told us"
