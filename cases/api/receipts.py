"""Signed receipts for a provider's own systems."""

import re
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import key_of
from accounts.door import Door
from accounts.models import Scope
from cases.api import examples
from cases.api.fields import Instant, Shape, query
from cases.formats.signed_receipt import WORDS, address_key
from cases.models import Notice, Verdict
from cases.models.notice import NOTICE_REFERENCE

#: Receipts of one notice in one answer, the last ones.
MOST: Final = 200
_REFERENCE: Final = re.compile(NOTICE_REFERENCE)
_PAGING: Final = frozenset({"cursor", "page_size"})


class ReceiptOut(serializers.Serializer[Verdict]):
    """An answer to a claim of removal. `signed` is the receipt: a JSON Web Token in its compact form."""

    receipt = serializers.CharField(source="reference", help_text="The name of the receipt.")
    notice = serializers.CharField(source="notice.reference", help_text="The notice that it is about.")
    claimed_at = serializers.DateTimeField(source="reply.at", help_text="When you said that it is gone.")
    decided_at = serializers.DateTimeField(source="at", help_text="When we answered.")
    verdict = serializers.SerializerMethodField(
        help_text="`confirmed`: our check no longer finds it. `removal_proven`: the notice is closed. `still_reachable`: "
        "our check sees it. `cannot_tell`: it was kept out, or got no answer."
    )
    key_id = serializers.CharField(
        source="receipt.key_id", help_text="The key among the published ones (/.well-known/jwks.json)."
    )
    signed = serializers.CharField(
        source="receipt.signed", help_text="The receipt: a JSON Web Token, signed by Ed25519."
    )
    address_key = serializers.SerializerMethodField(
        help_text="Shows, with the address, which one the receipt is about (HMAC-SHA256). In hexadecimal."
    )

    def get_verdict(self, verdict: Verdict) -> str:
        """confirmed, removal_proven, still_reachable or cannot_tell."""
        return WORDS[Notice.ClaimAnswer(verdict.answer)]

    def get_address_key(self, verdict: Verdict) -> str:
        """Of this receipt alone."""
        return address_key(verdict.reference).hex()


class ReceiptsOut(serializers.Serializer[Any]):
    """The receipts of one notice, oldest first."""

    results = ReceiptOut(many=True, help_text="The last 200.")


class ReceiptQuery(Shape):
    """From when on."""

    since = Instant(required=False, help_text="Only those that were signed then or later.")


def _kept(provider_id: int) -> QuerySet[Verdict]:
    kept = Verdict.objects.filter(provider=provider_id, receipt__isnull=False)
    return kept.select_related("notice", "reply", "receipt").defer("reply__note_sealed")


class ReceiptsOfNotice(Door):
    """The receipts of one notice. A provider's key sees those of its own."""

    required_scope = {"GET": Scope.NOTICES_READ}

    @extend_schema(
        operation_id="receipts_of_notice",
        responses=ReceiptsOut,
        summary="Read the receipts of a notice",
        description="What we answered to your claims about it, the last 200, oldest first. Only for a key of a provider.",
        parameters=[
            OpenApiParameter("reference", str, OpenApiParameter.PATH, pattern=f"^{NOTICE_REFERENCE}$")
        ],
        examples=examples.RECEIPTS_OF_NOTICE,
    )
    def get(self, request: Request, reference: str) -> Response:
        """The last 200, oldest first. Raises Http404, the same for another provider's as for none."""
        provider_id = key_of(request).provider_id
        if provider_id is None:
            raise PermissionDenied
        own = Notice.objects.of(provider_id).filter(reference=reference)
        notice = own.first() if _REFERENCE.fullmatch(reference) else None
        if notice is None:
            raise Http404
        found = list(_kept(provider_id).filter(notice=notice).order_by("-pk")[:MOST])
        return Response(ReceiptsOut({"results": found[::-1]}).data)


class Receipts(Door, GenericAPIView[Verdict]):
    """All receipts of a provider, in the order in which they were signed."""

    required_scope = {"GET": Scope.NOTICES_READ}
    parameters = frozenset({*ReceiptQuery().fields, *_PAGING})
    serializer_class = ReceiptOut
    queryset = Verdict.objects.none()  # for the description of the API; `get` says which
    ordering = ("at", "reference")

    @extend_schema(
        operation_id="receipts_list",
        parameters=[ReceiptQuery],
        responses=ReceiptOut(many=True),
        summary="List receipts",
        description="Yours, the oldest first: keep the last `decided_at`, and ask from there on. Only for a key of a "
        "provider.",
        examples=examples.RECEIPTS,
    )
    def get(self, request: Request) -> Response:
        """A page of receipts."""
        provider_id = key_of(request).provider_id
        if provider_id is None:
            raise PermissionDenied
        asked = query(ReceiptQuery, request, besides=_PAGING)
        found = _kept(provider_id)
        if "since" in asked:
            found = found.filter(at__gte=asked["since"])
        try:
            page = self.paginate_queryset(found) or []
        except (ValidationError, ValueError):
            # The place of a cursor is an instant here, and this one is none.
            raise NotFound(_("Invalid cursor")) from None
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
