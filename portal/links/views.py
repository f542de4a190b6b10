"""The page of a message: seen by whoever has its mail, and answered on by a press of a button.

Programs that look at mail open links, and some press buttons only in pages that they run: so GET and HEAD change
nothing at all, not even whether a notice was seen.
"""

from collections.abc import Sequence
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import rows, throttle
from accounts.client import address_of
from audit.record import Actor
from cases.clock import database_now
from cases.models import Link
from cases.services import links
from cases.services.answers import Outcome
from cases.services.refused import NotFound
from portal.forms.answer import said
from portal.links.forms import LinkAnswerForm
from portal.shown.message import lines


@require_http_methods(["GET", "HEAD", "POST"])
def message(request: HttpRequest, token: str) -> HttpResponse:
    """What the message is about and how it stands; and, by POST, answers about its lines."""
    try:
        link = Link.objects.by_token(token)
        _let_in(request, link)
        if link is None:
            raise Http404
        with rows.only_of(link.dispatch.contact.provider_id):
            if request.method == "POST":
                return _answered(request, token)
            return _page(request, links.opened(token=token, now=timezone.now()))
    except throttle.TooOften as refusal:
        response = render(
            request,
            "portal/links/too_often.html",
            {"wait": refusal.wait},
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )
        response["Retry-After"] = str(refusal.retry_after_s)
        return response
    except links.Closed:
        return render(request, "portal/links/closed.html", status=HTTPStatus.GONE)
    except NotFound:
        raise Http404 from None


def _let_in(request: HttpRequest, link: Link | None) -> None:
    """Counted for the link as well, if there is one: what does not exist has no bucket. Raises TooOften."""
    also = {"link": str(link.pk)} if link else {}
    throttle.let_in("link", address_of(request), now=timezone.now(), also=also)


def _answered(request: HttpRequest, token: str) -> HttpResponse:
    """Record what the form says about the ticked lines; what became of each stands on the same page."""
    form = LinkAnswerForm(request.POST)
    if not form.is_valid():
        opened = links.opened(token=token, now=timezone.now())
        return _page(request, opened, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    now = database_now()
    outcomes = links.answer(
        token=token, answers=[said(form, reference) for reference in form.references], now=now
    )
    return _page(request, links.opened(token=token, now=now), outcomes=outcomes)


def _page(
    request: HttpRequest,
    opened: links.Opened,
    *,
    form: LinkAnswerForm | None = None,
    outcomes: Sequence[Outcome] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    counting = [line.notice.reference for line in opened.lines if line.late is None]
    context = {
        "dispatch": opened.dispatch,
        "link": opened.link,
        "is_overtaken": opened.is_overtaken,
        "lines": lines(
            opened.lines,
            by=Actor.link(opened.dispatch.number),
            chosen=form.references if form else counting if not outcomes else [],
            outcomes=outcomes,
            now=timezone.now(),
        ),
        "form": form or LinkAnswerForm(),
        "recorded": [each for each in outcomes if each.outcome == "recorded"],
        "others": [each for each in outcomes if each.outcome != "recorded"],
    }
    return render(request, "portal/links/message.html", context, status=status)
