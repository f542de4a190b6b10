"""Which partners may report by mail: added by one person, approved by another."""

import re
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import MailSender, Source
from cases.services.refused import Invalid, NotFound, WrongState

_DOMAIN: Final = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}"
_PATTERN: Final = re.compile(rf"(?:[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@)?{_DOMAIN}")


def add_sender(*, pattern: str, source_id: int, language: str, by: Actor, now: datetime) -> MailSender:
    """An address, or a domain for all addresses directly under it. It counts once approved. Raises Invalid."""
    pattern = pattern.strip().lower()
    if len(pattern) > 254 or not _PATTERN.fullmatch(pattern):
        raise Invalid(_("Write a mail address, or a domain such as hotline.example."))
    if not Source.objects.filter(pk=source_id).exists():
        raise Invalid(_("Choose whose report it is."))
    if language not in dict(MailSender._meta.get_field("language").choices or ()):
        raise Invalid(_("Choose the language of its receipts."))
    try:
        with transaction.atomic():
            sender = MailSender.objects.create(
                pattern=pattern, source_id=source_id, language=language, added_at=now, added_by=str(by)
            )
            record("add", "mail_sender", sender.pk, by=by, at=now, data={"source": sender.source.code})
    except IntegrityError:
        raise Invalid(_("This address or domain is on the list already.")) from None
    return sender


def approve_sender(*, sender_id: int, by: Actor, now: datetime) -> MailSender:
    """A second person says that mail from there may become a report. Raises NotFound, WrongState, Invalid."""
    with transaction.atomic():
        sender = _locked(sender_id)
        if sender.approved_at is not None:
            raise WrongState(_("This partner is approved already."))
        if sender.added_by == str(by):
            raise Invalid(_("You added it: somebody else must approve it."))
        sender.approved_at, sender.approved_by = now, str(by)
        sender.save(update_fields=["approved_at", "approved_by"])
        record("approve", "mail_sender", sender.pk, by=by, at=now, data={"source": sender.source.code})
    return sender


def stop_sender(*, sender_id: int, by: Actor, now: datetime) -> MailSender:
    """Mail from there goes to the tray from now on. Raises NotFound, WrongState."""
    with transaction.atomic():
        sender = _locked(sender_id)
        sender.stopped_at, sender.stopped_by = now, str(by)
        sender.save(update_fields=["stopped_at", "stopped_by"])
        record("stop", "mail_sender", sender.pk, by=by, at=now, data={"source": sender.source.code})
    return sender


def _locked(sender_id: int) -> MailSender:
    sender = MailSender.objects.select_for_update(of=("self",)).filter(pk=sender_id).first()
    if sender is None:
        raise NotFound(_("There is no such partner."))
    if sender.stopped_at is not None:
        raise WrongState(_("This partner was stopped already."))
    return sender
