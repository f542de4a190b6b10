"""The search form: a reference leads to its page, an address to its notices. Both come by POST."""

import re
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from audit.record import Actor
from audit.refused import Refused
from cases.admin.forms import FindForm
from cases.admin.pressing import press
from cases.models import Dispatch, Notice, Report
from cases.models.notice import NOTICE_REFERENCE
from cases.services import looking, picked


def find_by_text(request: HttpRequest) -> HttpResponse:
    """Go to what a reference names, or list the notices of an address. The address comes by POST only."""
    here = reverse("admin:cases_notice_changelist")
    form = FindForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Type a reference or an address."))
        return redirect(here)
    text = form.cleaned_data["text"]
    references = picked.references_in(text)
    if len(references) > 1:
        return _list_of(request, references)
    known = _by_reference(text.upper())
    if known is not None:
        if not known:
            messages.warning(request, _("There is nothing with this reference."))
        return redirect(known or here)
    if not re.search("[./:]", text):
        messages.warning(request, _("This is neither a reference nor an address."))
        return redirect(here)
    found = press(
        request,
        lambda: looking.find(
            text=text,
            reason=form.cleaned_data["reason"],
            by=Actor.of(request.user),
            now=timezone.now(),
        ),
        _("The search by address is written down."),
    )
    if found is None:
        return redirect(here)
    if not found:
        messages.warning(request, _("Nothing is known of this address."))
        return redirect(here)
    if len(found) == 1:
        return redirect("admin:cases_notice_change", found[0].pk)
    return redirect(f"{here}?{urlencode({'content': str(found[0].content_id)})}")


def _list_of(request: HttpRequest, references: list[str]) -> HttpResponse:
    """List the notices of several references, and say which are unknown."""
    here = reverse("admin:cases_notice_changelist")
    try:
        kept, unknown = picked.pick(references=references, by=Actor.of(request.user), now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(here)
    if unknown:
        text = _("There is nothing with these references: %(references)s.")
        messages.warning(request, text % {"references": ", ".join(unknown)})
    return redirect(f"{here}?{urlencode({'picked': str(kept.pk)})}")


def _by_reference(text: str) -> str | None:
    """The page of what `text` names (a notice, message or report), "" if there is none; None for other text."""
    rows: tuple[tuple[str, str, QuerySet[Any]], ...] = (
        (NOTICE_REFERENCE, "admin:cases_notice_change", Notice.objects.filter(reference=text)),
        (r"NTD-\d{4}-\d{6,}", "admin:cases_dispatch_change", Dispatch.objects.filter(number=text)),
        (r"R-[0-9A-Z]{10}", "admin:cases_report_change", Report.objects.filter(reference=text)),
    )
    for pattern, name, of_text in rows:
        if re.fullmatch(pattern, text):
            pk = of_text.values_list("pk", flat=True).first()
            return reverse(name, args=[pk]) if pk else ""
    return None
