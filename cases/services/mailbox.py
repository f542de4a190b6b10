"""Mail from partners: what came in is kept once, judged by its sender, and taken in or left to a person."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from audit.record import Actor, event, record, record_many
from cases.models import Mail, Mailbox, MailCopy, MailSender, Report, Source
from cases.models.notice import new_reference
from cases.services.receipts import add_receipt
from cases.services.refused import Invalid, NotFound, WrongState

#: A mail that ended its reader so often is not read again: a person is told.
MAX_TRIES: Final = 3
#: P: so long after the decision the texts, the subject and the sender of a mail are erased.
KEPT: Final = timedelta(days=30)

Reason, State = Mail.Reason, Mail.State


@dataclass(frozen=True)
class Arrived:
    """A mail that was read. `message_id` and `sender` are "" when there is none that can be used; `texts` as
    `Mail.texts_json`; `trouble` is a Reason why its lines cannot be taken in, or ""."""

    digest: str
    content_digest: str
    size: int
    message_id: str = ""
    sender: str = ""
    domain: str = ""
    subject: str = ""
    by_machine: bool = False
    is_proven: bool = False
    texts: tuple[tuple[str, str], ...] = ()
    total: int = 0
    dropped: int = 0
    trouble: str = ""


# -- the mailbox -------------------------------------------------------------------------------------


def known_uids(*, mailbox: str, uid_validity: int) -> set[int]:
    """What was dealt with of the folder, as the server numbers it now; the mailbox gets its row."""
    row, _is_new = Mailbox.objects.get_or_create(name=mailbox, defaults={"uid_validity": uid_validity})
    if row.uid_validity != uid_validity:
        # The server numbered everything anew: the old numbers say nothing any more, the mails are known by
        # what they are.
        MailCopy.objects.filter(mailbox=row).exclude(uid_validity=uid_validity).delete()
        Mailbox.objects.filter(pk=row.pk).update(uid_validity=uid_validity)
    copies = MailCopy.objects.filter(
        Q(mail__isnull=False) | Q(reply_mail__isnull=False), mailbox=row, uid_validity=uid_validity
    )
    return set(copies.values_list("uid", flat=True))


def begin(*, mailbox: str, uid_validity: int, uid: int) -> MailCopy:
    """Somebody begins to read a mail: counted, and committed, before it is fetched."""
    row = Mailbox.objects.get(name=mailbox)
    copy, _is_new = MailCopy.objects.get_or_create(mailbox=row, uid_validity=uid_validity, uid=uid)
    MailCopy.objects.filter(pk=copy.pk).update(tries=F("tries") + 1)
    copy.tries += 1
    return copy


def not_begun(*, copy: MailCopy) -> None:
    """The server or the network broke off: that is not the mail's fault."""
    MailCopy.objects.filter(pk=copy.pk, tries__gt=0).update(tries=F("tries") - 1)


def came_to_the_end(*, mailbox: str, now: datetime) -> None:
    """Everything in the mailbox was read, at `now`. It is no change of a case: the audit does not hear of it."""
    Mailbox.objects.filter(name=mailbox).update(read_at=now)


# -- a mail ------------------------------------------------------------------------------------------


def keep(*, arrived: Arrived, copy: MailCopy, by: Actor, now: datetime) -> Mail:
    """Keep a mail, once however often it is shown: accepted if its sender and its lines allow it, or else in the
    tray with the reason."""
    message_key = Mail.key_of(f"id:{arrived.message_id or arrived.digest}")
    content_key = Mail.key_of(f"contents:{arrived.content_digest}")
    same = Mail.objects.filter(message_key=message_key)
    mail = same.filter(content_key=content_key).first()
    if mail is None:
        try:
            with transaction.atomic():
                mail = _kept(arrived, message_key, content_key, has_twin=same.exists(), by=by, now=now)
        except IntegrityError:
            # Another worker has it: both saw that it was not there.
            mail = same.get(content_key=content_key)
    MailCopy.objects.filter(pk=copy.pk).update(mail=mail)
    return mail


def _kept(
    arrived: Arrived, message_key: bytes, content_key: bytes, *, has_twin: bool, by: Actor, now: datetime
) -> Mail:
    listed = sender_of(arrived.sender)
    reason = _reason(arrived, listed, has_twin=has_twin)
    mail = Mail(
        reference=new_reference("M-"),
        message_key=message_key,
        content_key=content_key,
        sender_key=Mail.key_of(f"from:{arrived.sender}"),
        received_at=now,
        size_bytes=arrived.size,
        state=State.WAITING if reason else State.ACCEPTED,
        reason=reason,
        source=None if reason or listed is None else listed.source,
        listed_as=listed,
        proven=arrived.is_proven,
        by_machine=arrived.by_machine,
        total=arrived.total,
        dropped=arrived.dropped,
    )
    mail.message_id, mail.sender, mail.subject = arrived.message_id, arrived.sender, arrived.subject
    mail.texts_json = json.dumps(arrived.texts) if arrived.texts else ""
    mail.save(force_insert=True)
    data = {"reason": reason} if reason else {"source": mail.source.code if mail.source else ""}
    record("receive", "mail", mail.pk, by=by, at=now, became=mail.state, data=data)
    return mail


def sender_of(address: str) -> MailSender | None:
    """The partner that `address` belongs to: itself before its domain; never a domain above it."""
    if not address:
        return None
    patterns = [address, address.rpartition("@")[2]]
    found = MailSender.objects.select_related("source").filter(
        pattern__in=patterns, approved_at__isnull=False, stopped_at__isnull=True
    )
    return min(found, key=lambda sender: patterns.index(sender.pattern), default=None)


def _reason(arrived: Arrived, listed: MailSender | None, *, has_twin: bool) -> str:
    """Why a person must look first, or "". The sender comes before everything that the mail says."""
    if arrived.trouble == Reason.UNREADABLE:
        return Reason.UNREADABLE
    if not arrived.sender:
        return Reason.MACHINE if arrived.by_machine else Reason.BAD_FROM
    if arrived.by_machine:
        return Reason.MACHINE
    if listed is None:
        return Reason.STRANGER
    if not arrived.is_proven:
        return Reason.NOT_PROVEN
    if has_twin:
        return Reason.SAME_ID
    return arrived.trouble


def accept(*, mail_id: int, source_id: int, by: Actor, now: datetime) -> Mail:
    """A person takes a mail for a report of a source; it is taken in next. Raises NotFound, WrongState, Invalid."""
    with transaction.atomic():
        mail = _locked(mail_id, State.WAITING)
        source = Source.objects.filter(pk=source_id).first()
        if source is None:
            raise Invalid(_("Choose whose report it is."))
        if not mail.total:
            raise Invalid(_("There is no address in it that can be taken in."))
        mail.source, mail.decided_at, mail.decided_by = source, now, str(by)
        _move(mail, State.ACCEPTED, "accept", by=by, now=now, data={"source": source.code})
    return mail


def set_aside(*, mail_id: int, by: Actor, now: datetime) -> Mail:
    """A person leaves a mail aside for good: no report, no answer. Raises NotFound, WrongState."""
    with transaction.atomic():
        mail = _locked(mail_id, State.WAITING)
        mail.decided_at, mail.decided_by = now, str(by)
        _move(mail, State.SET_ASIDE, "set_aside", by=by, now=now)
    return mail


def finish(*, mail_id: int, report: Report, by: Actor, now: datetime) -> Mail:
    """All lines of an accepted mail are in `report`; its receipt waits to be sent, if one may go.

    Harmless when somebody else was first. Raises NotFound.
    """
    with transaction.atomic():
        mail = _locked(mail_id)
        if mail.state == State.ACCEPTED:
            mail.report, mail.decided_at = report, mail.decided_at or now
            mail.decided_by = mail.decided_by or str(by)
            _move(mail, State.TAKEN, "take_in", by=by, now=now, data={"report": report.reference})
            if mail.answerable:
                add_receipt(mail=mail, by=by, now=now)
    return mail


def hand_back(*, mail_id: int, reason: str, by: Actor, now: datetime) -> Mail:
    """An accepted mail could not be taken in: a person looks. Raises NotFound."""
    with transaction.atomic():
        mail = _locked(mail_id)
        if mail.state == State.ACCEPTED:
            mail.reason, mail.decided_at, mail.decided_by = reason, None, ""
            _move(mail, State.WAITING, "hand_back", by=by, now=now, data={"reason": reason})
    return mail


def read_mail(*, mail_id: int, by: Actor, now: datetime) -> Mail:
    """A mail, to be shown with all that it says; that somebody looked is written down. Raises NotFound."""
    with transaction.atomic():
        mail = Mail.objects.filter(pk=mail_id).first()
        if mail is None or mail.erased_at is not None:
            raise NotFound(_("There is no such mail, or its text was erased."))
        record("read", "mail", mail.pk, by=by, at=now)
    return mail


def to_erase(now: datetime) -> QuerySet[Mail]:
    """Mail that was decided on KEPT ago, and still says what it said."""
    return Mail.objects.filter(
        erased_at__isnull=True, state__in=[State.TAKEN, State.SET_ASIDE], decided_at__lte=now - KEPT
    )


def erase_mails(mails: Sequence[Mail], by: Actor, now: datetime) -> None:
    """Erase what locked mails say and whom they are from; that they came stays."""
    Mail.objects.filter(pk__in=[mail.pk for mail in mails]).update(
        erased_at=now, message_id_sealed=None, sender_sealed=None, subject_sealed=None, texts_sealed=None
    )
    record_many(event("erase", "mail", mail.pk, by=by, at=now) for mail in mails)


def _locked(mail_id: int, state: str = "") -> Mail:
    mail = (
        Mail.objects.select_for_update(of=("self",))
        .select_related("listed_as", "source")
        .filter(pk=mail_id)
        .first()
    )
    if mail is None:
        raise NotFound(_("There is no such mail."))
    if state and mail.state != state:
        raise WrongState(_("Somebody has decided on this mail already."))
    return mail


def _move(
    mail: Mail, to: str, act: str, *, by: Actor, now: datetime, data: dict[str, str] | None = None
) -> None:
    was, mail.state = mail.state, to
    mail.save(update_fields=["state", "reason", "source", "report", "decided_at", "decided_by"])
    record(act, "mail", mail.pk, by=by, at=now, was=was, became=to, data=data)
