"""Answers about many notices: chosen in the list or filled in in a file, looked at, and then recorded once."""

import re
import secrets
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, BinaryIO, Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.throttle import let_in
from audit.record import record
from audit.refused import Refused
from cases.clock import database_now
from cases.formats import answers_csv
from cases.intake import answers_file
from cases.models import AnswerSheet, Notice, Reply
from cases.models.notice import NOTICE_REFERENCE, NoticeQuerySet
from cases.services import answer_sheets as sheets
from cases.services.refused import NotFound
from portal.access import Visitor, door
from portal.forms.answer import AnswerForm, said
from portal.forms.filter import UNKNOWN, Filter
from portal.forms.sheet import SheetForm

#: More than this at once is shown before it is recorded.
PREVIEW_ABOVE: Final = 20
#: At most so many in one go.
MOST: Final = sheets.MOST
#: Lines of a sheet on a page.
SHOWN: Final = 100
#: What can become of one answer, in the order in which a page says it.
OUTCOMES: Final = ("refused", "unchanged", "recorded")
_REFERENCE: Final = re.compile(NOTICE_REFERENCE)


@door("own_notice.answer")
@require_POST
def answers(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """One answer about the chosen notices, or about all that the list's filter lets through.

    More than PREVIEW_ABOVE, or an answer that needs words: first a page that shows what is about to happen.
    What is then recorded is what that page named, however the filter has moved on meanwhile.
    """
    back = _back(request)
    references = _chosen(request, visitor, back)
    if not references:
        messages.warning(request, _("Choose at least one notice."))
        return redirect(f"{reverse('portal:notices')}?{back.query}")
    form = AnswerForm(request.POST if "answer" in request.POST else None, customers=visitor.customers())
    confirmed = request.POST.get("confirmed") == "yes"
    if not form.is_valid() or (len(references) > PREVIEW_ABOVE and not confirmed):
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
        context = _preview(visitor, references) | {
            "form": form,
            "back": back.query,
            "once": secrets.token_urlsafe(16),
        }
        return render(request, "portal/answers.html", context, status=status)
    sheet = sheets.record_for_all(
        provider_id=visitor.provider_id,
        references=references,
        said=said(form, ""),
        once=request.POST.get("once", "")[:40] or secrets.token_urlsafe(16),
        by=visitor.actor,
        now=database_now(),
    )
    return redirect(f"{reverse('portal:sheet', args=[sheet.token])}?{back.query}")


@door("own_notice.answer")
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """A file of answers: it is read and kept to be looked at; nothing is recorded yet."""
    if request.method != "POST":
        return _upload(request, SheetForm(initial={"once": secrets.token_urlsafe(16)}))
    form = SheetForm(request.POST, request.FILES)
    if form.is_valid():
        now = timezone.now()
        try:
            let_in("answers_file", now=now, also={"tenant": str(visitor.provider_id)})
            sheet = sheets.prepare(
                provider_id=visitor.provider_id,
                way=AnswerSheet.Way.FILE,
                lines=answers_file.lines(cast(BinaryIO, form.cleaned_data["file"].file)),
                once=form.cleaned_data["once"],
                by=visitor.actor,
                now=now,
            )
            return redirect("portal:sheet", token=sheet.token)
        except Refused as refusal:
            form.add_error("file", str(refusal))
    return _upload(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@door("own_notice.answer")
@require_safe
def sheet(request: HttpRequest, visitor: Visitor, token: UUID) -> HttpResponse:
    """What would become of the answers of a sheet; once it is recorded, what became of them."""
    found = _sheet(visitor, token)
    is_recorded = found.recorded_at is not None
    lines = sheets.lines_of(found) if is_recorded else sheets.foreseen(found, now=timezone.now())
    counts = Counter(line.outcome for line in lines)
    lines.sort(key=lambda line: OUTCOMES.index(line.outcome))
    back = Filter(request.GET)
    context = {
        "sheet": found,
        "results": {kind: counts[kind] for kind in OUTCOMES},
        "page": Paginator(lines, SHOWN).get_page(request.GET.get("page")),
        "answer_words": dict(Reply.Answer.choices),
        "back": back.query if back.is_valid() else "",
    }
    return render(request, "portal/answered.html" if is_recorded else "portal/sheet.html", context)


@door("own_notice.answer")
@require_POST
def sheet_record(request: HttpRequest, visitor: Visitor, token: UUID) -> HttpResponse:
    """Record the answers of a sheet that was looked at; a second press shows what the first one did."""
    try:
        sheets.record_sheet(
            provider_id=visitor.provider_id, token=token, by=visitor.actor, now=database_now()
        )
    except NotFound:
        raise Http404 from None
    return redirect("portal:sheet", token=token)


@door("own_notice.answer")
@require_safe
def sheet_csv(request: HttpRequest, visitor: Visitor, token: UUID) -> HttpResponse:
    """A line for each answer of a sheet, with what became (or would become) of it."""
    found = _sheet(visitor, token)
    is_recorded = found.recorded_at is not None
    lines = sheets.lines_of(found) if is_recorded else sheets.foreseen(found, now=timezone.now())
    rows = ((line.number, line.reference, line.answer, line.outcome, line.column, line.why) for line in lines)
    return _file(answers_csv.results(rows), "answers-outcome.csv" if is_recorded else "answers-preview.csv")


@door("own_notice.view")
@require_POST
def to_fill_in(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """What is open by the list's filter, as a file to fill in: what is due first, at most MOST. It is recorded."""
    notices = _matching(visitor, _back(request)).select_related("content", "attribution")
    listed = list(notices.order_by("due_at", "pk")[:MOST])
    record(
        "export",
        "provider",
        visitor.provider_id,
        by=visitor.actor,
        at=timezone.now(),
        data={"notices": len(listed)},
    )
    return _file(answers_csv.to_fill_in(listed), "open-notices.csv")


def _back(request: HttpRequest) -> Filter:
    """The filter of the list that one comes from; what is none shows what is open."""
    back = Filter(QueryDict(request.POST.get("back", "")))
    if not back.is_valid():
        back = Filter(QueryDict())
        back.full_clean()
    return back


def _matching(visitor: Visitor, back: Filter) -> NoticeQuerySet:
    """What the filter finds and can take an answer."""
    return back.applied(visitor.notices, now=timezone.now()).unfinished()


def _chosen(request: HttpRequest, visitor: Visitor, back: Filter) -> list[str]:
    """The references that the request names, each once, at most MOST."""
    sent = request.POST
    groups = sent.getlist("group")[:MOST]
    if sent.get("everything") == "yes" or groups:
        matching = _matching(visitor, back)
        if sent.get("everything") != "yes":
            matching = matching.placed_at({"" if each == UNKNOWN else each for each in groups})
        return list(matching.order_by("due_at", "pk").values_list("reference", flat=True)[:MOST])
    named = [*sent.getlist("notice"), *sent.get("references", "").split()]
    if sent.get("these") == "yes":
        named = sent.get("shown", "").split()
    return [name for name in dict.fromkeys(named) if _REFERENCE.fullmatch(name)][:MOST]


def _preview(visitor: Visitor, references: Sequence[str]) -> dict[str, Any]:
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


def _sheet(visitor: Visitor, token: UUID) -> AnswerSheet:
    """The provider's own sheet. Raises Http404, for another provider's as for none."""
    own = AnswerSheet.objects.filter(provider=visitor.provider_id, erased_at__gt=timezone.now())
    found = own.filter(token=token).first()
    if found is None:
        raise Http404
    return found


def _upload(request: HttpRequest, form: SheetForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {"form": form, "most": MOST, "answers": Reply.Answer.choices}
    return render(request, "portal/upload.html", context, status=status)


def _file(text: str, name: str) -> HttpResponse:
    return HttpResponse(
        "\ufeff" + text,  # by its BOM a spreadsheet knows UTF-8
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
