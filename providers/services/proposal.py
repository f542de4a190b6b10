"""What providers would change of how they are reached: proposed, proven, decided. Only a yes changes anything."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers import openpgp
from providers.models import Contact, Proposal, Provider
from providers.services.contact import (
    add_contact,
    approve_contact,
    change_contact,
    fitting,
    fitting_address,
    replace_contact,
    suspend_contact,
)
from providers.services.key import add_key, approve_key
from providers.services.provider import change_provider
from providers.services.unfit import Unfit
from vault.keys import ring

Kind, State = Proposal.Kind, Proposal.State

#: How long a code counts, and how many wrong ones are borne (P).
CODE_VALID: Final = timedelta(hours=24)
MOST_WRONG: Final = 5
#: A provider has at most so many open (P).
MOST_OPEN: Final = 20
#: 32, without what is taken for another on paper: each byte gives one of them as likely as any. 8 are 40 bits.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class NoProposal(Unfit):
    """There is no such proposal, or none of this provider."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(_("There is no such proposal."))


def propose(*, provider_id: int, kind: str, by: Actor, now: datetime, **what: Any) -> Proposal:
    """Keep what an admin of the provider wants. `what`: the fields of the proposal. Raises Unfit.

    A new mail address waits for its code (`new_code`), all else for the hotline.
    """
    if kind not in Kind.values:
        raise Unfit(_("This cannot be proposed."))
    text = what.pop("certificate", b"")
    proposal = Proposal(provider_id=provider_id, kind=kind, proposed_at=now, proposed_by=str(by), **what)
    if kind == Kind.KEY:
        _read_key(proposal, text, now=now)
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        if Proposal.objects.open().filter(provider=provider_id).count() >= MOST_OPEN:
            raise Unfit(_("So much is waiting already: take something back, or wait for the hotline."))
        _check(proposal, provider)
        proposal.state = State.UNPROVEN if _wants_code(proposal) else State.WAITS
        proposal.save(force_insert=True)
        _record("propose", proposal, by=by, now=now)
    return proposal


def new_code(*, provider_id: int, proposal_id: int, by: Actor, now: datetime) -> Proposal:
    """From now on another code counts, and the one before no more. Raises NoProposal, Unfit."""
    with transaction.atomic():
        proposal = _locked(proposal_id, provider_id)
        if proposal.state != State.UNPROVEN:
            raise Unfit(_("This proposal waits for no code."))
        proposal.code_asked_at, proposal.wrong_codes = now, 0
        proposal.save(update_fields=["code_asked_at", "wrong_codes"])
        _record("ask_code", proposal, by=by, now=now)
    return proposal


def code_of(proposal: Proposal) -> str:
    """The code that counts for a proposal that waits for one: eight letters and digits."""
    bits = ring().blind(f"{proposal.pk} {proposal.code_asked_at}", purpose="proposal")
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in bits[:8])


def prove(*, provider_id: int, proposal_id: int, code: str, by: Actor, now: datetime) -> Proposal:
    """Whoever reads the address has the code: from now on it waits for the hotline. Raises NoProposal, Unfit."""
    refusal = ""
    with transaction.atomic():
        proposal = _locked(proposal_id, provider_id)
        if proposal.state != State.UNPROVEN:
            raise Unfit(_("This proposal waits for no code."))
        asked = proposal.code_asked_at
        if asked is None or now - asked >= CODE_VALID or proposal.wrong_codes >= MOST_WRONG:
            raise Unfit(_("This code counts no more: have a new one sent."))
        typed = "".join(code.upper().split()).replace("-", "")
        if hmac.compare_digest(typed.encode(), code_of(proposal).encode()):
            proposal.state, proposal.proven_at = State.WAITS, now
            proposal.save(update_fields=["state", "proven_at"])
            _record("prove", proposal, by=by, now=now)
        else:
            # Kept, although it is refused: that is what bounds the guessing.
            proposal.wrong_codes += 1
            proposal.save(update_fields=["wrong_codes"])
            refusal = _("This is not the code that we sent.")
    if refusal:
        raise Unfit(refusal)
    return proposal


def take_back(*, provider_id: int, proposal_id: int, by: Actor, now: datetime) -> Proposal:
    """The provider wants it no more. Raises NoProposal, Unfit once it is decided."""
    return _decide(proposal_id, provider_id, State.WITHDRAWN, "take_back", by=by, now=now)


def decline(*, proposal_id: int, answer: str, by: Actor, now: datetime) -> Proposal:
    """The hotline says no, and why. Raises NoProposal, Unfit without a reason or once it is decided."""
    if not answer.strip():
        raise Unfit(_("Say why: the provider reads it."))
    return _decide(proposal_id, None, State.DECLINED, "decline", by=by, now=now, answer=answer.strip()[:300])


def accept(*, proposal_id: int, by: Actor, now: datetime) -> Proposal:
    """The hotline says yes: what was proposed is done by the very services that staff use, in one transaction.

    Who proposed it is who added it, and who says yes is who approves it. Raises NoProposal, Unfit.
    """
    with transaction.atomic():
        proposal = _locked(proposal_id, None)
        if proposal.state == State.UNPROVEN:
            raise Unfit(_("Nobody has shown yet that they read this address."))
        if proposal.state != State.WAITS:
            raise Unfit(_("This proposal is decided already."))
        _apply(proposal, by=by, now=now)
        return _decide(proposal_id, None, State.APPROVED, "accept", by=by, now=now)


def _apply(proposal: Proposal, *, by: Actor, now: datetime) -> None:
    theirs = Actor.named(proposal.proposed_by)
    acts: dict[str, Callable[[], object]] = {
        Kind.ADD: lambda: approve_contact(
            contact_id=add_contact(
                provider_id=proposal.provider_id,
                channel=proposal.channel,
                address=proposal.address,
                mode=proposal.mode,
                formats=proposal.formats,
                role=proposal.role,
                by=theirs,
                now=now,
            ).pk,
            by=by,
            now=now,
        ),
        Kind.REPLACE: lambda: approve_contact(
            contact_id=replace_contact(
                contact_id=proposal.contact_id or 0, address=proposal.address, by=theirs, now=now
            ).pk,
            by=by,
            now=now,
        ),
        Kind.CHANGE: lambda: change_contact(
            contact_id=proposal.contact_id or 0, mode=proposal.mode, formats=proposal.formats, by=by, now=now
        ),
        Kind.KEY: lambda: approve_key(
            contact_id=proposal.contact_id or 0,
            key_id=add_key(
                contact_id=proposal.contact_id or 0,
                text=bytes(proposal.certificate or b""),
                by=theirs,
                now=now,
            ).pk,
            by=by,
            now=now,
        ),
        Kind.LANGUAGE: lambda: change_provider(
            provider_id=proposal.provider_id, language=proposal.language, by=by, now=now
        ),
        Kind.END: lambda: _end(proposal, by=by, now=now),
    }
    acts[proposal.kind]()


def _end(proposal: Proposal, *, by: Actor, now: datetime) -> None:
    _not_the_last(proposal)
    reason = _("Its provider has ended it.")
    suspend_contact(contact_id=proposal.contact_id or 0, reason=reason, by=by, now=now)


def _check(proposal: Proposal, provider: Provider) -> None:
    """Raises Unfit for what could not be done, were it approved."""
    contact = proposal.contact
    if contact is not None and contact.provider_id != provider.pk:
        raise NoProposal
    if proposal.contact_id is not None:
        same = Proposal.objects.open().filter(contact=proposal.contact_id, kind=proposal.kind)
        if same.exists():
            raise Unfit(_("The same is proposed for this contact already."))
    match proposal.kind:
        case Kind.ADD:
            proposal.address = fitting_address(proposal.channel, proposal.address)
            fitting(proposal.mode, proposal.formats, channel=proposal.channel)
            if proposal.role not in Contact.Role.values:
                raise Unfit(_("Say what the contact is for."))
            _new(proposal, provider, proposal.channel)
        case Kind.REPLACE if contact is not None:
            proposal.address = fitting_address(contact.channel, proposal.address)
            _new(proposal, provider, contact.channel)
        case Kind.CHANGE if contact is not None:
            fitting(proposal.mode, proposal.formats, channel=contact.channel)
            if (proposal.mode, proposal.formats) == (contact.mode, contact.formats):
                raise Unfit(_("It is like that already."))
        case Kind.KEY if contact is not None:
            if contact.channel != Contact.Channel.SMTP:
                raise Unfit(_("Only mail is encrypted with OpenPGP."))
        case Kind.LANGUAGE:
            if proposal.language == provider.language:
                raise Unfit(_("It is like that already."))
        case Kind.END:
            _not_the_last(proposal)


def _new(proposal: Proposal, provider: Provider, channel: str) -> None:
    has = Contact.objects.filter(provider=provider, channel=channel, address__iexact=proposal.address)
    asked = Proposal.objects.open().filter(provider=provider, address__iexact=proposal.address)
    if has.exists() or asked.exists():
        raise Unfit(_("This provider has this contact already."))


def _not_the_last(proposal: Proposal) -> None:
    """Notices have to go somewhere."""
    in_use = Contact.objects.for_notices().filter(provider=proposal.provider_id)
    contact_id = proposal.contact_id or 0
    mine = in_use.filter(pk=contact_id)
    if mine.exists() and not in_use.exclude(pk=contact_id).exists():
        raise Unfit(_("It is the only one that notices go to: propose another first."))


def _read_key(proposal: Proposal, text: bytes, *, now: datetime) -> None:
    try:
        read = openpgp.read(text, now=now)
    except openpgp.Unusable as fault:
        raise Unfit(str(fault)) from None
    proposal.certificate, proposal.fingerprint = read.data, read.fingerprint


def _wants_code(proposal: Proposal) -> bool:
    channel = proposal.channel or (proposal.contact.channel if proposal.contact else "")
    return proposal.kind in {Kind.ADD, Kind.REPLACE} and channel == Contact.Channel.SMTP


def _locked(proposal_id: int, provider_id: int | None) -> Proposal:
    """`provider_id`: whose it must be; None for staff."""
    mine = Proposal.objects.select_for_update(of=("self",)).select_related("contact", "provider")
    if provider_id is not None:
        mine = mine.filter(provider=provider_id)
    proposal = mine.filter(pk=proposal_id).first()
    if proposal is None:
        raise NoProposal
    return proposal


def _decide(
    proposal_id: int,
    provider_id: int | None,
    state: Proposal.State,
    act: str,
    *,
    by: Actor,
    now: datetime,
    answer: str = "",
) -> Proposal:
    with transaction.atomic():
        proposal = _locked(proposal_id, provider_id)
        if not proposal.is_open:
            raise Unfit(_("This proposal is decided already."))
        proposal.state, proposal.decided_at, proposal.decided_by = state, now, str(by)
        proposal.answer = answer
        proposal.save(update_fields=["state", "decided_at", "decided_by", "answer"])
        _record(act, proposal, by=by, now=now)
    return proposal


def _record(act: str, proposal: Proposal, *, by: Actor, now: datetime) -> None:
    data = {"provider": proposal.provider.code, "kind": proposal.kind}
    record(act, "proposal", proposal.pk, by=by, at=now, data=data)
