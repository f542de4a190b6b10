"""Checks out, sightings in: for the checker, which is a program of its own."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import key_of
from accounts.door import Door
from accounts.idempotency import IDEMPOTENCY_KEY, Idempotent
from accounts.models import Scope
from audit.record import Actor
from cases.api import examples
from cases.api.fields import Choice, Digest, Digits, Instant, Rows, Shape, Text, Whole, query
from cases.models import Sighting
from cases.services import due_checks, observe

#: Checks in one lease, and sightings in one report.
MOST: Final = 500
LIMIT: Final = 100


class DueQuery(Shape):
    """How many, and for whom."""

    limit = Digits(most=MOST, required=False)
    vantage = Text(max_length=60, required=False, help_text="Where the checker looks from.")


class CheckOut(serializers.Serializer[due_checks.Check]):
    """A look that is due."""

    notice = serializers.CharField(help_text="The reference of the notice.")
    url = serializers.CharField(help_text="What to look at. Keep it out of logs.")
    expect_digest = serializers.CharField(
        required=False, help_text="SHA-256 of the file that was reported, where it is known."
    )
    lease_until = serializers.DateTimeField(help_text="Until then nobody else is given this look.")


class ChecksOut(serializers.Serializer[Any]):
    """The oldest due checks."""

    checks = CheckOut(many=True)


_AS_EVERYWHERE: Final = serializers.DateTimeField()


class DueChecks(Door):
    """Looks that are due. What is handed out here nobody else gets while the lease lasts."""

    required_scope = {"GET": Scope.SIGHTINGS_WRITE}
    parameters = frozenset(DueQuery().fields)

    @extend_schema(
        operation_id="checks_due",
        responses=ChecksOut,
        summary="Lease due checks",
        description="The oldest looks that are due, at most `limit`. They are yours until `lease_until`: report each, also "
        "when nothing could be told (`unknown`).",
        parameters=[
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
                description="At most so many.",
            ),
            OpenApiParameter(
                "vantage",
                {"type": "string", "minLength": 1, "maxLength": 60},
                description="Where the checker looks from, as in its sightings.",
            ),
        ],
        examples=examples.CHECKS,
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
        "lease_until": _AS_EVERYWHERE.to_representation(check.lease_until),
    }
    return said | {"expect_digest": check.expect_digest} if check.expect_digest else said


class SightingIn(Shape):
    """What was seen of one notice."""

    notice = Text(max_length=40, help_text="The reference of the notice.")
    seen_at = Instant(help_text="When. Not in the future.")
    outcome = Choice(
        choices=Sighting.Outcome.choices,
        help_text="`changed`: something else is there now. `blocked`: we are kept out. `unknown`: it could not be told, "
        "which is never taken for gone.",
    )
    http_status = Whole(
        min_value=100, max_value=599, required=False, allow_null=True, help_text="What the server answered."
    )
    digest = Digest(
        required=False, allow_null=True, help_text="SHA-256 of what the server sent, in hexadecimal."
    )
    vantage = Text(max_length=60, help_text="Who looked, from where.")
    note = Text(max_length=1_000, required=False, allow_blank=True, help_text="For people. No addresses.")


class SightingsIn(Shape):
    """1 to 500 sightings."""

    sightings = Rows(child=SightingIn(), least=1, most=MOST)


class TakenOut(serializers.Serializer[observe.Taken]):
    """What became of one sighting."""

    notice = serializers.CharField(help_text="As you gave it.")
    outcome = serializers.ChoiceField(
        choices=["recorded", "known", "refused"],
        help_text="`known`: we had it already. `refused`: nothing was recorded, and `reason` says why.",
    )
    reason = serializers.CharField(required=False, help_text="In the language of Accept-Language.")


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
        description="1 to 500 sightings, each with its own result. What they prove is concluded at once.",
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.SIGHTINGS,
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
