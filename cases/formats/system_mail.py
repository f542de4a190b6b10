"""System mails (RFC 5322, 3834): plain text, without an address of content and without a link that answers."""

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import ApiKey
from cases.formats.letter import one_line
from cases.formats.text import folded, in_both_zones
from cases.models import Reply, SystemMail


def confirmation(mail: SystemMail, replies: Sequence[Reply], *, at: datetime) -> EmailMessage:
    """To the contact of a message: what was answered by its link. What was typed is not repeated."""
    dispatch = mail.dispatch
    if dispatch is None:
        raise ValueError(f"{mail.pk} confirms no message.")
    out = _message(mail, to=dispatch.contact.address, at=at)
    out["Subject"] = _("[%(number)s] Your answers are recorded") % {"number": dispatch.number}
    out["In-Reply-To"] = out["References"] = dispatch.message_id
    about = ngettext(
        "We recorded %(count)d answer, given by the link in our message %(number)s:",
        "We recorded %(count)d answers, given by the link in our message %(number)s:",
        len(replies),
    ) % {"count": len(replies), "number": dispatch.number}
    lines = [line for reply in replies for line in _row(reply)]
    if any(not reply.late for reply in replies):
        lines += ["", *folded(_("The clock of a notice runs until we see that the material is gone."))]
    if any(reply.late for reply in replies):
        lines += [
            "",
            *folded(
                _(
                    "What is marked as too late was kept and moves nothing: the notice is closed, or a newer message"
                    " is about it."
                )
            ),
        ]
    wrong = _(
        "Was this none of you? Somebody else has the link. Let an admin of yours revoke it in the portal"
        " (%(portal)s), or call us: %(phone)s."
    ) % {
        "portal": f"{settings.BASE_URL}/portal/links/",
        "phone": settings.HOST.organisation.phone.replace(" ", "\xa0"),
    }
    body = [*folded(about), "", *lines, "", *folded(wrong), "", settings.HOST.organisation.name]
    out.set_content(_text(body), charset="utf-8", cte="quoted-printable")
    return out


def key_ends(mail: SystemMail, key: ApiKey, *, to: str, at: datetime) -> EmailMessage:
    """To the owner of a key: which, when, and what to do. Never the key."""
    if key.expires_at is None:
        raise ValueError(f"{key.pk} has no end.")
    out = _message(mail, to=to, at=at)
    out["Subject"] = ngettext(
        "A key of yours ends within %(count)d day",
        "A key of yours ends within %(count)d days",
        mail.days or 0,
    ) % {"count": mail.days or 0}
    ends = _(
        "Your key “%(name)s” (%(prefix)s…) opens our API until %(until)s. After that its calls are refused."
    )
    act = _(
        "Replace it in the portal: %(portal)s. The old key goes on beside the new one until it ends. If nothing"
        " uses it any more, you need do nothing."
    )
    body = [
        *folded(
            ends % {"name": one_line(key.name), "prefix": key.prefix, "until": in_both_zones(key.expires_at)}
        ),
        "",
        *folded(act % {"portal": f"{settings.BASE_URL}/portal/keys/"}),
        "",
        settings.HOST.organisation.name,
    ]
    out.set_content(_text(body), charset="utf-8", cte="quoted-printable")
    return out


def code(mail: SystemMail, code: str, *, hours: int, at: datetime) -> EmailMessage:
    """To a proposed address: the code by which its reader says yes. The code is in no subject."""
    proposal = mail.proposal
    if proposal is None:
        raise ValueError(f"{mail.pk} proves no address.")
    out = _message(mail, to=proposal.address, at=at)
    out["Subject"] = _("Code for this address")
    names = {"provider": proposal.provider.name, "house": settings.HOST.organisation.name}
    body = [
        *folded(_("%(provider)s wants messages of %(house)s to come to this address.") % names),
        "",
        *folded(_("If that is right, give this code to the colleague who asked for it:")),
        "",
        f"    {code[:4]}-{code[4:]}",
        "",
        *folded(_("It counts for %(hours)d hours. Without it nothing comes here, and you need to do nothing.")
                % {"hours": hours}),
        "",
        settings.HOST.organisation.name,
    ]  # fmt: skip
    out.set_content(_text(body), charset="utf-8", cte="quoted-printable")
    return out


def news(mail: SystemMail, *, to: str, at: datetime) -> EmailMessage:
    """To somebody who asked for it: how much of what happened, never of which notice."""
    facts = {code: number for code, number in (mail.facts or {}).items() if number}
    out = _message(mail, to=to, at=at)
    weekly = mail.about == SystemMail.About.WEEKLY
    out["Subject"] = _("Your notices this week") if weekly else _("News about your notices")
    lines = [
        line for code, number in facts.items() for line in folded(f"- {fact(code, number)}", hanging="  ")
    ]
    body = [
        *(lines or folded(_("Nothing is open."))),
        "",
        *folded(
            _("You find all of it in the portal: %(portal)s") % {"portal": f"{settings.BASE_URL}/portal/"}
        ),
        "",
        *folded(
            _("What you are told by mail, you choose there: %(choices)s")
            % {"choices": f"{settings.BASE_URL}/portal/notifications/"}
        ),
        "",
        settings.HOST.organisation.name,
    ]
    out.set_content(_text(body), charset="utf-8", cte="quoted-printable")
    return out


def fact(code: str, number: int) -> str:
    """One line of news. Raises KeyError for a code that is none."""
    said = {
        "notices": ngettext("%(n)d new notice", "%(n)d new notices", number),
        "overdue": ngettext(
            "%(n)d notice whose term has passed", "%(n)d notices whose terms have passed", number
        ),
        "confirmed": ngettext(
            "%(n)d removal that you told us of is confirmed", "%(n)d removals that you told us of are confirmed", number
        ),
        "contradicted": ngettext(
            "%(n)d that you said is removed is still reachable",
            "%(n)d that you said are removed are still reachable",
            number,
        ),
        "upheld": ngettext("%(n)d objection was upheld", "%(n)d objections were upheld", number),
        "rejected": ngettext("%(n)d objection was rejected", "%(n)d objections were rejected", number),
        "messages": ngettext("%(n)d message of ours waits", "%(n)d messages of ours wait", number),
        "expiring": ngettext(
            "%(n)d key expires within two weeks", "%(n)d keys expire within two weeks", number
        ),
        "contacts": ngettext(
            "%(n)d contact of yours came back or was suspended", "%(n)d contacts of yours came back or were suspended",
            number,
        ),
        "open": ngettext("%(n)d notice is open", "%(n)d notices are open", number),
        "unanswered": ngettext(
            "%(n)d of them has no answer of yours", "%(n)d of them have no answer of yours", number
        ),
    }  # fmt: skip
    return said[code] % {"n": number}


def _row(reply: Reply) -> list[str]:
    said = f"{reply.notice.reference}  {reply.get_answer_display()}"
    if reply.claimed_at is not None:
        said += f", {in_both_zones(reply.claimed_at)}"
    if reply.late:
        said += f" [{_('too late')}]"
    rows = folded(said, hanging="   ")
    return [*rows, f"   {_('recorded')} {in_both_zones(reply.at)}"]


def _message(mail: SystemMail, *, to: str, at: datetime) -> EmailMessage:
    out = EmailMessage(policy=SMTP)
    local, _at, domain = parseaddr(settings.HOST.sender_address)[1].rpartition("@")
    out["From"] = Address(settings.HOST.sender_name, local, domain)
    out["To"] = Address(addr_spec=to)
    out["Date"] = format_datetime(at)
    out["Message-ID"] = mail.message_id
    out["Auto-Submitted"] = "auto-generated"
    return out


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines).replace("\xa0", " ") + "\n"
