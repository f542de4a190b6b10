"""Why this provider? A host or an address, explained as routing would decide it just now."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.desk import page
from audit.record import Actor
from providers.admin.forms import WhyForm
from providers.routing import look_up
from providers.sources.resolver import resolver


def why(request: HttpRequest) -> HttpResponse:
    """The form, and after a POST its answer; nothing is kept."""
    form, answer = WhyForm(request.POST if request.method == "POST" else None), None
    if form.is_valid():
        host = form.cleaned_data["host"]
        found = look_up([host], resolver=resolver(), by=str(Actor.of(request.user)), now=timezone.now())
        answer = found[host]
    context = {"title": _("Why this provider?"), "form": form, "answer": answer}
    return page(request, "staff/why.html", context, status=422 if form.errors else 200)
