"""What providers ask and object: the desk of what waits, and the buttons on the page of the notice."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.counting import Bounded, Uncounted
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin import notice_page
from cases.admin.pressing import press
from cases.admin.talk import RejectForm, WriteForm
from cases.models import Dispute, Message
from cases.services import conversation, disputes
from cases.url import without_addresses

PER_PAGE: Final = 50
_EXCERPT: Final = 160  # characters


@admin.register(Message)
class QuestionDesk(Desk):
    """What waits for us: what was asked, the oldest first; and who says that it is not theirs, the first due first."""

    cell = "message.view"

    def own_urls(self) -> list[URLPattern]:
        """The buttons, which stand on the page of the notice."""
        write, decide = "message.write", "dispute.decide"
        return [
            self.at("<int:pk>/write/", self.write, name="message_write", cell=write, methods=POST),
            self.at(
                "<int:pk>/no-answer/", self.no_answer, name="message_no_answer", cell=write, methods=POST
            ),
            self.at("<int:pk>/read/", self.read, name="message_read", cell=self.cell, methods=POST),
            self.at("<int:pk>/uphold/", self.uphold, name="dispute_uphold", cell=decide, methods=POST),
            self.at("<int:pk>/reject/", self.reject, name="dispute_reject", cell=decide, methods=POST),
        ]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Uncounted]:
        """What waits for whoever may deal with it."""
        href = reverse("admin:cases_message_changelist")
        if request.user.has_perm("message.write"):
            name = gettext_lazy("messages of providers to answer")
            yield Uncounted(name, conversation.waiting(), "at", href, "warn")
        if request.user.has_perm("dispute.decide"):
            name = gettext_lazy("objections: not theirs, they say")
            yield Uncounted(name, Dispute.objects.open().about_place(), "at", f"{href}?tray=place", "warn")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One of the two lists."""
        self.check_view(request)
        about_place = request.GET.get("tray") == "place"
        rows: Any = (
            Dispute.objects.open().about_place().order_by("due_at", "pk")
            if about_place
            else conversation.waiting()
        )
        found = Bounded(rows.select_related("notice__provider", "reply"), PER_PAGE).get_page(
            request.GET.get("page")
        )
        context = {
            "title": _("Questions and objections"),
            "tray": "place" if about_place else "asked",
            "page": found,
            "rows": [_listed(row) for row in found],
            "tabs": [
                {"name": _("To answer"), "href": "?", "current": not about_place},
                {"name": _("Not theirs, they say"), "href": "?tray=place", "current": about_place},
            ],
        }
        return page(request, "staff/questions.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A message stands on the page of its notice."""
        self.check_view(request)
        return redirect("admin:cases_message_changelist")

    def write(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write to the provider of the notice `pk`: it answers all that was asked about it."""
        form = WriteForm(request.POST, auto_id="write_%s")
        if not form.is_valid():
            return _again(request, pk, write=form)
        done = press(
            request,
            lambda: conversation.write(
                notice_id=pk, text=form.cleaned_data["text"], by=Actor.of(request.user), now=timezone.now()
            ),
            _("Written. They are told by mail that it waits, unless an earlier message is still unread."),
        )
        return _to_notice(pk) if done else _again(request, pk, write=form)

    def no_answer(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All that was asked about the notice `pk` needs no answer."""
        press(
            request,
            lambda: conversation.need_no_answer(notice_id=pk, by=Actor.of(request.user), now=timezone.now()),
            _("It waits for no answer any more."),
        )
        return _to_notice(pk)

    def read(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A message with the addresses in it, in the answer to this very request; it is written down."""
        message = press(
            request,
            lambda: conversation.reveal(message_id=pk, by=Actor.of(request.user), now=timezone.now()),
            _("That you looked is written down."),
        )
        if message is None:
            return redirect("admin:cases_message_changelist")
        return _again(request, message.notice_id, whole=pk, status=200)

    def uphold(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It is not theirs."""
        notice_id = _of_dispute(pk)
        press(
            request,
            lambda: disputes.uphold(dispute_id=pk, by=Actor.of(request.user), now=timezone.now()),
            _("The notice is taken back; who hosts it is found out anew, under contact review."),
        )
        return _to_notice(notice_id)

    def reject(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It is theirs after all."""
        notice_id, form = _of_dispute(pk), RejectForm(request.POST, auto_id="reject_%s")
        if not form.is_valid():
            return _again(request, notice_id, reject=form)
        done = press(
            request,
            lambda: disputes.reject(
                dispute_id=pk, why=form.cleaned_data["why"], by=Actor.of(request.user), now=timezone.now()
            ),
            _("The objection is rejected; the provider reads why."),
        )
        return _to_notice(notice_id) if done else _again(request, notice_id, reject=form)


def _listed(row: Any) -> dict[str, Any]:
    """A message or an objection in the list: how it begins, without addresses."""
    words = without_addresses(row.words if isinstance(row, Message) else row.reply.reason)
    return {"row": row, "notice": row.notice, "words": words[:_EXCERPT], "is_cut": len(words) > _EXCERPT}


def _of_dispute(pk: int) -> int:
    """The notice of an objection. Raises Http404."""
    found = Dispute.objects.filter(pk=pk).values_list("notice_id", flat=True).first()
    if found is None:
        raise Http404
    return found


def _to_notice(pk: int) -> HttpResponse:
    return redirect(f"{reverse('admin:cases_notice_change', args=[pk])}#talk")


def _again(request: HttpRequest, pk: int, *, status: int = 422, **talk: Any) -> HttpResponse:
    """The page of the notice with what came back on it."""
    context = notice_page.context(request, notice_page.load(pk), talk=talk)
    return page(request, "staff/notice.html", context, status=status)
