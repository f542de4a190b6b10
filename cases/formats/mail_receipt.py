"""The receipt that goes back to a partner by mail (RFC 5322, 3834): counts, and each line's outcome, no address."""

from collections import Counter
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.formats import receipt as receipts
from cases.models import MailReceipt, ReportLine


def message(receipt: MailReceipt, *, at: datetime) -> EmailMessage:
    """Build the receipt, in the language of the moment. Its Message-ID is the row's, however often it is built."""
    mail, report = receipt.mail, receipt.mail.report
    if report is None:
        raise ValueError(f"{mail.reference} was not taken in.")
    lines = list(receipts.lines(report))
    out = EmailMessage(policy=SMTP)
    local, _at, domain = parseaddr(settings.HOST.sender_address)[1].rpartition("@")
    out["From"] = Address(settings.HOST.sender_name, local, domain)
    out["To"] = Address(addr_spec=mail.sender)
    out["Subject"] = _("[%(report)s] Receipt of your report") % {"report": report.reference}
    out["Date"] = format_datetime(at)
    out["Message-ID"] = receipt.message_id
    if mail.message_id:
        out["In-Reply-To"] = out["References"] = mail.message_id
    out["Auto-Submitted"] = "auto-replied"
    out["X-Takedown-Receipt"] = report.reference
    out.set_content(_body(receipt, lines), charset="utf-8", cte="quoted-printable")
    out.add_attachment(
        "".join(receipts.as_csv(lines)),
        subtype="csv",
        charset="utf-8",
        cte="base64",
        filename=f"{report.reference}.csv",
    )
    return out


def _body(receipt: MailReceipt, lines: list[receipts.ReceiptLine]) -> str:
    mail, report = receipt.mail, receipt.mail.report
    reference = report.reference if report else ""
    counts = Counter(line.outcome for line in lines)
    words = dict(ReportLine.Outcome.choices)
    said = [
        _("We have taken in your report. Our reference is %(report)s.") % {"report": reference},
        "",
        ngettext("%(count)d line:", "%(count)d lines:", len(lines)) % {"count": len(lines)},
        *(f"  {words[code]}: {counts[code]}" for code in ReportLine.Outcome.values if counts[code]),
        "",
        _(
            "The attached list says what became of each line, in the order in which we read them: first the "
            "attached lists, then the addresses in the text of your mail. It holds no addresses."
        ),
        _(
            "In the text of a mail we read addresses that stand on a line of their own and begin with http, "
            "https or www, or have a path. The other lines we keep as your note."
        ),
    ]
    if mail.dropped:
        said.append(
            ngettext(
                "%(count)d attachment was left out and not kept: we take lists of addresses only.",
                "%(count)d attachments were left out and not kept: we take lists of addresses only.",
                mail.dropped,
            )
            % {"count": mail.dropped}
        )
    said += ["", settings.HOST.organisation.name]
    return "\n".join(said) + "\n"
