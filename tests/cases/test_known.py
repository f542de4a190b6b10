"""What was judged before: of the same address, and of the same file elsewhere."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from audit.record import Actor
from cases.models import Assessment, Content, Fingerprint, Notice, ReportLine
from cases.models.fingerprint import TRIVIAL
from cases.services.assess import assess
from cases.services.corroboration import Corroboration, corroboration
from cases.services.fingerprints import remember
from cases.services.known import Evidence, Known, known, take_earlier
from cases.services.observe import Seen, observe
from cases.services.quarantine import decide_quarantined
from cases.services.receive import BATCH, Line, preview, receive
from cases.services.refused import NotFound, Stale, WrongState
from tests.factories import (
    NOON,
    SYSTEM,
    ContentFactory,
    NoticeFactory,
    ReportFactory,
    ReportLineFactory,
    SecondLookFactory,
    SourceFactory,
    UserFactory,
    many,
)

pytestmark = pytest.mark.django_db
FILE, OTHER_FILE = bytes(range(32)), bytes(range(1, 33))
HOUR = timedelta(hours=1)


def take_in(*lines: Line, source: str = "partner") -> list[ReportLine]:
    report = receive(source=SourceFactory(code=source), way="form", lines=lines, by=SYSTEM, now=NOON)
    return list(report.lines.order_by("number"))


def fingerprints() -> set[tuple[str, bytes, str]]:
    return {(each.content.url, bytes(each.sha256), each.source) for each in Fingerprint.objects.all()}


def same_file(*contents: Content) -> None:
    remember([(content.pk, FILE) for content in contents], source=Fingerprint.Source.REPORT, now=NOON)


def judged(content: Content, trait: str = "dismissed", **more: object) -> Notice:
    return NoticeFactory(content=content, **{trait: True}, **more)


def offered(found: Known | None) -> tuple[str, str, str] | None:
    """(class, evidence, reference of the earlier notice) that is offered."""
    offer = found.offer if found else None
    return offer and (offer.assessment.legal_class, offer.evidence, offer.notice.reference)


# -- digests come in -----------------------------------------------------------------------------------


def test_a_digest_of_a_line_is_kept_with_its_content_once() -> None:
    url = "https://forum.example/a.jpg"
    take_in(Line(url, sha256=FILE.hex().upper()), Line(url, sha256=f" {FILE.hex()} "), Line(url))
    take_in(Line(url, sha256=OTHER_FILE.hex()))

    assert fingerprints() == {(url, FILE, "report"), (url, OTHER_FILE, "report")}


@pytest.mark.parametrize(
    ("sha256", "reason"),
    [
        ("abc", "bad_sha256"),
        ("g" * 64, "bad_sha256"),
        ("0" * 63, "bad_sha256"),
        ("０" * 64, "bad_sha256"),
        *((each.hex(), "trivial_sha256") for each in TRIVIAL),
    ],
)
def test_a_wrong_or_empty_digest_rejects_its_line_and_no_other(sha256: str, reason: str) -> None:
    lines = [
        Line("https://forum.example/a.jpg", sha256=sha256),
        Line("https://forum.example/b.jpg", sha256=" "),
    ]

    assert [(line.outcome, line.code) for line in preview(lines)] == [("rejected", reason), ("new", "")]
    assert [(line.outcome, line.reason) for line in take_in(*lines)] == [("rejected", reason), ("new", "")]
    assert not Fingerprint.objects.exists()


def test_the_digest_of_a_line_in_quarantine_counts_once_it_is_accepted() -> None:
    (line,) = take_in(Line("http://printer.local/x", sha256=FILE.hex()))
    assert not Fingerprint.objects.exists()

    decide_quarantined(line_id=line.pk, accept=True, by=SYSTEM, now=NOON)

    assert fingerprints() == {("http://printer.local/x", FILE, "report")}


@pytest.mark.parametrize(("outcome", "kept"), [("online", 1), ("changed", 0), ("gone", 0)])
def test_a_look_that_saw_a_file_online_keeps_its_digest(outcome: str, kept: int) -> None:
    notice = NoticeFactory(notified=True)
    looks = [
        Seen(notice.reference, NOON + HOUR, outcome, "nl", digest=FILE.hex()),
        Seen(notice.reference, NOON + HOUR, outcome, "de", digest=bytes(32).hex()),
        Seen(notice.reference, NOON + HOUR, outcome, "fr"),
    ]

    observe(sightings=looks, by=SYSTEM, now=NOON + HOUR)

    assert [(bytes(each.sha256), each.source) for each in Fingerprint.objects.all()] == [
        (FILE, "sighting")
    ] * kept


def test_a_batch_without_digests_asks_nothing_more() -> None:
    asked = []
    for number, sha256 in enumerate(("", FILE.hex())):
        lines = [Line(f"https://forum.example/{number}/{path}", sha256=sha256) for path in range(20)]
        with CaptureQueriesContext(connection) as queries:
            take_in(*lines)
        asked.append(len(queries))

    assert asked[1] == asked[0] + 1
    assert BATCH >= 20


# -- what is offered -----------------------------------------------------------------------------------


def test_of_what_was_never_judged_nothing_is_known() -> None:
    notice = NoticeFactory()
    same_file(notice.content, NoticeFactory().content)

    assert known(notice) is None


@pytest.mark.parametrize(
    ("trait", "legal_class"),
    [("dismissed", "not_illegal"), ("removed", "baseline"), ("escalated", "baseline")],
)
def test_the_same_address_offers_the_class_of_its_earlier_notice(trait: str, legal_class: str) -> None:
    before = judged(ContentFactory(), trait)
    notice = NoticeFactory(content=before.content, previous=before)

    assert offered(known(notice)) == (legal_class, Evidence.ADDRESS, before.reference)


def test_the_same_file_elsewhere_offers_its_class() -> None:
    notice, before = NoticeFactory(), judged(ContentFactory(), "notified")
    same_file(notice.content, before.content)

    assert offered(known(notice)) == ("baseline", Evidence.DIGEST, before.reference)


def test_another_file_offers_nothing() -> None:
    notice, before = NoticeFactory(), judged(ContentFactory())
    same_file(before.content)
    remember([(notice.content.pk, OTHER_FILE)], source=Fingerprint.Source.REPORT, now=NOON)

    assert known(notice) is None


def test_where_both_are_known_the_same_address_is_the_evidence() -> None:
    before, elsewhere = judged(ContentFactory(), "removed"), judged(ContentFactory(), "notified")
    notice = NoticeFactory(content=before.content)
    same_file(before.content, elsewhere.content)

    found = known(notice)

    assert offered(found) == ("baseline", Evidence.ADDRESS, before.reference)
    assert found is not None
    assert (found.by_address, found.by_digest) == (1, 1)


def test_judgements_that_contradict_each_other_are_said_and_none_is_offered() -> None:
    before, elsewhere = judged(ContentFactory()), judged(ContentFactory(), "notified")
    notice = NoticeFactory(content=before.content)
    same_file(before.content, elsewhere.content)

    found = known(notice)

    assert found is not None
    assert found.offer is None
    assert {each.assessment.legal_class for each in found.earlier} == {"not_illegal", "baseline"}


def test_an_objection_that_was_upheld_contradicts_what_was_judged() -> None:
    before = judged(ContentFactory(), "withdrawn")
    found = known(NoticeFactory(content=before.content))

    assert found is not None
    assert found.objection_upheld
    assert found.offer is None


def test_a_withdrawal_for_another_reason_says_nothing_against_the_judgement() -> None:
    before = judged(ContentFactory(), "withdrawn", closed_because=Notice.Withdrawal.MOVED)

    assert offered(known(NoticeFactory(content=before.content))) == ("baseline", "address", before.reference)


@pytest.mark.parametrize("reason", ["not_found", "password"])
def test_that_it_could_not_be_seen_once_is_no_judgement_of_the_material(reason: str) -> None:
    before = NoticeFactory()
    analyst = Actor.of(UserFactory(analyst=True))
    assess(notice_id=before.pk, legal_class="cannot_judge", reason=reason, by=analyst, now=NOON)

    assert known(NoticeFactory(content=before.content)) is None


def test_what_two_people_judge_differently_is_not_offered_before_the_lead_has_decided() -> None:
    look = SecondLookFactory(notice=NoticeFactory(dismissed=True), read_as="baseline")
    notice = NoticeFactory(content=look.notice.content)

    found = known(notice)
    assert found is not None
    assert found.offer is None
    assert {each.assessment.legal_class for each in found.earlier} == {"baseline", "not_illegal"}


def test_a_file_at_many_addresses_costs_as_many_queries_as_at_one() -> None:
    asked = []
    for count in (2, 30):
        notices = many(count, notified=True)
        notice = NoticeFactory()
        same_file(notice.content, *(each.content for each in notices))
        with CaptureQueriesContext(connection) as queries:
            found = known(notice)
            assert found is not None
            assert len([each.assessment.assessor.pk for each in found.earlier]) >= count
        asked.append(len(queries))

    assert asked == [5, 5]


# -- taking it over ------------------------------------------------------------------------------------


def offer_of(notice: Notice) -> Assessment:
    found = known(notice)
    assert found is not None
    assert found.offer is not None
    return found.offer.assessment


def test_what_was_judged_before_is_taken_over_as_a_judgement_of_ones_own() -> None:
    before = NoticeFactory()
    noor, kees = UserFactory(analyst=True), UserFactory(analyst=True, email="kees@hotline.example")
    said = {"legal_class": "baseline", "answers": {"age_group": "prepubescent"}}
    assess(notice_id=before.pk, by=Actor.of(noor), now=NOON, note="for colleagues", **said)
    notice = NoticeFactory()
    same_file(before.content, notice.content)
    offer = offer_of(notice)

    take_earlier(
        notice_id=notice.pk, assessment_id=offer.pk, seen_version=0, by=Actor.of(kees), now=NOON + HOUR
    )

    taken = Assessment.objects.get(notice=notice)
    assert (taken.legal_class, taken.answers, taken.assessor) == ("baseline", offer.answers, kees)
    assert (taken.taken_from, taken.at, taken.note) == (offer, NOON + HOUR, "")
    judged_one = Notice.objects.get(pk=notice.pk)
    assert (judged_one.assessed_at, judged_one.legal_class) == (NOON + HOUR, "baseline")
    events = Event.objects.filter(subject="notice", subject_id=notice.pk).order_by("pk")
    assert [event.act for event in events][-2:] == ["assess", "take_earlier"]
    assert events[len(events) - 1].data == {"previous": before.reference}


def test_what_was_dismissed_before_is_dismissed_again_for_the_same_reason() -> None:
    before = judged(ContentFactory())
    notice = NoticeFactory(content=before.content, previous=before)

    take_earlier(
        notice_id=notice.pk, assessment_id=offer_of(notice).pk, by=Actor.of(UserFactory(lead=True)), now=NOON
    )

    taken = Assessment.objects.get(notice=notice)
    assert (taken.legal_class, taken.reason) == ("not_illegal", "adult")
    assert Notice.objects.get(pk=notice.pk).state == Notice.State.DISMISSED


def test_a_late_press_is_refused() -> None:
    before = judged(ContentFactory())
    notice = NoticeFactory(content=before.content)
    by, offer = Actor.of(UserFactory(analyst=True)), offer_of(notice)
    press = {"notice_id": notice.pk, "assessment_id": offer.pk, "by": by, "now": NOON}

    with pytest.raises(Stale):
        take_earlier(**press, seen_version=7)
    with pytest.raises(WrongState, match="not offered"):
        take_earlier(**{**press, "assessment_id": offer.pk + 1})
    with pytest.raises(NotFound):
        take_earlier(**{**press, "notice_id": 0})
    take_earlier(**press)
    with pytest.raises(WrongState, match="judged already"):
        take_earlier(**press)
    same_file(before.content, judged(ContentFactory(), "notified").content)
    with pytest.raises(WrongState, match="not offered"):
        take_earlier(**press)
    assert Assessment.objects.filter(notice=notice).count() == 1


# -- who has reported it -------------------------------------------------------------------------------


def test_corroboration_counts_sources_and_reports_each_once() -> None:
    seen_again, notice = NoticeFactory(), NoticeFactory()
    for source in ("partner", "partner", "public"):
        report = ReportFactory(source=SourceFactory(code=source), total=2)
        for number in (1, 2):
            ReportLineFactory(report=report, number=number, outcome="duplicate", notice=notice)

    with CaptureQueriesContext(connection) as queries:
        counted = corroboration([notice.pk, seen_again.pk])

    assert counted == {notice.pk: Corroboration(2, 3), seen_again.pk: Corroboration(0, 0)}
    assert len(queries) == 1
