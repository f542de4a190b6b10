"""What is told by mail beside the notices: to oneself, and to the provider's contacts."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.services import mail_choices as services
from cases.services.refused import NotFound
from portal.access import Visitor, door
from portal.forms.notifications import ChoiceForm, ContactChoiceForm
from providers.models import Contact


@door("own_mail.choose")
@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """One's own choice, and that of each contact by mail."""
    user = visitor.user
    form = ChoiceForm(initial={"kinds": services.chosen(user=user), "language": user.language})
    if request.method == "POST":
        form = ChoiceForm(request.POST)
    if form.is_valid():
        services.choose(user=user, **form.cleaned_data, now=timezone.now())
        with translation.override(form.cleaned_data["language"]):
            messages.success(request, _("Saved."))
        return redirect("portal:notifications")
    own = Contact.objects.usable().filter(provider=visitor.provider_id, channel=Contact.Channel.SMTP)
    contacts = list(own.order_by("pk"))
    told = services.chosen_for(contact_ids=[contact.pk for contact in contacts])
    may = visitor.user.may("own_contact.choose")
    context = {
        "form": form,
        "contacts": [
            (each, ContactChoiceForm(each, initial={"kinds": told.get(each.pk, [])}), bool(told.get(each.pk)))
            for each in contacts
        ],
        "may_choose_for_contacts": may,
    }
    return render(request, "portal/notifications.html", context, status=422 if form.errors else 200)


@door("own_contact.choose")
@require_POST
def of_contact(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """The choice of one contact."""
    contact = Contact.objects.filter(provider=visitor.provider_id, pk=pk).first()
    if contact is None:
        raise Http404
    form = ContactChoiceForm(contact, request.POST)
    if not form.is_valid():
        messages.error(request, _("This is none of the mails that can be chosen."))
        return redirect("portal:notifications")
    try:
        services.choose_for(
            provider_id=visitor.provider_id,
            contact_id=pk,
            kinds=form.cleaned_data["kinds"],
            by=visitor.actor,
            now=timezone.now(),
        )
    except NotFound:
        raise Http404 from None
    messages.success(request, _("Saved."))
    return redirect("portal:notifications")
