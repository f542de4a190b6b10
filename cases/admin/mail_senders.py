"""Partners by mail: whose mail may become a report by itself. One person adds, another approves."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.counting import Bounded
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.models import MailSender, Source
from cases.services.mail_senders import add_sender, approve_sender, stop_sender

PER_PAGE = 100


class SenderForm(forms.Form):
    """A new partner by mail."""

    pattern = forms.CharField(
        label=gettext_lazy("Mail address, or domain"),
        help_text=gettext_lazy(
            "A domain counts for every address directly under it: choose that only when the partner alone gives out "
            "addresses there."
        ),
        max_length=254,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    source = forms.ModelChoiceField(
        label=gettext_lazy("Its reports count as those of"),
        queryset=Source.objects.order_by("name", "pk"),
        empty_label=None,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of its receipts"), choices=[("en", "English"), ("nl", "Nederlands")]
    )


def urls(desk: Desk) -> list[URLPattern]:
    """The list, the form, and the two buttons of a partner."""
    one = "mailbox/partners/<int:pk>/"
    yes = "mail_sender.approve"
    return [
        desk.at("mailbox/partners/", senders, name="mail_senders", cell="mail_sender.view"),
        desk.at("mailbox/partners/add/", add, name="mail_sender_add", cell="mail_sender.add", methods=POST),
        desk.at(f"{one}approve/", approve, name="mail_sender_approve", cell=yes, methods=POST),
        desk.at(f"{one}stop/", stop, name="mail_sender_stop", cell="mail_sender.add", methods=POST),
    ]


def senders(request: HttpRequest) -> HttpResponse:
    """Who may report by mail; those to approve first."""
    return _show(request, SenderForm(initial={"source": Source.objects.filter(code="partner").first()}))


def add(request: HttpRequest) -> HttpResponse:
    """Propose a partner."""
    form = SenderForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    added = press(
        request,
        lambda: add_sender(
            pattern=form.cleaned_data["pattern"],
            source_id=form.cleaned_data["source"].pk,
            language=form.cleaned_data["language"],
            by=Actor.of(request.user),
            now=timezone.now(),
        ),
        _("It is on the list, and counts once somebody else has approved it."),
    )
    if added is None:
        return _show(request, form, status=422)
    return redirect("admin:mail_senders")


def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Say yes to a partner that somebody else added."""
    press(
        request,
        lambda: approve_sender(sender_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("Approved: its mail is taken in from now on."),
    )
    return redirect("admin:mail_senders")


def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Its mail goes to the tray from now on."""
    press(
        request,
        lambda: stop_sender(sender_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("Stopped: its mail goes to the tray from now on."),
    )
    return redirect("admin:mail_senders")


def _show(request: HttpRequest, form: SenderForm, *, status: int = 200) -> HttpResponse:
    listed = (
        MailSender.objects.filter(stopped_at__isnull=True)
        .select_related("source")
        .order_by("-approved_at", "pattern", "pk")  # nulls first: what waits for a yes
    )
    may = request.user.has_perm
    mine = str(Actor.of(request.user))
    context: dict[str, Any] = {
        "title": _("Partners by mail"),
        "page": Bounded(listed, PER_PAGE).get_page(request.GET.get("page")),
        "mine": mine,
        "may_approve": may("mail_sender.approve"),
        "may_add": may("mail_sender.add"),
        "may_see_mail": may("mailbox.view"),
        "form": form if may("mail_sender.add") else None,
    }
    return page(request, "staff/mail_senders.html", context, status=status)
