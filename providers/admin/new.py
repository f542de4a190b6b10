"""A provider that we do not know yet."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.desk import page, press
from audit.record import Actor
from providers import services
from providers.admin.forms import NewProviderForm


def new(request: HttpRequest) -> HttpResponse:
    """A provider that we do not know yet."""
    form = NewProviderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        provider = press(
            request,
            lambda: services.add_provider(**form.cleaned_data, by=Actor.of(request.user), now=timezone.now()),
            _("Added. It needs a contact before anything can be sent."),
        )
        return redirect("admin:providers_provider_change", provider.pk if provider else 0)
    context = {"title": _("New provider"), "form": form}
    return page(request, "staff/provider_new.html", context, status=422 if form.errors else 200)
