"""How parties in the hosting chain stand to each other, and what moves when one goes up in another."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.models import AsnRule, Contact, HolderRule, HostRule, Network, Provider, Relation
from providers.services.unfit import Unfit


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
            for name, model in (
                ("networks", Network),
                ("host_rules", HostRule),
                ("asn_rules", AsnRule),
                ("holder_rules", HolderRule),
            )
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
                added_by=str(by),
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
