"""What people do with providers: contacts, networks, rules for hosts; each with its line in the audit."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from audit.refused import Refused
from providers.hosts import host_key
from providers.models import AsnRule, Contact, HostRule, Network, Provider, Relation


class Unfit(Refused):
    """It cannot be done with these words, or not with this contact or rule as it stands."""

    code = "unfit"


def add_provider(*, by: Actor, now: datetime, **fields: Any) -> Provider:
    """A new provider; `fields` are those of the model."""
    with transaction.atomic():
        provider = Provider.objects.create(**fields)
        record("add", "provider", provider.pk, by=by, at=now, data={"code": provider.code})
    return provider


def change_provider(*, provider_id: int, by: Actor, now: datetime, **fields: Any) -> Provider:
    """Correct what is known of a provider. Its code stays: files and keys call it by that."""
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        changed = [name for name, value in fields.items() if getattr(provider, name) != value]
        for name in changed:
            setattr(provider, name, fields[name])
        if changed:
            provider.save(update_fields=changed)
            record("change", "provider", provider.pk, by=by, at=now, data={"fields": sorted(changed)})
    return provider


def add_contact(
    *,
    provider_id: int,
    channel: str,
    address: str,
    mode: str,
    formats: str = Contact.Formats.NONE,
    role: str = Contact.Role.ABUSE,
    by: Actor,
    now: datetime,
) -> Contact:
    """A new address of a provider, and what it is for. Nothing goes there before a person approves it. Raises Unfit."""
    address = address.strip()
    _fitting(mode, formats)
    if channel == Contact.Channel.SMTP:
        try:
            validate_email(address)
        except ValidationError:
            raise Unfit(_("This is not an e-mail address.")) from None
    elif not address.startswith("https://"):
        raise Unfit(_("A webhook's address begins with https://."))
    with transaction.atomic():
        contact, is_new = Contact.objects.get_or_create(
            provider_id=provider_id,
            channel=channel,
            address=address,
            defaults={"mode": mode, "formats": formats, "role": role},
        )
        if not is_new:
            raise Unfit(_("This provider has this contact already."))
        data = {"provider": contact.provider.code, "role": role}
        record("add", "contact", contact.pk, by=by, at=now, data=data)
    return contact


def change_contact(*, contact_id: int, mode: str, formats: str, by: Actor, now: datetime) -> Contact:
    """Give addresses of content in another way, or attach other files. Whoever may is asked: it counts at once.

    Raises Unfit when the two do not go together.
    """
    _fitting(mode, formats)
    with transaction.atomic():
        contact = _contact(contact_id)
        was = {"mode": contact.mode, "formats": contact.formats}
        if was != {"mode": mode, "formats": formats}:
            contact.mode, contact.formats = mode, formats
            contact.save(update_fields=["mode", "formats"])
            data = {
                "provider": contact.provider.code,
                "was": was,
                "became": {"mode": mode, "formats": formats},
            }
            record("change", "contact", contact.pk, by=by, at=now, data=data)
    return contact


def _fitting(mode: str, formats: str) -> None:
    if mode == Contact.Mode.ATTACHMENT and not formats:
        raise Unfit(_("Choose what is attached: CSV, XARF, or both."))
    if mode != Contact.Mode.ATTACHMENT and formats not in {Contact.Formats.NONE, Contact.Formats.CSV}:
        raise Unfit(_("An XARF report has the address in it: choose that addresses go in an attachment."))


def approve_contact(*, contact_id: int, by: Actor, now: datetime) -> Contact:
    """A person says that notices may go there. Raises Unfit when somebody has said so already."""
    with transaction.atomic():
        contact = _contact(contact_id)
        if contact.approved_at is not None:
            raise Unfit(_("This contact is approved already."))
        contact.approved_at, contact.approved_by = now, str(by)
        contact.save(update_fields=["approved_at", "approved_by"])
        record("approve", "contact", contact.pk, by=by, at=now, data={"provider": contact.provider.code})
    return contact


def suspend_contact(*, contact_id: int, reason: str, by: Actor, now: datetime) -> Contact:
    """Nothing goes there until somebody ends it. Raises Unfit without a reason, or when it is suspended."""
    if not reason.strip():
        raise Unfit(_("Say why it is suspended."))
    with transaction.atomic():
        contact = _contact(contact_id)
        if contact.suspended_at is not None:
            raise Unfit(_("This contact is suspended already."))
        contact.suspended_at, contact.suspended_reason = now, reason.strip()[:300]
        contact.save(update_fields=["suspended_at", "suspended_reason"])
        record("suspend", "contact", contact.pk, by=by, at=now, data={"provider": contact.provider.code})
    return contact


def resume_contact(*, contact_id: int, by: Actor, now: datetime) -> Contact:
    """End a suspension. Raises Unfit when there is none."""
    with transaction.atomic():
        contact = _contact(contact_id)
        if contact.suspended_at is None:
            raise Unfit(_("This contact is not suspended."))
        contact.suspended_at, contact.suspended_reason = None, ""
        contact.save(update_fields=["suspended_at", "suspended_reason"])
        record("resume", "contact", contact.pk, by=by, at=now, data={"provider": contact.provider.code})
    return contact


def keep_network(
    *, prefix: str, provider_id: int, asn: int, country: str, name: str, by: Actor, now: datetime
) -> Network:
    """Say whose a prefix is; a prefix that is known already goes to this provider from now on."""
    with transaction.atomic():
        fields = {"provider_id": provider_id, "asn": asn, "country": country, "name": name}
        network, is_new = Network.objects.update_or_create(prefix=prefix, defaults=fields)
        data = {"prefix": prefix, "provider": network.provider.code, "new": is_new}
        record("keep", "network", network.pk, by=by, at=now, data=data)
    return network


def remove_network(*, network_id: int, by: Actor, now: datetime) -> None:
    """Forget a prefix; attributions that were made with it stay as they are. Raises Unfit."""
    with transaction.atomic():
        network = Network.objects.select_for_update().filter(pk=network_id).first()
        if network is None:
            raise Unfit(_("There is no such network any more."))
        data = {"prefix": str(network.prefix), "provider": network.provider.code}
        record("remove", "network", network.pk, by=by, at=now, data=data)
        network.delete()


def add_host_rule(
    *, pattern: str, provider_id: int, country: str, reason: str, by: Actor, now: datetime
) -> HostRule:
    """A person's word on who hosts `pattern` (A-label, lower case) and all under it. Raises Unfit."""
    if not reason.strip():
        raise Unfit(_("Say how you know."))
    with transaction.atomic():
        key = host_key(pattern)
        if HostRule.objects.filter(pattern_key=key).exists():
            raise Unfit(_("There is a rule for this host already: remove that one first."))
        rule = HostRule(
            pattern_key=key, provider_id=provider_id, country=country, reason=reason.strip(), by=str(by)
        )
        rule.pattern = pattern
        rule.save(force_insert=True)
        # The host stays out of the audit: it may be that of a notice.
        data = {"rule": str(rule.pk), "country": country}
        record("add_host_rule", "provider", provider_id, by=by, at=now, data=data)
    return rule


def remove_host_rule(*, rule_id: UUID, by: Actor, now: datetime) -> None:
    """Withdraw a rule; attributions that were made with it keep its reason. Raises Unfit."""
    with transaction.atomic():
        rule = HostRule.objects.select_for_update().filter(pk=rule_id).first()
        if rule is None:
            raise Unfit(_("There is no such rule any more."))
        data = {"rule": str(rule.pk), "country": rule.country}
        record("remove_host_rule", "provider", rule.provider_id, by=by, at=now, data=data)
        rule.delete()


def add_asn_rule(
    *, asn: int, provider_id: int, country: str, reason: str, by: Actor, now: datetime
) -> AsnRule:
    """A person's word on whose an AS is. Raises Unfit."""
    if not reason.strip():
        raise Unfit(_("Say how you know."))
    with transaction.atomic():
        fields = {"provider_id": provider_id, "country": country, "reason": reason.strip(), "by": str(by)}
        rule, is_new = AsnRule.objects.get_or_create(asn=asn, defaults=fields)
        if not is_new:
            raise Unfit(
                _("There is a rule for AS%(asn)d already, for %(provider)s: remove that one first.")
                % {"asn": asn, "provider": rule.provider}
            )
        record("add_asn_rule", "provider", provider_id, by=by, at=now, data={"asn": asn, "country": country})
    return rule


def remove_asn_rule(*, asn_rule_id: int, by: Actor, now: datetime) -> None:
    """Withdraw a rule; attributions that were made with it keep its reason. Raises Unfit."""
    with transaction.atomic():
        rule = AsnRule.objects.select_for_update().filter(pk=asn_rule_id).first()
        if rule is None:
            raise Unfit(_("There is no such rule any more."))
        data = {"asn": rule.asn, "country": rule.country}
        record("remove_asn_rule", "provider", rule.provider_id, by=by, at=now, data=data)
        rule.delete()


def add_relation(
    *,
    provider_id: int,
    kind: str,
    other_id: int,
    valid_from: date,
    reason: str,
    by: Actor,
    now: datetime,
) -> Relation:
    """Say how a provider stands to another from a day on, the first day included; `merge` is an act of its own.

    Raises Unfit.
    """
    if kind == Relation.Kind.MERGED_INTO:
        raise Unfit(_("Merging is an act of its own: it moves networks and rules as well."))
    if not reason.strip():
        raise Unfit(_("Say how you know."))
    if provider_id == other_id:
        raise Unfit(_("A provider has no relation with itself."))
    with transaction.atomic():
        # Both, in one order: two people may say it of each other's at the same moment.
        providers = Provider.objects.select_for_update().order_by("pk").in_bulk([provider_id, other_id])
        if len(providers) < 2:
            raise Unfit(_("There is no such provider."))
        same = Relation.objects.filter(kind=kind, valid_until__isnull=True)
        if same.filter(provider_id=provider_id, other_id=other_id).exists():
            raise Unfit(_("That is known already, and has not ended."))
        if same.filter(provider_id=other_id, other_id=provider_id).exists():
            raise Unfit(_("It cannot hold in both directions: end the other one first."))
        relation = Relation.objects.create(
            provider_id=provider_id,
            kind=kind,
            other_id=other_id,
            valid_from=valid_from,
            reason=reason.strip(),
            by=str(by),
        )
        data = {"kind": kind, "other": providers[other_id].code, "from": valid_from.isoformat()}
        record("add_relation", "provider", provider_id, by=by, at=now, data=data)
    return relation


def merge(
    *, provider_id: int, other_id: int, valid_from: date, reason: str, by: Actor, now: datetime
) -> Relation:
    """A provider has gone up in another: what is looked up from now on leads to that one.

    Its networks and rules move. Its contacts stay, for what was sent there, and the other gets each address anew, to
    be approved. Notices and attributions keep the provider that they had. Raises Unfit.
    """
    if not reason.strip():
        raise Unfit(_("Say how you know."))
    if provider_id == other_id:
        raise Unfit(_("A provider has no relation with itself."))
    with transaction.atomic():
        providers = Provider.objects.select_for_update().order_by("pk").in_bulk([provider_id, other_id])
        if len(providers) < 2:
            raise Unfit(_("There is no such provider."))
        merged = Relation.objects.filter(kind=Relation.Kind.MERGED_INTO, valid_until__isnull=True)
        if merged.filter(provider__in=providers).exists():
            raise Unfit(_("One of the two has gone up in another already."))
        moved = {
            name: model._default_manager.filter(provider_id=provider_id).update(provider_id=other_id)
            for name, model in (("networks", Network), ("host_rules", HostRule), ("asn_rules", AsnRule))
        }
        known = set(Contact.objects.filter(provider_id=other_id).values_list("channel", "address"))
        proposed = [
            Contact(
                provider_id=other_id,
                role=contact.role,
                channel=contact.channel,
                address=contact.address,
                mode=contact.mode,
                formats=contact.formats,
            )
            for contact in Contact.objects.filter(provider_id=provider_id).order_by("pk")
            if (contact.channel, contact.address) not in known
        ]
        for contact in proposed:
            contact.save(force_insert=True)
            record("add", "contact", contact.pk, by=by, at=now, data={"provider": providers[other_id].code})
        relation = Relation.objects.create(
            provider_id=provider_id,
            kind=Relation.Kind.MERGED_INTO,
            other_id=other_id,
            valid_from=valid_from,
            reason=reason.strip(),
            by=str(by),
        )
        data = {
            "into": providers[other_id].code,
            "from": valid_from.isoformat(),
            **moved,
            "contacts": len(proposed),
        }
        record("merge", "provider", provider_id, by=by, at=now, data=data)
    return relation


def end_relation(*, relation_id: int, valid_until: date, by: Actor, now: datetime) -> Relation:
    """It holds no more from a day on; before that day it did. Raises Unfit."""
    with transaction.atomic():
        relation = (
            Relation.objects.select_for_update(of=("self",))
            .select_related("other")
            .filter(pk=relation_id)
            .first()
        )
        if relation is None or relation.valid_until is not None:
            raise Unfit(_("There is no such relation any more."))
        if valid_until < relation.valid_from:
            raise Unfit(_("It cannot end before it began."))
        relation.valid_until = valid_until
        relation.save(update_fields=["valid_until"])
        data = {"kind": relation.kind, "other": relation.other.code, "until": valid_until.isoformat()}
        record("end_relation", "provider", relation.provider_id, by=by, at=now, data=data)
    return relation


def _contact(contact_id: int) -> Contact:
    contact = (
        Contact.objects.select_for_update(of=("self",))
        .select_related("provider")
        .filter(pk=contact_id)
        .first()
    )
    if contact is None:
        raise Unfit(_("There is no such contact."))
    return contact
