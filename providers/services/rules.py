"""A person's word on a host, on an AS, and on the holder that a registry names."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.hosts import host_key
from providers.models import AsnRule, HolderRule, HostRule
from providers.services.unfit import Unfit


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


def add_holder_rule(
    *, handle: str, provider_id: int, country: str, reason: str, by: Actor, now: datetime
) -> HolderRule:
    """A person's word on whose the networks of a holder are, known to its registry by `handle`. Raises Unfit."""
    if not reason.strip():
        raise Unfit(_("Say how you know."))
    handle = handle.strip().upper()
    if not handle:
        raise Unfit(_("Without the handle of the holder there is nothing to know it by."))
    with transaction.atomic():
        fields = {"provider_id": provider_id, "country": country, "reason": reason.strip(), "by": str(by)}
        rule, is_new = HolderRule.objects.get_or_create(handle=handle, defaults=fields)
        if not is_new:
            raise Unfit(
                _("There is a rule for %(handle)s already, for %(provider)s: remove that one first.")
                % {"handle": handle, "provider": rule.provider}
            )
        data = {"handle": handle, "country": country}
        record("add_holder_rule", "provider", provider_id, by=by, at=now, data=data)
    return rule


def remove_holder_rule(*, holder_rule_id: int, by: Actor, now: datetime) -> None:
    """Withdraw a rule; attributions that were made with it keep its reason. Raises Unfit."""
    with transaction.atomic():
        rule = HolderRule.objects.select_for_update().filter(pk=holder_rule_id).first()
        if rule is None:
            raise Unfit(_("There is no such rule any more."))
        data = {"handle": rule.handle, "country": rule.country}
        record("remove_holder_rule", "provider", rule.provider_id, by=by, at=now, data=data)
        rule.delete()
