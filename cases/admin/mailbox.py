"""The tray: mail that is not taken in by itself, why, and what a person makes of it."""

import json
from typing import Final

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import Names
from audit.counting import Bounded, Uncounted
from audit.desk import POST, Desk, page
from audit.models import Event
from audit.record import Actor
from cases.admin import mail_senders
from cases.admin.pressing import press
from cases.admin.sentences import told
from cases.admin.trays import Tray, chosen, tabs
from cases.intake.mailbox import reading
from cases.intake.way import Unreadable
from cases.models import Mail, MailReceipt, MailSender, Source
from cases.services import mailbox
from cases.services.mail_senders import add_sender
from cases.services.receipts import retry_receipt
from cases.url import without_addresses

PER_PAGE: Final = 50
#: Lines of a mail up to which it is taken in at once; a longer one the next sweep takes.
AT_ONCE: Final = 2_000
_SHOWN: Final = 20_000  # characters of a text

State, Parked = Mail.State, MailReceipt.State.PARKED


TRAYS: Final = (
    Tray("waiting", gettext_lazy("To decide"), Q(state=State.WAITING), ("received_at", "pk")),
    Tray(
        "taken",
        gettext_lazy("Taken in"),
        Q(state=State.TAKEN),
        ("-decided_at", "-pk"),
    ),
    Tray(
        "aside",
        gettext_lazy("Set aside"),
        Q(state=State.SET_ASIDE),
        ("-decided_at", "-pk"),
    ),
    Tray("receipts", gettext_lazy("Receipts not sent"), Q(receipt__state=Parked), ("received_at", "pk")),
)


class TakeForm(forms.Form):
    """Whose report it is, and whether its sender is to be remembered."""

    source = forms.ModelChoiceField(
        label=gettext_lazy("Take it in as a report of"),
        queryset=Source.objects.order_by("name", "pk"),
        empty_label=None,
    )
    remember = forms.ChoiceField(
        label=gettext_lazy("And from now on?"),
        choices=[
            ("", gettext_lazy("Only this mail")),
            ("address", gettext_lazy("Propose this address as a partner's")),
        ],
        help_text=gettext_lazy("A proposal counts once somebody else has approved it."),
        required=False,
    )


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, a mail, and its buttons."""
    see, do = "mailbox.view", "mailbox.decide"
    one = "mailbox/<int:pk>/"
    return [
        desk.at("mailbox/", tray, name="mailbox", cell=see),
        *mail_senders.urls(desk),
        desk.at(one, show, name="mailbox_mail", cell=see),
        desk.at(f"{one}read/", read, name="mailbox_read", cell=see, methods=POST),
        desk.at(f"{one}accept/", accept, name="mailbox_accept", cell=do, methods=POST),
        desk.at(f"{one}set-aside/", set_aside, name="mailbox_set_aside", cell=do, methods=POST),
        desk.at(f"{one}retry/", retry, name="mailbox_retry", cell=do, methods=POST),
    ]


def counters() -> list[Uncounted]:
    """What waits, for the start page."""
    href = reverse("admin:mailbox")
    parked = MailReceipt.objects.filter(state=Parked)
    return [
        Uncounted(gettext_lazy("mails in the tray"), Mail.objects.waiting(), "received_at", href, "warn"),
        Uncounted(
            gettext_lazy("receipts by mail not sent"), parked, "created_at", f"{href}?tray=receipts", "bad"
        ),
    ]


def tray(request: HttpRequest) -> HttpResponse:
    """The mails of one tab: those that wait, the oldest first; those that are decided, the newest first."""
    current = chosen(request, TRAYS)
    mails: QuerySet[Mail] = (
        Mail.objects.filter(current.which)
        .select_related("source", "report", "receipt")
        .defer("texts_sealed")
        .order_by(*current.order)
    )
    found = Bounded(mails, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("Mail from partners"),
        "tabs": tabs(TRAYS, current),
        "tray": current.code,
        "page": found,
        "rows": [{"mail": mail, "subject": without_addresses(mail.subject)} for mail in found],
        "may_see_senders": request.user.has_perm("mail_sender.view"),
        "is_on": reading.is_on(),
    }
    return page(request, "staff/mailbox.html", context)


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail: who sent it, why it waits, what it says without its addresses, and the buttons."""
    return _show(request, _mail_or_404(pk))


def read(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole text, in the answer to this very request; it is written down that somebody looked."""
    _mail_or_404(pk)
    seen = press(
        request,
        lambda: mailbox.read_mail(mail_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("That you looked is written down."),
    )
    if seen is None:
        return redirect("admin:mailbox_mail", pk)
    return _show(request, _mail_or_404(pk), is_whole=True)


def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the mail for a report, and propose its sender as a partner when that was asked for."""
    mail = _mail_or_404(pk)
    form = TakeForm(request.POST)
    if not form.is_valid():
        return _show(request, mail, form=form, status=422)
    source, by, now = form.cleaned_data["source"], Actor.of(request.user), timezone.now()
    accepted = press(
        request,
        lambda: mailbox.accept(mail_id=pk, source_id=source.pk, by=by, now=now),
        _("It is taken in."),
    )
    if accepted is None:
        return redirect("admin:mailbox_mail", pk)
    if form.cleaned_data["remember"] and mail.sender and request.user.has_perm("mail_sender.add"):
        press(
            request,
            lambda: add_sender(pattern=mail.sender, source_id=source.pk, language="en", by=by, now=now),
            _("Its address is proposed as a partner's: somebody else must approve it."),
        )
    if accepted.total <= AT_ONCE:
        reading.take_in(mail_id=pk, by=by, now=now)
    return redirect("admin:mailbox_mail", pk)


def set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave it aside for good."""
    _mail_or_404(pk)
    press(
        request,
        lambda: mailbox.set_aside(mail_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("It is set aside: no report, no answer."),
    )
    return redirect("admin:mailbox")


def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Let its receipt be tried again."""
    mail = _mail_or_404(pk)
    receipt = MailReceipt.objects.filter(mail=mail).first()
    if receipt is None:
        raise Http404
    press(
        request,
        lambda: retry_receipt(receipt_id=receipt.pk, by=Actor.of(request.user), now=timezone.now()),
        _("The receipt will be tried again."),
    )
    return redirect("admin:mailbox_mail", pk)


def _mail_or_404(pk: int) -> Mail:
    mail = Mail.objects.select_related("source", "report", "listed_as", "receipt").filter(pk=pk).first()
    if mail is None:
        raise Http404
    return mail


def _show(
    request: HttpRequest,
    mail: Mail,
    *,
    form: TakeForm | None = None,
    is_whole: bool = False,
    status: int = 200,
) -> HttpResponse:
    names = Names()
    events = Event.objects.filter(subject="mail", subject_id=mail.pk).order_by("-pk")[:100]
    may_decide = mail.state == State.WAITING and request.user.has_perm("mailbox.decide")
    partner = Source.objects.filter(pk=mail.listed_as.source_id).first() if mail.listed_as else None
    context = {
        "title": mail.reference,
        "mail": mail,
        "subject": mail.subject if is_whole else without_addresses(mail.subject),
        "texts": _texts(mail, is_whole=is_whole),
        "is_whole": is_whole,
        "problem": _problem(mail),
        "receipt": getattr(mail, "receipt", None),
        "partner": _partner(mail),
        "form": form or TakeForm(initial={"source": partner or _usual()}, auto_id="take_%s")
        if may_decide
        else None,
        "may_propose": request.user.has_perm("mail_sender.add"),
        "may_retry": request.user.has_perm("mailbox.decide"),
        "may_see_report": request.user.has_perm("report.view"),
        "timeline": [told(event, names.of(event.actor)) for event in events],
    }
    return page(request, "staff/mail.html", context, status=status)


def _usual() -> Source | None:
    return Source.objects.filter(code="partner").first()


def _texts(mail: Mail, *, is_whole: bool) -> list[dict[str, str]]:
    """What it says: {"kind", "text"}, without addresses unless `is_whole`."""
    found: list[tuple[str, str]] = json.loads(mail.texts_json or "[]")
    return [
        {"kind": kind, "text": text[:_SHOWN] if is_whole else without_addresses(text[:_SHOWN])}
        for kind, text in found
    ]


def _problem(mail: Mail) -> str:
    """What is wrong with its lists, in the words of the way in that refuses them."""
    if mail.state != State.WAITING or mail.erased_at is not None:
        return ""
    try:
        reading.read_lines(mail)
    except Unreadable as refusal:
        return str(refusal)
    return ""


def _partner(mail: Mail) -> str:
    """Whether its sender is known, in words."""
    sender: MailSender | None = mail.listed_as
    if sender is None:
        return _("not on the list of partners")
    if not sender.counts:
        return _("was on the list of partners (%(pattern)s), and was stopped") % {"pattern": sender.pattern}
    return _("on the list of partners: %(pattern)s") % {"pattern": sender.pattern}
