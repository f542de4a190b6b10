"""What is made of a holder that a registry names and that we do not know: a provider, one that we know, or nothing."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.models import HolderRule, Provider, Registration
from providers.services.provider import add_provider
from providers.services.registry import RDAP, propose_contact
from providers.services.rules import add_holder_rule
from providers.services.unfit import Unfit


def take_up_holder(
    *, handle: str, code: str, name: str, kind: str, country: str, by: Actor, now: datetime
) -> Provider:
    """A new provider of a holder: with the rule that its networks are the provider's, and its mailbox proposed.

    Raises Unfit.
    """
    with transaction.atomic():
        _named(handle)
        if Provider.objects.filter(code=code).exists():
            raise Unfit(_("There is a provider with this code already."))
        provider = add_provider(
            code=code,
            name=name,
            kind=kind,
            country=country,
            language="nl" if country in {"NL", "BE"} else "en",
            by=by,
            now=now,
        )
        _take(handle, provider, country=country, by=by, now=now)
    return provider


def assign_holder(*, handle: str, provider_id: int, country: str, by: Actor, now: datetime) -> HolderRule:
    """A holder is a provider that we know: the rule for it, and its mailbox proposed. Raises Unfit."""
    with transaction.atomic():
        _named(handle)
        provider = Provider.objects.get(pk=provider_id)
        return _take(handle, provider, country=country, by=by, now=now)


def pass_over_holder(*, handle: str, by: Actor, now: datetime) -> None:
    """Nothing is made of a holder: it is not proposed again. Raises Unfit."""
    with transaction.atomic():
        rows = _named(handle)
        for row in rows:
            row.passed_over_by = str(by)
        Registration.objects.bulk_update(rows, ["passed_over_by"])
        record("pass_over", "registration", rows[0].pk, by=by, at=now, data={"handle": handle})


def _named(handle: str) -> list[Registration]:
    """What registries say of the networks of a holder that nobody has looked at yet, locked."""
    rows = list(
        Registration.objects.select_for_update()
        .filter(holder_handle=handle, is_newest=True, passed_over_by="")
        .order_by("pk")
    )
    if not rows or not handle:
        raise Unfit(_("No registry names this holder any more, or somebody has passed it over."))
    return rows


def _take(handle: str, provider: Provider, *, country: str, by: Actor, now: datetime) -> HolderRule:
    rows = _named(handle)
    reason = _("%(server)s has its networks for %(holder)s.") % {
        "server": rows[0].server,
        "holder": rows[0].holder,
    }
    rule = add_holder_rule(
        handle=handle, provider_id=provider.pk, country=country, reason=reason[:300], by=by, now=now
    )
    for mailbox in dict.fromkeys(row.abuse_mailbox for row in rows):
        propose_contact(provider, mailbox, by=RDAP, now=now)
    return rule
