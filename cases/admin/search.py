"""The list of the search desk: filters, their words, and pages by the place of a row; nothing is counted."""

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import keyset
from audit.desk import page
from cases.admin import bulk, saved
from cases.admin.forms import FindForm
from cases.filters import SearchForm
from cases.models import Claim, Notice
from providers.models import Provider

TEMPLATE = "staff/notices.html"


def rows(form: SearchForm, request: HttpRequest) -> keyset.Page[Notice]:
    """The page that the request is at. Call it with a valid form."""
    listed = form.applied(Notice.objects.all(), now=timezone.now())
    # What is sealed and not shown stays in the database.
    # Who has it before them on the work desk just now.
    claim = Claim.objects.live(now=timezone.now()).filter(notice=OuterRef("pk"))
    listed = listed.annotate(looking=Subquery(claim.values("user__name")[:1]))
    listed = listed.select_related("content", "provider").defer("content__raw_sealed", "content__host_sealed")
    return keyset.page(
        listed,
        order=form.sorting,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )


def desk(request: HttpRequest) -> HttpResponse:
    """The desk: how to find, what is on, and the rows; 400 and no rows for what is no filter."""
    if not request.GET and (first := saved.begins_with(request)):
        return redirect(f"{request.path}?{first.query}")
    form = SearchForm(request.GET)
    context: dict[str, Any] = {
        "title": _("Search"),
        "form": form,
        "find": FindForm(auto_id="find-%s"),
        "rows": [],
    }
    if not form.is_valid():
        return page(request, TEMPLATE, context, status=400)
    found = rows(form, request)
    context |= {
        "rows": found.rows,
        "chips": form.chips(),
        "query": form.query,
        "saved": saved.shortcuts(request, form.query),
        "share": saved.roles(request),
        "acts": bulk.offered(request),
        **found.urls(form.plain().items()),
    }
    return page(request, TEMPLATE, context)


def providers(request: HttpRequest) -> HttpResponse:
    """The names of all providers, for the field that one types a provider in: asked for when it is first used."""
    return JsonResponse(
        {"names": list(Provider.objects.order_by("name", "pk").values_list("name", flat=True))}
    )
