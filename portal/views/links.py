"""The links in mails to this provider's contacts: what opens by them, and how they are ended."""

from typing import Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from audit.refused import Refused
from cases.models import Link
from cases.services import links as linking
from portal.access import Visitor, door

#: Links on a page.
SIZE: Final = 50


@door("own_link.view")
@require_safe
def links(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Those that open something, the newest first; `?before=` is the place of the last one on the page before."""
    live = Link.objects.of(visitor.provider_id).live(now=timezone.now())
    place = request.GET.get("before", "")
    if place.isascii() and place.isdigit() and len(place) < 19:
        live = live.filter(pk__lt=int(place))
    notices = Count("dispatch__lines", filter=Q(dispatch__lines__dropped_because=""))
    rows = list(
        live.select_related("dispatch__contact")
        .defer("dispatch__body_sealed")
        .annotate(notices=notices)
        .order_by("-pk")[: SIZE + 1]
    )
    context = {
        "links": rows[:SIZE],
        "next_url": f"?before={rows[SIZE - 1].pk}" if len(rows) > SIZE else "",
        "may_revoke": visitor.user.may("own_link.revoke"),
    }
    return render(request, "portal/links.html", context)


@door("own_link.revoke")
@require_POST
def revoke(request: HttpRequest, visitor: Visitor, pk: int) -> HttpResponse:
    """End one link."""
    try:
        linking.revoke(dispatch_id=pk, provider_id=visitor.provider_id, by=visitor.actor, now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Its link opens nothing any more."))
    return redirect("portal:links")


@door("own_link.revoke")
@require_POST
def revoke_all(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """End all of them, as when a mailbox was read by others. New mails bring new ones."""
    count = linking.revoke_all(provider_id=visitor.provider_id, by=visitor.actor, now=timezone.now())
    said = ngettext("%(count)d link opens nothing any more.", "%(count)d links open nothing any more.", count)
    messages.success(request, said % {"count": count})
    return redirect("portal:links")
