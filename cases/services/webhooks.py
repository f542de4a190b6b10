"""What a provider does with its own endpoints: a test, a call once more. Neither touches a message or a clock."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import Delivery, Dispatch
from cases.services.refused import NotFound, WrongState
from cases.services.sending.deliveries import KEPT, finish
from providers.channels.result import Call
from providers.models import Contact
from providers.services import secret

__all__ = ["KEPT", "mint", "replay", "try_out"]


def try_out(*, provider_id: int, contact_id: int, by: Actor, now: datetime) -> Delivery:
    """Send a test event to an own endpoint and log it. Raises NotFound, Unfit when nothing can be sent."""
    contact = _endpoint(provider_id, contact_id)
    if contact.approved_at is None or contact.suspended_at is not None:
        raise WrongState(_("Nothing goes to this endpoint now: it is not approved, or it is suspended."))
    tried = secret.call_webhook(contact_id=contact.pk, by=by, now=now)
    row = Delivery(
        provider_id=provider_id,
        contact=contact,
        kind=Delivery.Kind.TEST,
        type=secret.TEST,
        webhook_id=tried.call.id,
        started_at=now,
        by=str(by),
    )
    finish(row, tried.result)
    row.save(force_insert=True)
    return row


def replay(*, provider_id: int, delivery_id: int, by: Actor, now: datetime) -> Delivery:
    """Make a call once more: the same id and body, a new instant and signature. Returns the new line of the log.

    Only of what their server had accepted: what it did not is tried again by itself, and to start a clock twice is not
    a provider's wish. Nothing is locked during the call, and nothing follows from its answer.
    Raises NotFound, WrongState, Unfit.
    """
    before = (
        Delivery.objects.of(provider_id).select_related("dispatch__contact").filter(pk=delivery_id).first()
    )
    if before is None:
        raise NotFound(_("There is no such delivery."))
    dispatch = before.dispatch
    if dispatch is None:
        raise WrongState(_("A test is not replayed: send another."))
    contact = dispatch.contact
    if contact.approved_at is None or contact.suspended_at is not None:
        raise WrongState(_("Nothing goes to this endpoint now: it is not approved, or it is suspended."))
    if dispatch.state != Dispatch.State.ACCEPTED:
        raise WrongState(
            _(
                "Your server has not accepted this one yet: it is tried again by itself, or the hotline sees to it."
            )
        )
    body = dispatch.body
    if not body:
        raise WrongState(_("Its body is not kept any more."))
    call = Call(before.webhook_id, now, body.encode(), secret.signing(contact, now=now))
    row = Delivery(
        provider_id=provider_id,
        contact=contact,
        dispatch=dispatch,
        kind=Delivery.Kind.REPLAY,
        type=before.type,
        webhook_id=before.webhook_id,
        started_at=now,
        by=str(by),
    )
    with transaction.atomic():
        row.save(force_insert=True)
        record("replay", "dispatch", dispatch.pk, by=by, at=now)
    finish(row, secret.hand_over(call, contact))
    row.save(update_fields=["accepted", "http_status", "took_ms", "answer"])
    return row


def mint(*, provider_id: int, contact_id: int, by: Actor, now: datetime) -> str:
    """A new secret for an own endpoint, told this once; the one before signs beside it for a day. Raises NotFound."""
    return secret.mint_secret(contact_id=_endpoint(provider_id, contact_id).pk, by=by, now=now)


def _endpoint(provider_id: int, contact_id: int) -> Contact:
    own = Contact.objects.filter(provider=provider_id, channel=Contact.Channel.WEBHOOK, pk=contact_id).first()
    if own is None:
        raise NotFound(_("There is no such endpoint."))
    return own
