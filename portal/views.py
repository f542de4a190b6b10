"""The portal's pages: translate, call one service once, translate back."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases import url as urls
from cases.clock import database_now
from cases.models import Notice
from cases.models.notice import NOTICE_REFERENCE
from cases.services import answers as answering
from cases.services import clocks, customer, refused, reveal
from portal import keyset, shown
from portal.access import Visitor, door
from portal.forms import SOON, AnswerForm, CustomerReferenceForm, Filter

#: More than this at once is shown before it is recorded.
PREVIEW_ABOVE: Final = 20
#: At most so many in one go.
MOST: Final = answering.BATCH
#: What can become of one answer, in the order in which a page says it.
OUTCOMES: Final = ("refused", "unchanged", "recorded")
_REFERENCE: Final = re.compile(NOTICE_REFERENCE)


# -- The list --------------------------------------------------------------------------------------


@door("own_notice.view")
@require_safe
def notices(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The provider's own notices: what is due first comes first."""
    now = timezone.now()
    filters = Filter(request.GET)
    if not filters.is_valid():
        context = {"filters": filters, "tabs": _tabs("open", None)}
        return render(request, "portal/notices.html", context, status=HTTPStatus.BAD_REQUEST)
    listed = filters.applied(visitor.notices, now=now).select_related("content", "attribution")
    page = keyset.page(
        # What is sealed and not shown stays in the database.
        listed.defer("content__raw_sealed", "content__host_sealed", "attribution__host_sealed"),
        own=visitor.notices,
        latest_first=filters.latest_first,
        after=filters.cleaned_data["after"],
        before=filters.cleaned_data["before"],
    )
    counts = visitor.notices.unfinished().aggregate(
        open=Count("pk"),
        answered=Count("pk", filter=Q(acknowledged_at__isnull=False)),
        overdue=Count("pk", filter=Q(due_at__lte=now)),
        soon=Count("pk", filter=Q(due_at__gt=now, due_at__lte=now + SOON)),
        contradicted=Count("pk", filter=Q(claimed_removed_at__lt=F("last_seen_online_at"))),
    )
    context = {
        "filters": filters,
        "tabs": _tabs(filters.tab_name, counts),
        "figures": _figures(counts),
        "open_count": counts["open"],
        "rows": shown.rows(page.rows, now=now),
        "previous_url": f"?{filters.query}&before={page.before}" if page.before else "",
        "next_url": f"?{filters.query}&after={page.after}" if page.after else "",
        "answerable": filters.tab_name in {"open", "answered"},
    }
    return render(request, "portal/notices.html", context)


def _tabs(current: str, counts: dict[str, int] | None) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "href": f"?tab={code}",
            "current": code == current,
            "count": (counts or {}).get(code),
        }
        for code, name in Filter.TABS
    ]


def _figures(counts: dict[str, int]) -> list[dict[str, object]]:
    """What asks for attention; each opens exactly the rows it counts."""
    tone = {"overdue": "bad", "contradicted": "bad", "soon": "warn"}
    figures = (
        ("open", _("open"), "?tab=open"),
        ("overdue", _("overdue"), "?tab=open&due=over"),
        ("soon", _("due within 4 hours"), "?tab=open&due=4h"),
        ("contradicted", _("you say removed, we still see it"), "?tab=open&only=contradicted"),
    )
    return [
        {
            "value": counts[code],
            "name": name,
            "href": href,
            "tone": tone.get(code, "") if counts[code] else "",
        }
        for code, name, href in figures
    ]


# -- Answers about many ----------------------------------------------------------------------------


@door("own_notice.answer")
@require_POST
def answers(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """One answer about the chosen notices, or about all that the list's filter lets through.

    More than PREVIEW_ABOVE, or an answer that needs words: first a page that shows what is about to happen.
    What is then recorded is what that page named, however the filter has moved on meanwhile.
    """
    back = Filter(QueryDict(request.POST.get("back", "")))
    if not back.is_valid():
        back = Filter(QueryDict())
        back.full_clean()
    references = _chosen(request, visitor, back)
    if not references:
        messages.warning(request, _("Choose at least one notice."))
        return redirect(f"{reverse('portal:notices')}?{back.query}")
    form = AnswerForm(request.POST) if "answer" in request.POST else AnswerForm()
    confirmed = request.POST.get("confirmed") == "yes"
    if not form.is_valid() or (len(references) > PREVIEW_ABOVE and not confirmed):
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
        context = _preview(visitor, references) | {"form": form, "back": back.query}
        return render(request, "portal/answers.html", context, status=status)
    outcomes = answering.answer_many(
        provider_id=visitor.provider_id,
        answers=[_answer(form, reference) for reference in references],
        by=visitor.actor,
        now=database_now(),
    )
    results = {kind: [each for each in outcomes if each.outcome == kind] for kind in OUTCOMES}
    return render(request, "portal/answered.html", {"results": results, "back": back.query})


def _chosen(request: HttpRequest, visitor: Visitor, back: Filter) -> list[str]:
    """The references that the request names, each once, at most MOST."""
    if request.POST.get("everything") == "yes":
        matching = back.applied(visitor.notices, now=timezone.now()).unfinished()
        return list(matching.order_by("due_at", "pk").values_list("reference", flat=True)[:MOST])
    named = [*request.POST.getlist("notice"), *request.POST.get("references", "").split()]
    return [name for name in dict.fromkeys(named) if _REFERENCE.fullmatch(name)][:MOST]


def _preview(visitor: Visitor, references: Sequence[str]) -> dict[str, object]:
    """How many of the named can take an answer, and which cannot."""
    states = dict(visitor.notices.filter(reference__in=references).values_list("reference", "state"))
    ended = {Notice.State.REMOVED, Notice.State.WITHDRAWN, Notice.State.DISMISSED}
    closed = [name for name in references if states.get(name, Notice.State.WITHDRAWN) in ended]
    return {
        "references": references,
        "open_count": len(references) - len(closed),
        "closed": closed,
        "at_most": MOST if len(references) == MOST else None,
    }


def _answer(form: AnswerForm, reference: str) -> answering.Answer:
    data = form.cleaned_data
    return answering.Answer(
        reference=reference,
        answer=data["answer"],
        at=data["at"],
        reason=data["reason"],
        note=data["note"],
    )


# -- One notice ------------------------------------------------------------------------------------


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
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, visitor, found, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    (outcome,) = answering.answer_many(
        provider_id=visitor.provider_id,
        answers=[_answer(form, reference)],
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
    whole_url: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """The page of one notice. `whole_url` only right after it was recorded that somebody sees it."""
    kept = {"text": found.customer_reference, "seen": found.customer_reference}
    context = {
        "notice": found,
        "story": shown.story(found, visitor),
        "form": form or AnswerForm(),
        "own": own or CustomerReferenceForm(initial=kept),
        "whole_url": whole_url,
        "defanged_url": urls.defanged(whole_url) if whole_url else "",
    }
    return render(request, "portal/notice.html", context, status=status)
