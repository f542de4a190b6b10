"""Notices and answers for machines: a provider's own systems, and ours."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import key_of
from accounts.door import Door
from accounts.idempotency import IDEMPOTENCY_KEY, Idempotent
from accounts.models import ApiKey, Scope
from audit.record import Actor
from cases.api import examples
from cases.api.fields import Choice, Instant, Rows, Shape, Text, query
from cases.clock import database_now
from cases.models import Notice, Reply
from cases.models.notice import NOTICE_REFERENCE, NoticeQuerySet
from cases.models.reply import LONGEST_NOTE
from cases.services import answers, clocks, reveal
from providers.models import Contact

_REFERENCE: Final = re.compile(NOTICE_REFERENCE)
_PAGING: Final = frozenset({"cursor", "page_size"})


def _instant(says: str) -> serializers.DateTimeField:
    return serializers.DateTimeField(allow_null=True, help_text=says)


class NoticeOut(serializers.Serializer[Notice]):
    """A notice, as far as this key is told of it. Instants are in UTC; null is what has not happened."""

    reference = serializers.CharField(help_text="The name of the notice, everywhere.")
    state = serializers.ChoiceField(
        choices=Notice.State.choices,
        help_text="`received`: sent to you, and not yet known to have arrived. `notified`: your term runs. `escalated`: "
        "it ended without proof of removal. `removed`: we saw that it is gone. `withdrawn`: we took the notice back.",
    )
    overdue = serializers.SerializerMethodField(help_text="The term has ended and removal is not proven.")
    url = serializers.SerializerMethodField(
        help_text="The exact address. Null where this key is not given it; masked_url is always there."
    )
    masked_url = serializers.CharField(help_text="The host and the last characters.")
    sent_at = _instant("When the message with it left us.")
    notified_at = _instant("When it arrived with you: your term counts from here.")
    due_at = _instant("When your term ends.")
    acknowledged_at = _instant("When you first answered.")
    claimed_removed_at = _instant("When you last said that it is gone.")
    claim_answer = serializers.ChoiceField(
        choices=Notice.ClaimAnswer.choices,
        help_text="What we say to that: about the last look, and no state. Empty when you said nothing.",
    )
    disputed_at = _instant("When you first disputed it.")
    objection_rejected_at = _instant("When a second assessor upheld the notice.")
    last_seen_online_at = _instant("When we last saw it online.")
    gone_since = _instant("When we first saw it gone, of the looks that prove removal.")
    removed_at = _instant("When removal was proven.")
    escalated_at = _instant("When the term ended without proof.")
    ip = serializers.SerializerMethodField(
        help_text="The server, as we found it; null when that is not known."
    )
    customer_reference = serializers.CharField(help_text="Yours, as you wrote it in the portal.")

    def get_fields(self) -> dict[str, Any]:
        """`class` is a word of Python: it cannot be declared as an attribute."""
        legal_class = serializers.CharField(
            source="legal_class",
            help_text="`baseline` (illegal nearly everywhere) or `national` (in this country).",
        )
        return {**super().get_fields(), "class": legal_class}

    def get_overdue(self, notice: Notice) -> bool:
        """True from the due moment on, whether or not a sweep has recorded it."""
        with_them = notice.state in {Notice.State.NOTIFIED, Notice.State.ESCALATED}
        return with_them and notice.due_at is not None and notice.due_at <= self.context["now"]

    def get_url(self, notice: Notice) -> str | None:
        """Only what was revealed for this answer, and recorded as such."""
        revealed: Mapping[int, str] = self.context["urls"]
        return revealed.get(notice.pk)

    def get_ip(self, notice: Notice) -> str | None:
        """The address of the server, by the attribution in force."""
        return notice.attribution.address if notice.attribution else None


class NoticeQuery(Shape):
    """The filters of the list."""

    state = Choice(choices=Notice.State.choices, required=False, help_text="Only those in this state.")
    due_before = Instant(required=False, help_text="Only those whose term ends before.")
    acknowledged = Choice(
        choices=["true", "false"], required=False, help_text="Only those that were answered, or were not."
    )


class StaffNoticeQuery(NoticeQuery):
    """Ours may ask for one provider, by its code."""

    provider = Text(
        max_length=40, required=False, help_text="A provider's code. For keys of the hotline only."
    )


def _known_to(key: ApiKey) -> NoticeQuerySet:
    """What exists for a key: a provider's own, once sent; for ours, all."""
    notices = Notice.objects.all() if key.provider_id is None else Notice.objects.of(key.provider_id)
    return notices.select_related("content", "attribution")


def _arrives_with(key: ApiKey, notices: Sequence[Notice], *, now: datetime) -> bool:
    """Whether this answer is how notices arrive at their provider: then their clocks have started with it."""
    if key.provider_id is None:
        return False
    waiting = [
        each.pk for each in notices if each.state == Notice.State.RECEIVED and each.sent_at is not None
    ]
    running = [each.pk for each in notices if each.state in {Notice.State.NOTIFIED, Notice.State.ESCALATED}]
    if new := [*waiting, *clocks.not_shown(running)]:
        clocks.fetched(notice_ids=new, by=Actor.key(key), now=now)
    return bool(waiting)


class Notices(Door, GenericAPIView[Notice]):
    """Notices, in the order of their reference, which tells nobody how many there are."""

    required_scope = {"GET": Scope.NOTICES_READ}
    serializer_class = NoticeOut
    queryset = Notice.objects.none()  # for the description of the API; `get` says which
    ordering = ("reference",)
    parameters = frozenset({*StaffNoticeQuery().fields, *_PAGING})

    @extend_schema(
        operation_id="notices_list",
        parameters=[StaffNoticeQuery],
        responses=NoticeOut(many=True),
        summary="List notices",
        description="Yours, once they were sent, in the order of their reference; for a key of the hotline, all. `url` is "
        "given to a provider that takes its notices by API; others read it in the portal, or one by one. A notice "
        "that was sent and is not known to have arrived has arrived with this answer: its term begins.",
        examples=examples.LIST,
    )
    def get(self, request: Request) -> Response:
        """A page of notices."""
        key, now = key_of(request), timezone.now()
        asked = query(StaffNoticeQuery if key.provider_id is None else NoticeQuery, request, besides=_PAGING)
        page = self.paginate_queryset(_filtered(_known_to(key), asked)) or []
        if _arrives_with(key, page, now=now):
            page = list(_known_to(key).filter(pk__in=[each.pk for each in page]).order_by(*self.ordering))
        urls: Mapping[int, str] = {}
        if key.provider_id is not None and _takes_by_api(key.provider_id):
            urls = reveal.reveal_many(provider_id=key.provider_id, notices=page, by=Actor.key(key), now=now)
        rows = self.get_serializer(page, many=True, context={"now": now, "urls": urls}).data
        return self.get_paginated_response(rows)


def _filtered(notices: NoticeQuerySet, asked: Mapping[str, Any]) -> NoticeQuerySet:
    if "state" in asked:
        notices = notices.filter(state=asked["state"])
    if "due_before" in asked:
        notices = notices.filter(due_at__lt=asked["due_before"])
    if "acknowledged" in asked:
        notices = notices.filter(acknowledged_at__isnull=asked["acknowledged"] == "false")
    if "provider" in asked:
        notices = notices.filter(provider__code=asked["provider"])
    return notices


def _takes_by_api(provider_id: int) -> bool:
    return Contact.objects.for_notices().filter(provider=provider_id, mode=Contact.Mode.API).exists()


class OneNotice(Door):
    """One notice. A provider's key is given the URL, and each time is recorded; ours is not."""

    required_scope = {"GET": Scope.NOTICES_READ}

    @extend_schema(
        operation_id="notices_read",
        responses=NoticeOut,
        summary="Read one notice",
        description="A provider's key is given the exact address, and each time is recorded. If the notice was not known to "
        "have arrived, it has arrived with this answer: its term begins.",
        parameters=[
            OpenApiParameter("reference", str, OpenApiParameter.PATH, pattern=f"^{NOTICE_REFERENCE}$")
        ],
        examples=examples.NOTICE,
    )
    def get(self, request: Request, reference: str) -> Response:
        """The notice. Raises Http404, the same for another provider's as for none."""
        key, now = key_of(request), timezone.now()
        notice = (
            _known_to(key).filter(reference=reference).first() if _REFERENCE.fullmatch(reference) else None
        )
        if notice is None:
            raise Http404
        if _arrives_with(key, [notice], now=now):
            notice = _known_to(key).get(pk=notice.pk)
        urls = {}
        if key.provider_id is not None:
            urls[notice.pk] = reveal.reveal(notice_id=notice.pk, by=Actor.key(key), now=now)
        return Response(NoticeOut(notice, context={"now": now, "urls": urls}).data)


class AnswerIn(Shape):
    """One answer about one notice."""

    reference = Text(max_length=40, help_text="The notice that you answer about.")
    answer = Choice(
        choices=Reply.Answer.choices,
        help_text="`acknowledged`: seen, and worked on. `removed`: made inaccessible. `already_gone`: was gone before you "
        "came. `not_ours`: not on your network; `reason` says whose it is. `forwarded`: to your customer; the term "
        "stays yours. `need_information`: ask in `note`. `dispute`: `reason` says why, and must be there.",
    )
    at = Instant(
        required=False, allow_null=True, help_text="When it happened, if it was not now. Not in the future."
    )
    reason = Text(
        max_length=300, required=False, allow_blank=True, help_text="Why it is disputed, or whose it is."
    )
    note = Text(
        max_length=LONGEST_NOTE, required=False, allow_blank=True, help_text="For the people of the hotline."
    )


class AnswersIn(Shape):
    """1 to 5,000 answers."""

    answers = Rows(child=AnswerIn(), least=1, most=answers.BATCH)


class AnswerOut(serializers.Serializer[answers.Outcome]):
    """What became of one answer."""

    reference = serializers.CharField(help_text="As you gave it.")
    outcome = serializers.ChoiceField(
        choices=["recorded", "unchanged", "refused"],
        help_text="`unchanged`: we knew that already. `refused`: nothing was recorded, and `reason` says why.",
    )
    reason = serializers.CharField(required=False, help_text="In the language of Accept-Language.")


class AnswersOut(serializers.Serializer[Any]):
    """One result for each answer, in the order given."""

    results = AnswerOut(many=True)


class Answers(Idempotent):
    """A provider's answers. One that is refused does not hold up the others."""

    required_scope = {"POST": Scope.NOTICES_ANSWER}

    @extend_schema(
        operation_id="notices_answer",
        request=AnswersIn,
        responses=AnswersOut,
        summary="Answer about notices",
        description="1 to 5,000 answers, each with its own result: one that is refused does not hold up the others. A claim "
        "of removal makes a check due now; the term runs until removal is proven. Only for a key of a provider.",
        parameters=[IDEMPOTENCY_KEY],
        examples=examples.ANSWERS,
    )
    def post(self, request: Request) -> Response:
        """Record the answers."""
        key = key_of(request)
        if key.provider_id is None:
            raise PermissionDenied
        body = AnswersIn(data=request.data)
        body.is_valid(raise_exception=True)
        outcomes = answers.answer_many(
            provider_id=key.provider_id,
            answers=[_answer(each) for each in body.validated_data["answers"]],
            by=Actor.key(key),
            now=database_now(),
        )
        return Response({"results": [_result(each) for each in outcomes]})


def _answer(data: Mapping[str, Any]) -> answers.Answer:
    return answers.Answer(
        reference=data["reference"],
        answer=data["answer"],
        at=data.get("at"),
        reason=data.get("reason", ""),
        note=data.get("note", ""),
    )


def _result(outcome: answers.Outcome) -> dict[str, str]:
    said = {"reference": outcome.reference, "outcome": outcome.outcome}
    return said | {"reason": outcome.reason} if outcome.reason else said
