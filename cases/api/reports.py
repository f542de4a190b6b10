"""Reports by machine: a partner's lines in, a receipt for each line out."""

from typing import Any, Final

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.authentication import key_of
from accounts.door import Door
from accounts.idempotency import IDEMPOTENCY_KEY, Idempotent
from accounts.models import IdempotentCall, Scope
from audit.record import Actor
from cases.api import examples
from cases.api.fields import Instant, Rows, Shape, Text
from cases.formats import receipt
from cases.models import Report, ReportLine
from cases.services.keep import keep, read_on
from cases.services.receive import Line, digest_of, source_of

MAX_LINES: Final = 10_000


class LineIn(Shape):
    """One reported address. What is wrong with a line rejects that line and no other."""

    url = Text(
        allow_blank=True, trim_whitespace=False, help_text="As it was reported, up to 8,192 characters."
    )
    referrer = Text(
        required=False, allow_blank=True, trim_whitespace=False, help_text="Up to 8,192 characters."
    )
    category = Text(required=False, allow_blank=True, help_text="Up to 40 characters.")
    note = Text(required=False, allow_blank=True, trim_whitespace=False, help_text="Up to 10,000 characters.")
    sha256 = Text(
        required=False,
        allow_blank=True,
        help_text="SHA-256 of the file at the address, 64 hexadecimal digits of either case. The digest of an "
        "empty file and all zeros reject the line.",
    )


class ReportIn(Shape):
    """A report from one source."""

    # The stubs mean Field.source, which the metaclass keeps apart from declared fields.
    source = Text(max_length=40, help_text="The code that the hotline gave you.")  # type: ignore[assignment]
    reference = Text(required=False, allow_blank=True, max_length=200, help_text="Yours, for this report.")
    received_at = Instant(required=False, help_text="When you received it yourself.")
    lines = Rows(child=LineIn(), least=1, most=MAX_LINES)


class ReceiptLineOut(serializers.Serializer[receipt.ReceiptLine]):
    """What became of a line."""

    line = serializers.IntegerField(min_value=1, help_text="Its place in what you sent, from 1.")
    outcome = serializers.ChoiceField(
        choices=ReportLine.Outcome.values,
        help_text="`duplicate`: of a notice that is open, and counted. `reappeared`: back after it was removed. "
        "`quarantined`: a person must read it first. `rejected`: `reason` says why.",
    )
    notice = serializers.CharField(required=False, help_text="The notice that it opened or corroborates.")
    reason = serializers.CharField(required=False, help_text="In the language of Accept-Language.")
    reason_code = serializers.CharField(
        required=False, help_text="The same for programs: it does not change."
    )


class ReportOut(serializers.Serializer[Report]):
    """The receipt of a report."""

    report = serializers.CharField(help_text="The reference of the report.")
    lines = ReceiptLineOut(many=True)


class Reports(Idempotent):
    """Where partners bring their reports."""

    required_scope = {"POST": Scope.REPORTS_WRITE}

    @extend_schema(
        operation_id="reports_create",
        request=ReportIn,
        responses={201: ReportOut},
        summary="Bring in a report",
        description="1 to 10,000 lines. Each is new, a duplicate of an open notice (counted as "
        "corroboration), reappeared after removal, rejected with a reason, or put aside for a person.",
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.REPORT,
    )
    def post(self, request: Request) -> Response:
        """Take the report in and answer with its receipt."""
        body = ReportIn(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        by, now = Actor.key(key_of(request)), timezone.now()
        report = keep(
            source=source_of(data["source"]),
            way=Report.Way.API,
            lines=[Line(**line, received_at=data.get("received_at")) for line in data["lines"]],
            digest=_digest(self.call),
            their_reference=data.get("reference", ""),
            by=by,
            now=now,
        )
        report = read_on(report_id=report.pk, now=now)
        place = reverse("api_report", args=[report.reference], request=request)
        return Response(_receipt(report), status=status.HTTP_201_CREATED, headers={"Location": place})


class OneReport(Door):
    """The receipt of a report that this key brought in; another key's report does not exist here."""

    required_scope = {"GET": Scope.REPORTS_WRITE}

    @extend_schema(
        operation_id="reports_retrieve",
        responses=ReportOut,
        summary="The receipt of a report",
        description="As it is now: a person may have decided about lines that were put aside. Only for the key that brought "
        "the report in.",
        parameters=[
            OpenApiParameter("reference", str, OpenApiParameter.PATH, description="`report` of its receipt.")
        ],
        examples=examples.RECEIPT,
    )
    def get(self, request: Request, reference: str) -> Response:
        """The receipt. Raises Http404, the same for another key's report as for none."""
        own = Report.objects.filter(by=str(Actor.key(key_of(request))))
        report = own.filter(reference=reference).first() if "\0" not in reference else None
        if report is None:
            raise Http404
        return Response(_receipt(report))


def _digest(call: IdempotentCall | None) -> bytes | None:
    """A call that is made again after a crash goes on with its report. Unnamed calls are never the same."""
    return None if call is None else digest_of("call", str(call.pk))


def _receipt(report: Report) -> dict[str, Any]:
    return {"report": report.reference, "lines": [_line(line) for line in receipt.lines(report)]}


def _line(line: receipt.ReceiptLine) -> dict[str, Any]:
    said: dict[str, Any] = {"line": line.line, "outcome": line.outcome}
    if line.notice:
        said["notice"] = line.notice
    if line.code:
        said |= {"reason": line.reason, "reason_code": line.code}
    return said
