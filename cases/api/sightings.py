"""Checks out, sightings in: for the checker, which is a program of its own."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import key_of
from accounts.idempotency import IDEMPOTENCY_KEY, Idempotent
from accounts.models import Scope
from audit.record import Actor
from cases.api.fields import Digits, Instant, Shape, Text, Whole, query
from cases.models import Sighting
from cases.services import due_checks, observe

#: Checks in one lease, and sightings in one report.
MOST: Final = 500
LIMIT: Final = 100


class DueQuery(Shape):
    """How many, and for whom."""

    limit = Digits(most=MOST, required=False)
    vantage = Text(max_length=60, required=False)


class CheckOut(serializers.Serializer[due_checks.Check]):
    """A look that is due: yours until `lease_until`. `expect_digest` (SHA-256) only where one is known."""

    notice = serializers.CharField()
    url = serializers.CharField()
    expect_digest = serializers.CharField(required=False)
    lease_until = serializers.DateTimeField()


class ChecksOut(serializers.Serializer[Any]):
    """The oldest due checks."""

    checks = CheckOut(many=True)


class DueChecks(APIView):
    """Looks that are due. What is handed out here nobody else gets while the lease lasts."""

    required_scope = {"GET": Scope.SIGHTINGS_WRITE}

    @extend_schema(
        operation_id="checks_due",
        responses=ChecksOut,
        summary="Lease due checks",
        parameters=[
            OpenApiParameter("limit", int, description="1 to 500; 100 when left out"),
            OpenApiParameter("vantage", str, description="where the checker looks from, as in its sightings"),
        ],
    )
    def get(self, request: Request) -> Response:
        """Lease them."""
        asked = query(DueQuery, request)
        checks = due_checks.lease_checks(
            limit=asked.get("limit", LIMIT),
            vantage=asked.get("vantage", ""),
            by=Actor.key(key_of(request)),
            now=timezone.now(),
        )
        return Response({"checks": [_check(check) for check in checks]})


def _check(check: due_checks.Check) -> dict[str, object]:
    said: dict[str, object] = {
        "notice": check.notice,
        "url": check.url,
        "lease_until": check.lease_until.isoformat(),
    }
    return said | {"expect_digest": check.expect_digest} if check.expect_digest else said


class SightingIn(Shape):
    """What was seen of one notice. `digest`: SHA-256 of what the server sent, in hexadecimal."""

    notice = Text(max_length=40)
    seen_at = Instant()
    outcome = serializers.ChoiceField(choices=Sighting.Outcome.choices)
    http_status = Whole(min_value=100, max_value=599, required=False, allow_null=True)
    digest = serializers.RegexField(r"^[0-9a-fA-F]{64}\Z", required=False, allow_null=True)
    vantage = Text(max_length=60)
    note = Text(max_length=1_000, required=False, allow_blank=True)


class SightingsIn(Shape):
    """1 to 500 sightings."""

    sightings = serializers.ListField(child=SightingIn(), min_length=1, max_length=MOST)


class TakenOut(serializers.Serializer[observe.Taken]):
    """What became of one sighting; `known` is one that we had. `reason` only when it was refused."""

    notice = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["recorded", "known", "refused"])
    reason = serializers.CharField(required=False)


class TakensOut(serializers.Serializer[Any]):
    """One result for each sighting, in the order given."""

    results = TakenOut(many=True)


class Sightings(Idempotent):
    """What a checker saw."""

    required_scope = {"POST": Scope.SIGHTINGS_WRITE}

    @extend_schema(
        operation_id="sightings_report",
        request=SightingsIn,
        responses=TakensOut,
        summary="Report sightings",
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        """Take them, and draw the conclusions."""
        body = SightingsIn(data=request.data)
        body.is_valid(raise_exception=True)
        taken = observe.observe(
            sightings=[_seen(each) for each in body.validated_data["sightings"]],
            by=Actor.key(key_of(request)),
            now=timezone.now(),
        )
        return Response({"results": [_result(each) for each in taken]})


def _seen(data: Mapping[str, Any]) -> observe.Seen:
    return observe.Seen(
        reference=data["notice"],
        seen_at=data["seen_at"],
        outcome=data["outcome"],
        vantage=data["vantage"],
        http_status=data.get("http_status"),
        digest=(data.get("digest") or "").lower(),
        note=data.get("note", ""),
    )


def _result(taken: observe.Taken) -> dict[str, str]:
    said = {"notice": taken.reference, "outcome": taken.outcome}
    return said | {"reason": taken.reason} if taken.reason else said
