"""What comes back by mail: the tray of what people must read, and what a person makes of it."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.names import Names
from audit.counting import Bounded, Uncounted
from audit.desk import POST, Desk, page
from audit.models import Event
from audit.record import Actor
from cases.admin.pressing import press
from cases.admin.sentences import told
from cases.admin.trays import Tray, chosen, tabs
from cases.formats.page import without_link
from cases.intake.replies import reading
from cases.models import Dispatch, DispatchLine, Notice, Reply, ReplyMail
from cases.services import replies
from cases.url import without_addresses

PER_PAGE: Final = 50
_LINES: Final = 500
_SHOWN: Final = 20_000  # characters of a text

State, Kind, Reason = ReplyMail.State, ReplyMail.Kind, ReplyMail.Reason


_OLDEST: Final = ("received_at", "pk")
_NEWEST: Final = ("-received_at", "-pk")
TRAYS: Final = (
    Tray("waiting", gettext_lazy("To decide"), Q(state=State.WAITING, dispatch__isnull=False), _OLDEST),
    Tray("unmatched", gettext_lazy("Without a message"), Q(state=State.WAITING, dispatch=None), _OLDEST),
    Tray("answered", gettext_lazy("Became answers"), Q(state=State.ANSWERED), _NEWEST),
    Tray("aside", gettext_lazy("Without effect"), Q(state=State.SET_ASIDE), _NEWEST),
    Tray("filed", gettext_lazy("Filed by itself"), Q(state=State.FILED), _NEWEST),
)
#: What a mail is -> tone and icon of its badge.
KINDS: Final = {
    Kind.ANSWER: ("info", "person"),
    Kind.RECEIPT: ("good", "inbox"),
    Kind.AWAY: ("calm", "moon"),
    Kind.AUTO: ("calm", "server"),
    Kind.FAILED: ("bad", "return"),
    Kind.DELAYED: ("warn", "clock"),
    Kind.DELIVERED: ("good", "check"),
    Kind.OTHER: ("faint", "server"),
    Kind.OWN: ("faint", "refresh"),
}


class AnswerForm(forms.Form):
    """What the mail says, as the portal would have asked it."""

    answer = forms.ChoiceField(choices=Reply.Answer.choices)
    reason = forms.CharField(
        label=gettext_lazy("In their words, if it needs a reason"),
        help_text=gettext_lazy("The provider sees it in the portal. Without an address, please."),
        max_length=300,
        required=False,
    )


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, a mail, and its buttons."""
    see, do = "reply.view", "reply.decide"
    one = "replies/<int:pk>/"
    return [
        desk.at("replies/", tray, name="replies", cell=see),
        desk.at(one, show, name="reply_mail", cell=see),
        desk.at(f"{one}read/", read, name="reply_mail_read", cell=see, methods=POST),
        desk.at(f"{one}answer/", answer, name="reply_mail_answer", cell=do, methods=POST),
        desk.at(f"{one}set-aside/", set_aside, name="reply_mail_set_aside", cell=do, methods=POST),
        desk.at(f"{one}attach/", attach, name="reply_mail_attach", cell=do, methods=POST),
        desk.at(f"{one}bounce/", bounce, name="reply_mail_bounce", cell=do, methods=POST),
        desk.at(f"{one}bring-back/", bring_back, name="reply_mail_bring_back", cell=do, methods=POST),
    ]


def counters() -> list[Uncounted]:
    """What waits, for the start page."""
    href = reverse("admin:replies")
    names = {
        "waiting": gettext_lazy("mails of providers to read"),
        "unmatched": gettext_lazy("mails without a message"),
    }
    return [
        Uncounted(
            names[each.code],
            ReplyMail.objects.filter(each.which),
            "received_at",
            f"{href}?tray={each.code}",
            "warn",
        )
        for each in TRAYS
        if each.code in names
    ]


def tray(request: HttpRequest) -> HttpResponse:
    """The mails of one tab: those that wait, the oldest first; the others, the newest first."""
    current = chosen(request, TRAYS)
    mails = (
        ReplyMail.objects.filter(current.which)
        .select_related("dispatch__contact__provider")
        .defer("text_sealed")
        .order_by(*current.order)
    )
    found = Bounded(mails, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("What comes back"),
        "tabs": tabs(TRAYS, current),
        "tray": current.code,
        "page": found,
        "rows": [_row(mail) for mail in found],
        "is_on": reading.is_on(),
    }
    return page(request, "staff/replies.html", context)


def _row(mail: ReplyMail) -> dict[str, Any]:
    tone, icon = KINDS[Kind(mail.kind)]
    return {"mail": mail, "subject": without_addresses(mail.subject), "tone": tone, "icon": icon}


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail: what it is, to which message it belongs, what it says without its addresses, and the buttons."""
    return _show(request, _mail_or_404(pk))


def read(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole text, in the answer to this very request; it is written down that somebody looked."""
    _mail_or_404(pk)
    seen = press(
        request,
        lambda: replies.read_mail(mail_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("That you looked is written down."),
    )
    if seen is None:
        return redirect("admin:reply_mail", pk)
    return _show(request, _mail_or_404(pk), is_whole=True)


def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what it says about the ticked notices, by the button that was pressed."""
    mail = _mail_or_404(pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, mail, form=form, status=422)
    outcomes = press(
        request,
        lambda: replies.answer(
            mail_id=pk,
            answer=form.cleaned_data["answer"],
            references=request.POST.getlist("notice")[:_LINES],
            reason=form.cleaned_data["reason"],
            by=Actor.of(request.user),
            now=timezone.now(),
        ),
        "",
    )
    if outcomes is None:
        return redirect("admin:reply_mail", pk)
    done = sum(outcome.outcome != "refused" for outcome in outcomes)
    said = ngettext(
        "Recorded for %(count)d notice, with this mail.",
        "Recorded for %(count)d notices, with this mail.",
        done,
    )
    messages.success(request, said % {"count": done})
    for outcome in outcomes:
        if outcome.outcome == "refused":
            messages.warning(request, f"{outcome.reference}: {outcome.reason}")
    return redirect("admin:replies")


def set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    """It was read, and changes nothing."""
    _mail_or_404(pk)
    by, now = Actor.of(request.user), timezone.now()
    done = press(
        request, lambda: replies.set_aside(mail_id=pk, by=by, now=now), _("It is put away, without effect.")
    )
    return redirect("admin:replies") if done else redirect("admin:reply_mail", pk)


def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Put it to the message with the number that was typed or suggested."""
    _mail_or_404(pk)
    number = request.POST.get("number", "")[:40]
    by, now = Actor.of(request.user), timezone.now()
    press(
        request,
        lambda: replies.attach(mail_id=pk, number=number, by=by, now=now),
        _("It stands with its message now: say what it means."),
    )
    return redirect("admin:reply_mail", pk)


def bounce(request: HttpRequest, pk: int) -> HttpResponse:
    """The message did come back, a person finds."""
    _mail_or_404(pk)
    by, now = Actor.of(request.user), timezone.now()
    press(
        request,
        lambda: replies.count_as_bounce(mail_id=pk, by=by, now=now),
        _("It counts: the contact is suspended, and what nobody had seen goes another way."),
    )
    return redirect("admin:reply_mail", pk)


def bring_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Put in the tray what was filed by itself."""
    _mail_or_404(pk)
    by, now = Actor.of(request.user), timezone.now()
    press(request, lambda: replies.bring_back(mail_id=pk, by=by, now=now), _("It waits in the tray now."))
    return redirect("admin:reply_mail", pk)


def _mail_or_404(pk: int) -> ReplyMail:
    mail = ReplyMail.objects.select_related("dispatch__contact__provider").filter(pk=pk).first()
    if mail is None:
        raise Http404
    return mail


def _show(
    request: HttpRequest,
    mail: ReplyMail,
    *,
    form: AnswerForm | None = None,
    is_whole: bool = False,
    status: int = 200,
) -> HttpResponse:
    names = Names()
    events = Event.objects.filter(subject="reply_mail", subject_id=mail.pk).order_by("-pk")[:100]
    may_decide = mail.state == State.WAITING and request.user.has_perm("reply.decide")
    text = without_link(mail.text[:_SHOWN])
    context = {
        "title": mail.reference,
        **_row(mail),
        "subject": mail.subject if is_whole else without_addresses(mail.subject),
        "text": text if is_whole else without_addresses(text),
        "is_whole": is_whole,
        "lines": _lines(mail.dispatch) if mail.dispatch else [],
        "form": form or AnswerForm(auto_id="answer_%s") if may_decide and mail.dispatch else None,
        "answers": Reply.Answer.choices,
        "may_decide": may_decide,
        "may_bring_back": mail.state == State.FILED
        and mail.kind not in {Kind.FAILED, Kind.DELIVERED}
        and request.user.has_perm("reply.decide"),
        "may_bounce": may_decide and mail.dispatch is not None and mail.kind != Kind.ANSWER,
        "suggested": replies.suggestions(mail) if may_decide and mail.dispatch is None else [],
        "is_strange": mail.state == State.WAITING and mail.kind == Kind.ANSWER and not mail.from_provider,
        "made": list(mail.answers.select_related("notice").order_by("pk")[:_LINES]),
        "timeline": [told(event, names.of(event.actor)) for event in events],
    }
    return page(request, "staff/reply_mail.html", context, status=status)


def _lines(dispatch: Dispatch) -> list[Notice]:
    """The notices of a message that its provider may know of, whether or not it came back."""
    told_of = Q(dropped_because="") | Q(dropped_because=DispatchLine.Dropped.BOUNCED)
    lines = dispatch.lines.filter(told_of).select_related("notice__content").order_by("pk")[:_LINES]
    return [line.notice for line in lines]
