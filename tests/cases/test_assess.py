"""Judging: one person, one judgement, and a reason for what is let go."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connections, transaction

from audit.models import Event
from audit.record import Actor
from cases.models import Assessment, Notice
from cases.services import assess
from cases.services.refused import Invalid, Refused, Stale, WrongState
from tests.factories import NOON, SYSTEM, NoticeFactory, UserFactory


@pytest.fixture
def analyst(db: None) -> Actor:
    """The person who judges."""
    return Actor.of(UserFactory(analyst=True))


def now_of(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


@pytest.mark.parametrize("legal_class", ["baseline", "national"])
def test_what_is_illegal_waits_for_its_routing(analyst: Actor, legal_class: str) -> None:
    notice = NoticeFactory()

    assess.assess(notice_id=notice.pk, legal_class=legal_class, urgent=True, by=analyst, now=NOON)

    judged = now_of(notice)
    assert (judged.state, judged.assessed_at, judged.legal_class, judged.urgent) == (
        "received",
        NOON,
        legal_class,
        True,
    )
    # National law waits for a second person (test_second.py).
    assert list(Notice.objects.to_route(now=NOON)) == ([judged] if legal_class == "baseline" else [])
    assert Assessment.objects.get(notice=notice).assessor_id == analyst.user_id
    event = Event.objects.get(subject_id=notice.pk, act="assess")
    assert (event.actor, event.data) == (str(analyst), {"class": legal_class, "reason": ""})


@pytest.mark.parametrize("legal_class", ["not_illegal", "cannot_judge"])
def test_what_is_not_is_dismissed_and_says_why(analyst: Actor, legal_class: str) -> None:
    notice = NoticeFactory()

    assess.assess(notice_id=notice.pk, legal_class=legal_class, reason="adult", by=analyst, now=NOON)

    judged = now_of(notice)
    assert (judged.state, judged.closed_because, judged.closed_at) == ("dismissed", legal_class, NOON)
    assert Assessment.objects.get(notice=notice).reason == "adult"


@pytest.mark.parametrize(
    ("legal_class", "reason"),
    [("not_illegal", ""), ("cannot_judge", ""), ("not_illegal", "boredom"), ("awful", "")],
)
def test_a_judgement_without_its_reason_is_refused(analyst: Actor, legal_class: str, reason: str) -> None:
    notice = NoticeFactory()

    with pytest.raises(Invalid):
        assess.assess(notice_id=notice.pk, legal_class=legal_class, reason=reason, by=analyst, now=NOON)
    assert now_of(notice).assessed_at is None


@pytest.mark.django_db
def test_a_machine_does_not_judge() -> None:
    with pytest.raises(Invalid):
        assess.assess(notice_id=NoticeFactory().pk, legal_class="baseline", by=SYSTEM, now=NOON)


@pytest.mark.parametrize("trait", ["assessed", "notified", "removed", "dismissed"])
def test_a_second_judgement_is_refused(analyst: Actor, trait: str) -> None:
    notice = NoticeFactory(**{trait: True})

    with pytest.raises(WrongState):
        assess.assess(notice_id=notice.pk, legal_class="baseline", by=analyst, now=NOON)


def test_a_judgement_of_something_that_changed_meanwhile_is_refused_and_says_who(analyst: Actor) -> None:
    notice = NoticeFactory()
    assess.hold(notice_id=notice.pk, kind="police_first", reason="why", until=None, by=SYSTEM, now=NOON)

    with pytest.raises(Stale, match="system:test"):
        assess.assess(notice_id=notice.pk, legal_class="baseline", seen_version=0, by=analyst, now=NOON)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_judge_at_once_one_is_refused() -> None:
    notice = NoticeFactory()
    people = [Actor.of(UserFactory(email=f"{name}@hotline.example")) for name in ("anna", "bram")]
    start, outcomes = threading.Barrier(2), []

    def judge(by: Actor) -> None:
        try:
            start.wait()
            assess.assess(notice_id=notice.pk, legal_class="baseline", seen_version=0, by=by, now=NOON)
            outcomes.append("judged")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=judge, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outcomes) == ["judged", "stale"]
    assert Assessment.objects.count() == 1


def test_a_note_stands_sealed_and_a_judgement_is_never_overwritten(analyst: Actor) -> None:
    notice = NoticeFactory()
    assess.assess(notice_id=notice.pk, legal_class="baseline", note="A known series", by=analyst, now=NOON)
    judgement = Assessment.objects.get()

    assert judgement.note == "A known series"
    assert b"known series" not in bytes(judgement.note_sealed or b"")
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        Assessment.objects.update(legal_class="national")


@pytest.mark.django_db
def test_the_database_wants_a_reason_too() -> None:
    notice = NoticeFactory(dismissed=True)

    judgement = Assessment.objects.get(notice=notice)
    judgement.pk, judgement.reason, judgement.token = None, "", notice.content_id

    with pytest.raises(IntegrityError, match="assessment_not_illegal_says_why"), transaction.atomic():
        judgement.save()


# -- dismissing and holding -----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("because", Notice.Dismissal.values)
def test_a_notice_that_was_not_sent_is_dismissed_and_says_why(because: str) -> None:
    notice = NoticeFactory(held=True)
    assess.dismiss(notice_id=notice.pk, because=because, by=SYSTEM, now=NOON)

    closed = now_of(notice)
    assert (closed.state, closed.closed_because, closed.hold) == ("dismissed", because, "")


@pytest.mark.django_db
@pytest.mark.parametrize("trait", ["sent", "notified", "escalated", "removed", "dismissed", "withdrawn"])
def test_what_was_sent_or_closed_is_neither_dismissed_nor_held(trait: str) -> None:
    notice = NoticeFactory(**{trait: True})

    with pytest.raises(WrongState):
        assess.dismiss(notice_id=notice.pk, because="duplicate", by=SYSTEM, now=NOON)
    with pytest.raises(WrongState):
        assess.hold(notice_id=notice.pk, kind="police_first", reason="why", until=None, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_held_a_notice_is_off_the_desk_until_it_is_released_or_the_hold_ends() -> None:
    notice = NoticeFactory()
    until = NOON + timedelta(hours=24)
    assess.hold(
        notice_id=notice.pk, kind="police_first", reason=" A new victim ", until=until, by=SYSTEM, now=NOON
    )

    held = now_of(notice)
    assert (held.hold, held.hold_reason, held.hold_by, held.hold_until) == (
        "police_first",
        "A new victim",
        str(SYSTEM),
        until,
    )
    assert not Notice.objects.to_assess(now=until - timedelta(microseconds=1)).exists()
    assert Notice.objects.to_assess(now=until).exists()

    assess.release(notice_id=notice.pk, by=SYSTEM, now=NOON)
    assert Notice.objects.to_assess(now=NOON).exists()
    with pytest.raises(WrongState):
        assess.release(notice_id=notice.pk, by=SYSTEM, now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "reason", "until"),
    [("", "why", None), ("nap", "why", None), ("police_first", "  ", None), ("police_first", "why", NOON)],
)
def test_a_hold_needs_a_kind_a_reason_and_an_end_to_come(kind: str, reason: str, until: object) -> None:
    with pytest.raises(Invalid):
        assess.hold(
            notice_id=NoticeFactory().pk,
            kind=kind,
            reason=reason,
            until=until,  # type: ignore[arg-type]
            by=SYSTEM,
            now=NOON,
        )


@pytest.mark.django_db
def test_a_receiving_servers_clock_that_runs_ahead_refuses_nobodys_judgement() -> None:
    notice = NoticeFactory(received_at=NOON + timedelta(seconds=3))
    by = Actor.of(UserFactory())

    assess.assess(notice_id=notice.pk, legal_class="baseline", by=by, now=NOON)

    assert now_of(notice).assessed_at == notice.received_at
