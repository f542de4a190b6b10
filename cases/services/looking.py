"""How the staff looks at what stands sealed, and searches by it; each look is written down, with its reason.

Reasons are codes, never free text: the audit is kept for ever and must not hold an address.
"""

from datetime import datetime
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.record import Actor, record
from cases import url as urls
from cases.formats.page import without_link
from cases.models import Content, Dispatch, Notice, ReportLine
from cases.services.refused import Invalid, NotFound

#: More notices of one address than this are found, but not written into one audit row.
_NAMED = 50


class Why(models.TextChoices):
    """Why a member of the staff looks at an address, or searches by one."""

    JUDGE = "judge", gettext_lazy("to judge it")
    CHECK = "check", gettext_lazy("to check what was done")
    PROVIDER = "provider", gettext_lazy("a provider asks")
    POLICE = "police", gettext_lazy("the police ask")
    REPORTER = "reporter", gettext_lazy("a reporter or partner asks")


def find(*, text: str, reason: str, by: Actor, now: datetime) -> list[Notice]:
    """All notices of the address in `text`, newest first. Raises Invalid when it is no address."""
    _check(reason)
    try:
        parsed = urls.parse(text)
    except urls.Quarantine as quarantine:
        parsed = quarantine.parsed
    except urls.Refusal as refusal:
        raise Invalid(str(urls.REASONS[refusal.code])) from None
    with transaction.atomic():
        of_address = Notice.objects.filter(content__url_key=Content.key_of(parsed.canonical))
        found = list(of_address.order_by("-pk"))
        record(
            "find",
            "user",
            by.user_id or 0,
            by=by,
            at=now,
            data={"reason": reason, "found": [notice.reference for notice in found[:_NAMED]]},
        )
    return found


def read_line(*, line_id: UUID, reason: str, by: Actor, now: datetime) -> ReportLine:
    """A line of a report, to be shown with the text as it came in. Raises NotFound, Invalid."""
    _check(reason)
    with transaction.atomic():
        line = ReportLine.objects.select_related("content", "report").filter(pk=line_id).first()
        if line is None:
            raise NotFound(_("There is no such line."))
        data = {"line": line.number, "reason": reason}
        record("reveal", "report", line.report_id, by=by, at=now, data=data)
    return line


def read_message(*, dispatch_id: int, by: Actor, now: datetime) -> str:
    """The text of a message as it went out, which may hold addresses; without the link to its page. Raises NotFound."""
    with transaction.atomic():
        dispatch = Dispatch.objects.filter(pk=dispatch_id).first()
        if dispatch is None or not dispatch.body_sealed:
            raise NotFound(_("This message has no text yet: it is written when it is sent."))
        record("read", "dispatch", dispatch.pk, by=by, at=now)
        return without_link(dispatch.body)


def _check(reason: str) -> None:
    if reason not in Why.values:
        raise Invalid(_("Say why you want to see it."))
