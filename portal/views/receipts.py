"""Answers to claims as they come in, signed receipts, and the public keys they are checked with."""

import re
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cases.models import Receipt
from cases.models.notice import NOTICE_REFERENCE
from portal.access import Visitor, door
from portal.shown.claims import asked_for
from vault.signing import signer

#: As many as a page of the list has.
MOST: Final = 100
_REFERENCE: Final = re.compile(NOTICE_REFERENCE)


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys of all receipts (RFC 7517), for everybody."""
    return JsonResponse(
        signer().published,
        content_type="application/jwk-set+json",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@door("own_notice.view")
@require_safe
def claims(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """A part of a page: our answers to the claims about the named notices, just now. Starts no clock."""
    named = [name for name in request.GET.getlist("notice")[:MOST] if _REFERENCE.fullmatch(name)]
    context = {
        "claims": asked_for(visitor.notices, named),
        "template": "portal/claim_cell.html" if request.GET.get("as") == "cell" else "portal/claim.html",
    }
    return render(request, "portal/claims.html", context)


@door("own_notice.view")
@require_safe
def receipt(request: HttpRequest, visitor: Visitor, reference: str, receipt: str) -> HttpResponse:
    """A receipt, as a file that is the same each time. Raises Http404, for another provider's as for none."""
    notice = visitor.notice(reference)
    found = Receipt.objects.filter(verdict__notice=notice, verdict__reference=receipt).first()
    if found is None:
        raise Http404
    return HttpResponse(
        found.signed,
        content_type="application/jwt",
        headers={"Content-Disposition": f'attachment; filename="{reference}-{receipt}.jwt"'},
    )
