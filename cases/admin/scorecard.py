"""How one provider follows its notices, as it sees it itself, and what it says about that."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils import timezone

from audit.desk import Desk, page
from cases.formats.scorecard import in_words
from cases.measures.definitions import DEFINITIONS, VERSION
from cases.services import scorecard as services
from providers.models import Provider


def urls(desk: Desk) -> list[URLPattern]:
    """The page of one provider's figures."""
    return [desk.at("scorecards/<int:pk>/", scorecard, name="scorecard", cell="scorecard.view")]


def scorecard(request: HttpRequest, pk: int) -> HttpResponse:
    """The figures per quarter, and the provider's comments: the latest of each quarter, and how many came before."""
    if pk >= 2**63:
        raise Http404
    provider = get_object_or_404(Provider, pk=pk)
    now = timezone.now()
    said = services.comments(provider_id=provider.pk)
    quarters = services.scorecard(provider_id=provider.pk, now=now)
    context = {
        "title": provider.name,
        "provider": provider,
        "now": now,
        "quarters": [(in_words(each), str(each.quarter) in said) for each in quarters],
        "comments": [
            (quarter, versions[0], versions[1:]) for quarter, versions in sorted(said.items(), reverse=True)
        ],
        "definitions": [(each.name, each.text) for each in DEFINITIONS],
        "version": VERSION,
    }
    return page(request, "staff/scorecard.html", context)
