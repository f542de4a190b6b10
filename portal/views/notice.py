"""One notice, and what can be said about it."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases import url as urls
from cases.clock import database_now
from cases.models import Notice
from cases.services import answers as answering
from cases.services import clocks, conversation, customer, refused, reveal
from portal.access import Visitor, door
from portal.forms.answer import AnswerForm, said
from portal.forms.customer import CustomerReferenceForm
from portal.forms.message import MessageForm
from portal.shown.story import story


@door("own_notice.view")
@require_safe
def notice(request: HttpRequest, visitor: Visitor, reference: str) -> HttpResponse:
    """One notice, whole, but for its address.

    When nothing has proved yet that it arrived, showing it to a person is that proof, and starts the clock. Of a
    clock that runs, it is kept that somebody saw it.
    A look ahead by a browser shows nobody anything.
    """
    found = visitor.notice(reference)
    unproven = found.state == Notice.State.RECEIVED and found.sent_at is not None
    runs = found.state in {Notice.State.NOTIFIED, Notice.State.ESCALATED} and found.acknowledged_at is None
    ahead = "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    is_seen = request.method == "GET" and not ahead
    if is_seen and runs and not clocks.was_shown(notice_id=found.pk):
        clocks.shown(notice_id=found.pk, by=visitor.actor, now=database_now())
    if is_seen and unproven:
        clocks.shown(notice_id=found.pk, by=visitor.actor, now=database_now())
        found = visitor.notice(reference)
        messages.info(
            request,
            _("Nothing had told us yet that this notice arrived. Now you have seen it: your clock starts."),
        )
    return _page(request, visitor, found)


@door("own_notice.reveal")
@require_POST
def address(request: HttpRequest, visitor: Visitor, reference: str) -> HttpResponse:
    """The notice with its whole address, which is recorded. It stands on this one answer and nowhere else."""
    found = visitor.notice(reference)
    whole = reveal.reveal(notice_id=found.pk, by=visitor.actor, now=timezone.now())
    return _page(request, visitor, found, whole_url=whole)


@door("own_notice.answer")
@require_POST
def answer(request: HttpRequest, visitor: Visitor, reference: str) -> HttpResponse:
    """An answer about this notice. A refusal leaves what was typed on the page."""
    found = visitor.notice(reference)
    form = AnswerForm(request.POST, customers=visitor.customers())
    if not form.is_valid():
        return _page(request, visitor, found, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    (outcome,) = answering.answer_many(
        provider_id=visitor.provider_id,
        answers=[said(form, reference)],
        by=visitor.actor,
        now=database_now(),
    )
    if outcome.outcome == "refused":
        form.add_error(None, outcome.reason)
        return _page(request, visitor, visitor.notice(reference), form=form, status=HTTPStatus.CONFLICT)
    if outcome.outcome == "unchanged":
        messages.info(request, _("We had that answer already."))
    else:
        messages.success(request, _("Your answer is recorded. The clock runs until we see that it is gone."))
    return redirect("portal:notice", reference=reference)


@door("own_notice.answer")
@require_POST
def message(request: HttpRequest, visitor: Visitor, reference: str) -> HttpResponse:
    """A message to the hotline about this notice. A refusal leaves what was typed on the page."""
    found = visitor.notice(reference)
    form = MessageForm(request.POST, auto_id="message_%s")
    if not form.is_valid():
        return _page(request, visitor, found, message=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        conversation.ask(
            notice_id=found.pk, text=form.cleaned_data["text"], by=visitor.actor, now=timezone.now()
        )
    except refused.Refused as refusal:
        form.add_error("text", str(refusal))
        return _page(request, visitor, found, message=form, status=HTTPStatus.CONFLICT)
    messages.success(request, _("Your message is with us. The answer comes here; a mail says that it waits."))
    return redirect("portal:notice", reference=reference)


@door("own_notice.view")
@require_POST
def read(request: HttpRequest, visitor: Visitor, reference: str) -> HttpResponse:
    """What we wrote about this notice is before somebody of theirs; the page says so by itself where it can."""
    found = visitor.notice(reference)
    conversation.read(notice_id=found.pk, by=visitor.actor, now=timezone.now())
    if request.headers.get("X-Unattended"):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return redirect("portal:notice", reference=reference)


@door("own_notice.answer")
@require_POST
def customer_reference(request: HttpRequest, visitor: Visitor, reference: str) -> HttpResponse:
    """The provider's own reference. What a colleague wrote meanwhile is not overwritten."""
    found = visitor.notice(reference)
    form = CustomerReferenceForm(request.POST)
    if not form.is_valid():
        return _page(request, visitor, found, own=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        customer.set_customer_reference(
            notice_id=found.pk,
            text=form.cleaned_data["text"],
            seen=form.cleaned_data["seen"],
            by=visitor.actor,
            now=timezone.now(),
        )
    except customer.ChangedMeanwhile as refusal:
        # Both stay in sight: theirs in the message, mine in the field; sending it again is a choice.
        form = CustomerReferenceForm({"text": form.cleaned_data["text"], "seen": refusal.current})
        form.full_clean()
        form.add_error("text", str(refusal))
        return _page(request, visitor, found, own=form, status=HTTPStatus.CONFLICT)
    except refused.Refused as refusal:
        form.add_error("text", str(refusal))
        return _page(request, visitor, found, own=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(request, _("Your reference is kept."))
    return redirect("portal:notice", reference=reference)


def _page(
    request: HttpRequest,
    visitor: Visitor,
    found: Notice,
    *,
    form: AnswerForm | None = None,
    own: CustomerReferenceForm | None = None,
    message: MessageForm | None = None,
    whole_url: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """The page of one notice. `whole_url` only right after it was recorded that somebody sees it."""
    kept = {"text": found.customer_reference, "seen": found.customer_reference}
    told = story(found, visitor)
    context = {
        "notice": found,
        "story": told,
        "form": form or AnswerForm(customers=visitor.customers() if told.can_answer else None),
        "message": message or MessageForm(auto_id="message_%s"),
        "own": own or CustomerReferenceForm(initial=kept),
        "whole_url": whole_url,
        "defanged_url": urls.defanged(whole_url) if whole_url else "",
    }
    return render(request, "portal/notice.html", context, status=status)
