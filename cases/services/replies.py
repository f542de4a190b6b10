"""What comes back by mail: kept once, put to its message, and acted on only as far as it proves something.

Machines move no state, with two exceptions that a message's own return path must prove: it arrived, or it came back.
What people write waits in a tray until a person says what it means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.record import Actor, event, record, record_many
from cases.formats.mail import paths_in
from cases.models import Dispatch, DispatchLine, MailCopy, ReplyMail
from cases.models.notice import new_reference
from cases.services import answers, bounces
from cases.services.refused import Invalid, NotFound, WrongState
from providers.channels.result import without_links
from providers.hosts import registrable
from providers.models import Contact

#: P: so long after it came in, what a mail says and whom it is from are erased; not while it waits.
KEPT: Final = timedelta(days=365)
#: Suggestions for a mail of which nobody knows to which message it belongs.
_SUGGESTED: Final = 5

Kind, State, Match, Reason = ReplyMail.Kind, ReplyMail.State, ReplyMail.Match, ReplyMail.Reason
#: What a delivery report says of a recipient when their server has the message (RFC 3464, 2.3.3).
_TAKEN: Final = frozenset({"delivered", "relayed", "expanded"})
#: What a machine sent and nobody needs to read.
_SILENT: Final = frozenset({Kind.RECEIPT, Kind.AWAY, Kind.DELAYED, Kind.DELIVERED, Kind.OTHER, Kind.OWN})


@dataclass(frozen=True)
class Fate:
    """What a report says of one recipient. `addresses`: as we wrote it and as it was delivered, in lower case;
    `action` as RFC 3464 has it, `status` as RFC 3463."""

    addresses: frozenset[str]
    action: str
    status: str = ""
    words: str = ""


@dataclass(frozen=True)
class Returned:
    """A mail that was read. `to`: the addresses that it was sent to; `thread`: the Message-IDs that it answers, or
    that a report returns; `number`: one of ours in its subject; `trouble`: a Reason why it could not be read."""

    digest: str
    content_digest: str
    size: int
    kind: str
    message_id: str = ""
    sender: str = ""
    domain: str = ""
    subject: str = ""
    text: str = ""
    is_proven: bool = False
    to: tuple[str, ...] = ()
    thread: tuple[str, ...] = ()
    number: str = ""
    ticket: str = ""
    fates: tuple[Fate, ...] = ()
    dropped: int = 0
    trouble: str = ""


# -- keeping -----------------------------------------------------------------------------------------


def keep(*, returned: Returned, copy: MailCopy, by: Actor, now: datetime) -> ReplyMail:
    """Keep a mail, once however often it is shown; what it proves is done in the same transaction."""
    message_key = ReplyMail.key_of(f"id:{returned.message_id or returned.digest}")
    content_key = ReplyMail.key_of(f"contents:{returned.content_digest}")
    same = ReplyMail.objects.filter(message_key=message_key, content_key=content_key)
    mail = same.first()
    if mail is None:
        try:
            with transaction.atomic():
                mail = _kept(returned, message_key, content_key, by=by, now=now)
        except IntegrityError:
            # Another worker has it: both saw that it was not there.
            mail = same.first()
            if mail is None:
                raise  # it is something else that does not fit
    MailCopy.objects.filter(pk=copy.pk).update(reply_mail=mail)
    return mail


def _kept(
    returned: Returned, message_key: bytes, content_key: bytes, *, by: Actor, now: datetime
) -> ReplyMail:
    dispatch, match = _matched(returned)
    from_provider = dispatch is not None and returned.is_proven and _is_theirs(returned.domain, dispatch)
    fate = _our_fate(returned, dispatch)
    reason = _reason(returned, dispatch, match, fate, from_provider=from_provider)
    shown = fate or next(iter(returned.fates), None)
    mail = ReplyMail(
        reference=new_reference("B-"),
        message_key=message_key,
        content_key=content_key,
        received_at=now,
        size_bytes=returned.size,
        kind=returned.kind,
        state=State.WAITING if reason else State.FILED,
        reason=reason,
        dispatch=dispatch,
        matched_by=match,
        number=returned.number,
        proven=returned.is_proven,
        from_provider=from_provider,
        ticket=returned.ticket,
        status=shown.status[:11] if shown else "",
        words=_words(shown) if shown else "",
        dropped=returned.dropped,
    )
    mail.message_id, mail.sender, mail.subject = returned.message_id, returned.sender, returned.subject
    mail.text = returned.text
    mail.save(force_insert=True)
    data = {"mail_kind": mail.kind, "look": reason} | ({"number": dispatch.number} if dispatch else {})
    record("receive", "reply_mail", mail.pk, by=by, at=now, became=mail.state, data=data)
    if dispatch is not None and fate is not None and not reason and match == Match.RETURN_PATH:
        if mail.kind == Kind.FAILED:
            bounces.bounce(dispatch_id=dispatch.pk, words=mail.words, by=by, now=now)
        elif mail.kind == Kind.DELIVERED:
            bounces.arrived(dispatch_id=dispatch.pk, evidence=mail.words, by=by, now=now)
    return mail


def _matched(returned: Returned) -> tuple[Dispatch | None, str]:
    """The one message that it belongs to, and how that is known; a number in a subject is no proof."""
    tokens, numbers = paths_in(returned.to)
    rows = Dispatch.objects.select_related("contact__provider")
    ways = (
        (Match.RETURN_PATH, [found for token in tokens for found in rows.by_return_path(token)[:2]]),
        (Match.REPLY_PATH, list(rows.filter(number__in=numbers)[:2]) if numbers else []),
        (Match.THREAD, list(rows.filter(message_id__in=returned.thread)[:2]) if returned.thread else []),
    )
    for match, found in ways:
        if len(found) == 1:
            return found[0], match
        if found:
            break  # of several nobody can tell
    return None, ""


def _is_theirs(domain: str, dispatch: Dispatch) -> bool:
    """Whether a sender's domain is one of the provider's own: that of an approved address of theirs."""
    contacts = Contact.objects.filter(
        provider=dispatch.contact.provider_id, approved_at__isnull=False, channel=Contact.Channel.SMTP
    )
    domains = {registrable(contact.address.rpartition("@")[2].lower()) for contact in contacts}
    own = registrable(domain)
    return bool(own) and own in domains


def _our_fate(returned: Returned, dispatch: Dispatch | None) -> Fate | None:
    """What became of our recipient: a report may speak of others, to whom somebody passed it on."""
    if dispatch is None:
        return None
    address = dispatch.contact.address.lower()
    wanted = {Kind.FAILED: {"failed"}, Kind.DELAYED: {"delayed"}, Kind.DELIVERED: _TAKEN}
    actions = wanted.get(Kind(returned.kind), frozenset())
    return next((f for f in returned.fates if address in f.addresses and f.action in actions), None)


def _reason(
    returned: Returned, dispatch: Dispatch | None, match: str, fate: Fate | None, *, from_provider: bool
) -> str:
    """Why a person must look, or ""."""
    kind = returned.kind
    if kind == Kind.RECEIPT and ReplyMail.objects.receipts().filter(dispatch=dispatch).exists():
        return Reason.MACHINE  # what follows the receipt of a ticket may be what somebody wrote in it
    if kind in _SILENT:
        return ""
    if kind == Kind.AUTO:
        return Reason.MACHINE if dispatch else ""
    if kind == Kind.FAILED:
        if dispatch is None and not returned.number:
            return ""  # others forge our address, and their bounces come to us
        if match != Match.RETURN_PATH:
            return Reason.NO_SECRET
        return "" if fate else Reason.OTHER_ADDRESS
    if returned.trouble:
        return returned.trouble
    if dispatch is None:
        return Reason.UNMATCHED
    return Reason.ANSWER if from_provider else Reason.STRANGER


def _words(fate: Fate) -> str:
    """What a report says, as their server said it; that it failed is said beside it."""
    action = "" if fate.action == "failed" else fate.action
    status = "" if fate.status in fate.words else fate.status
    return without_links(" ".join(filter(None, [action, status, fate.words])))[:500]


# -- what people decide ------------------------------------------------------------------------------


def answer(
    *,
    mail_id: int,
    answer: str,
    references: Sequence[str],
    reason: str = "",
    claimed_at: datetime | None = None,
    by: Actor,
    now: datetime,
) -> list[answers.Outcome]:
    """Say what a mail means for notices of its message; returns the outcome of each.

    Somebody of the staff read it: their name stands with the answers, and the mail beside it.
    Raises NotFound, WrongState, Invalid, and refuses all when none can be recorded.
    """
    with transaction.atomic():
        mail = _locked(mail_id, State.WAITING)
        if mail.dispatch is None:
            raise Invalid(_("Put it to its message first."))
        own = DispatchLine.objects.filter(dispatch=mail.dispatch).values_list("notice__reference", flat=True)
        chosen = sorted(set(references) & set(own))
        if not chosen:
            raise Invalid(_("Choose the notices that it is about."))
        said = reason.strip() or _("By mail, %(reference)s.") % {"reference": mail.reference}
        outcomes = answers.answer_many(
            provider_id=mail.dispatch.contact.provider_id,
            answers=[answers.Answer(each, answer, at=claimed_at, reason=said) for each in chosen],
            by=by,
            now=now,
            mail=mail,
        )
        if all(outcome.outcome == "refused" for outcome in outcomes):
            raise Invalid(outcomes[0].reason)
        _move(mail, State.ANSWERED, "answer", by=by, now=now, data={"answer": answer})
    return outcomes


def set_aside(*, mail_id: int, by: Actor, now: datetime) -> ReplyMail:
    """It was read, and changes nothing. Raises NotFound, WrongState."""
    with transaction.atomic():
        mail = _locked(mail_id, State.WAITING)
        _move(mail, State.SET_ASIDE, "set_aside", by=by, now=now)
    return mail


def attach(*, mail_id: int, number: str, by: Actor, now: datetime) -> ReplyMail:
    """Put a mail to a message, by its number. Raises NotFound, WrongState, Invalid."""
    with transaction.atomic():
        mail = _locked(mail_id, State.WAITING)
        dispatch = Dispatch.objects.select_related("contact").filter(number=number.strip().upper()).first()
        if dispatch is None:
            raise Invalid(_("There is no message with this number."))
        mail.dispatch, mail.matched_by = dispatch, Match.PERSON
        mail.from_provider = mail.proven and _is_theirs(mail.sender.rpartition("@")[2], dispatch)
        if mail.reason == Reason.UNMATCHED:
            mail.reason = Reason.ANSWER if mail.from_provider else Reason.STRANGER
        mail.save(update_fields=["dispatch", "matched_by", "from_provider", "reason"])
        record("attach", "reply_mail", mail.pk, by=by, at=now, data={"number": dispatch.number})
    return mail


def count_as_bounce(*, mail_id: int, by: Actor, now: datetime) -> ReplyMail:
    """A person finds that the message did come back. Raises NotFound, WrongState, Invalid."""
    with transaction.atomic():
        mail = _locked(mail_id, State.WAITING)
        if mail.dispatch is None:
            raise Invalid(_("Put it to its message first."))
        mail.kind = Kind.FAILED
        mail.save(update_fields=["kind"])
        _move(mail, State.FILED, "count_as_bounce", by=by, now=now, data={"number": mail.dispatch.number})
        words = mail.words or _("a colleague read that it could not be delivered")
        bounces.bounce(dispatch_id=mail.dispatch.pk, words=words, by=by, now=now)
    return mail


def bring_back(*, mail_id: int, by: Actor, now: datetime) -> ReplyMail:
    """Put what was filed by itself in the tray: a person may have written it. Raises NotFound, WrongState."""
    with transaction.atomic():
        mail = _locked(mail_id, State.FILED)
        if mail.kind in {Kind.FAILED, Kind.DELIVERED}:
            raise WrongState(_("This report was acted on: a person cannot take it back."))
        mail.reason = Reason.BROUGHT
        _move(mail, State.WAITING, "bring_back", by=by, now=now)
    return mail


def read_mail(*, mail_id: int, by: Actor, now: datetime) -> ReplyMail:
    """A mail, to be shown with the addresses in it; that somebody looked is written down. Raises NotFound."""
    with transaction.atomic():
        mail = ReplyMail.objects.filter(pk=mail_id).first()
        if mail is None or mail.erased_at is not None:
            raise NotFound(_("There is no such mail, or its text was erased."))
        record("read", "reply_mail", mail.pk, by=by, at=now)
    return mail


def suggestions(mail: ReplyMail) -> list[Dispatch]:
    """Messages that an unmatched mail may belong to: by the number in its subject, then the last ones to a contact
    of the sender's domain."""
    rows = Dispatch.objects.select_related("contact__provider").exclude(state=Dispatch.State.CANCELLED)
    found = list(rows.filter(number=mail.number)) if mail.number else []
    domain = registrable(mail.sender.rpartition("@")[2])
    if domain and len(found) < _SUGGESTED:
        contacts = Contact.objects.filter(channel=Contact.Channel.SMTP, address__iendswith=domain)
        theirs = [c.pk for c in contacts if registrable(c.address.rpartition("@")[2].lower()) == domain]
        more = rows.filter(contact__in=theirs, attempts__isnull=False).distinct()
        more = more.exclude(pk__in=[dispatch.pk for dispatch in found]).order_by("-created_at", "-pk")
        found += more[: _SUGGESTED - len(found)]
    return found


# -- erasing -----------------------------------------------------------------------------------------


def to_erase(now: datetime) -> QuerySet[ReplyMail]:
    """Mail that came in KEPT ago, is decided, and still says what it said."""
    old = ReplyMail.objects.filter(erased_at__isnull=True, received_at__lte=now - KEPT)
    return old.exclude(state=State.WAITING)


def erase(mails: Sequence[ReplyMail], by: Actor, now: datetime) -> None:
    """Erase what locked mails say and whom they are from; that they came, and what of it counted, stays."""
    ReplyMail.objects.filter(pk__in=[mail.pk for mail in mails]).update(
        erased_at=now, message_id_sealed=None, sender_sealed=None, subject_sealed=None, text_sealed=None
    )
    record_many(event("erase", "reply_mail", mail.pk, by=by, at=now) for mail in mails)


def unreadable(returned: Returned) -> Returned:
    """The same mail, of which nothing can be told: a person looks in the mailbox."""
    return replace(returned, kind=Kind.ANSWER, trouble=Reason.UNREADABLE)


def _locked(mail_id: int, state: str) -> ReplyMail:
    mail = (
        ReplyMail.objects.select_for_update(of=("self",))
        .select_related("dispatch__contact")
        .filter(pk=mail_id)
        .first()
    )
    if mail is None:
        raise NotFound(_("There is no such mail."))
    if mail.state != state:
        raise WrongState(_("Somebody has decided on this mail already."))
    return mail


def _move(
    mail: ReplyMail, to: str, act: str, *, by: Actor, now: datetime, data: dict[str, str] | None = None
) -> None:
    was, mail.state = mail.state, to
    mail.decided_at, mail.decided_by = (None, "") if to == State.WAITING else (now, str(by))
    mail.save(update_fields=["state", "reason", "decided_at", "decided_by"])
    record(act, "reply_mail", mail.pk, by=by, at=now, was=was, became=to, data=data)
