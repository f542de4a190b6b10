"""Why this provider? Whatever somebody has in hand, explained as routing would decide it just now."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.desk import page
from audit.record import Actor
from providers.admin.forms import WhyForm
from providers.models import AsnRule, Network
from providers.routes import Routes, routes
from providers.routing import explain
from providers.sources.resolver import resolver

#: Networks and routes of an AS that are named.
MOST = 20


@dataclass
class Announced:
    """What we know of an AS: the rule for it, our own networks that name it, and what it announces."""

    asn: int
    rule: AsnRule | None
    networks: list[Network]
    table: Routes | None
    count: int = 0
    routes: list[str] = field(default_factory=list)


def why(request: HttpRequest) -> HttpResponse:
    """The form, and after a POST its answer; nothing is kept."""
    form = WhyForm(request.POST if request.method == "POST" else None)
    context = {
        "title": _("Why this provider?"),
        "form": form,
        "table": routes(),
        "asks_registries": bool(settings.HOST.rdap),
    }
    if form.is_valid():
        asked = form.cleaned_data["text"]
        if isinstance(asked, int):
            context["announced"] = _announced(asked)
        else:
            by, now = str(Actor.of(request.user)), timezone.now()
            inquiry = explain(asked, resolver=resolver(), by=by, now=now)
            context |= {"answer": inquiry.answer, "heard": inquiry.heard}
    return page(request, "staff/why.html", context, status=422 if form.errors else 200)


def _announced(asn: int) -> Announced:
    known = Announced(
        asn,
        AsnRule.objects.select_related("provider").filter(asn=asn).first(),
        list(Network.objects.select_related("provider").filter(asn=asn).order_by("prefix", "pk")[:MOST]),
        routes(),
    )
    if known.table is not None:
        known.count, known.routes = known.table.announced_by(asn, most=MOST)
    return known
