"""One answer about many notices."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.clock import database_now
from cases.models import Notice
from cases.models.notice import NOTICE_REFERENCE
from cases.services import answers as answering
from portal.access import Visitor, door
from portal.forms.answer import AnswerForm, said
from portal.forms.filter import Filter

#: More than this at once is shown before it is recorded.
PREVIEW_ABOVE: Final = 20
#: At most so many in one go.
MOST: Final = answering.BATCH
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
        answers=[said(form, reference) for reference in references],
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
