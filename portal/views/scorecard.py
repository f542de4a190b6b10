"""How the provider's notices are followed, by the figures that others will see, and its word on them."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from audit.refused import Refused
from cases.formats import scorecard as formats
from cases.measures.definitions import DEFINITIONS, VERSION
from cases.measures.quarter import Quarter
from cases.services import scorecard as services
from portal.access import Visitor, door
from portal.forms.comment import CommentForm


@door("own_scorecard.view")
@require_safe
def scorecard(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The own figures per quarter; `?quarter=` says which stands on top."""
    wanted = request.GET.get("quarter", "")
    if wanted and Quarter.spelled(wanted) is None:
        raise Http404
    return _page(request, visitor, wanted)


@door("own_scorecard.view")
@require_safe
def export(request: HttpRequest, visitor: Visitor, kind: str) -> HttpResponse:
    """The same figures as a file: `csv` or `json`."""
    now = timezone.now()
    quarters = services.scorecard(provider_id=visitor.provider_id, now=now)
    code = visitor.user.provider.code if visitor.user.provider else ""
    if kind == "csv":
        answer = HttpResponse(formats.as_csv(quarters), content_type="text/csv; charset=utf-8")
    else:
        data = formats.as_data(quarters, provider=code, cut_off=now)
        answer = JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="scorecard-{code}-{now:%Y-%m-%d}.{kind}"'
    return answer


@door("own_scorecard.comment")
@require_POST
def comment(request: HttpRequest, visitor: Visitor, quarter: str) -> HttpResponse:
    """The provider's word on one quarter."""
    form = CommentForm(request.POST)
    if form.is_valid():
        try:
            services.comment(
                provider_id=visitor.provider_id,
                quarter=quarter,
                text=form.cleaned_data["text"],
                by=visitor.actor,
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error("text", str(refusal))
        else:
            messages.success(request, _("Your comment is kept, with the figures as they stood."))
            return redirect(f"{reverse('portal:scorecard')}?quarter={quarter}")
    return _page(request, visitor, quarter, form)


def _page(
    request: HttpRequest, visitor: Visitor, wanted: str, form: CommentForm | None = None
) -> HttpResponse:
    now = timezone.now()
    quarters = services.scorecard(provider_id=visitor.provider_id, now=now)
    shown = next((each for each in quarters if str(each.quarter) == wanted), None)
    if wanted and shown is None and form is None:
        raise Http404
    if shown is None:
        # The latest with enough in it to say something; else the one that runs.
        shown = next((each for each in quarters if each.share), quarters[0])
    said = services.comments(provider_id=visitor.provider_id)
    first = next((place for place in reversed(range(len(quarters))) if quarters[place].has_any), 0)
    of_shown = said.get(str(shown.quarter), [])
    names = {
        f"user:{person.pk}": str(person) for person in User.objects.filter(provider_id=visitor.provider_id)
    }
    may = visitor.user.may("own_scorecard.comment")
    context = {
        "now": now,
        "shown": formats.in_words(shown),
        "quarters": [(formats.in_words(each), str(each.quarter) in said) for each in quarters[: first + 1]],
        "definitions": [(each.name, each.text) for each in DEFINITIONS],
        "version": VERSION,
        "comments": [(each, names.get(each.by, "")) for each in of_shown],
        "form": (form or CommentForm(initial={"text": of_shown[0].text if of_shown else ""}))
        if may
        else None,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form and form.errors else HTTPStatus.OK
    return render(request, "portal/scorecard.html", context, status=status)
