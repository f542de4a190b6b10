"""`manage.py verify` is quiet about a whole database and names what breaks an invariant."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.rows import ROLE
from audit.chain import extend
from audit.record import Actor, record
from cases.models import Notice
from cases.services import answers
from cases.services.keep import keep, read_on
from cases.services.receive import Line
from cases.services.verify import INVARIANTS, Finding, verify
from tests.factories import (
    NOON,
    SYSTEM,
    DispatchFactory,
    NoticeFactory,
    ReportLineFactory,
    SecondLookFactory,
    SourceFactory,
    StepFactory,
    UserFactory,
)

TRAITS = (
    "assessed",
    "routed",
    "sent",
    "notified",
    "escalated",
    "removed",
    "dismissed",
    "withdrawn",
    "held",
)


def findings() -> dict[str, Finding]:
    """Code -> what verify says of it."""
    said: list[Finding] = []
    verify(said.append, now=NOON)
    return {finding.code: finding for finding in said}


def broken() -> set[str]:
    """The codes of the invariants that do not hold."""
    return {code for code, finding in findings().items() if finding.broken}


def sql(statement: str, *parameters: object) -> None:
    """Do what no service would: triggers and constraints look away."""
    connection.check_constraints()
    with connection.cursor() as cursor:
        for table in ("cases_notice", "cases_dispatch", "cases_dispatchline", "cases_attempt", "audit_event"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table, name in (
            ("cases_notice", "notice_clock_is_whole"),
            ("cases_notice", "notice_instants_in_order"),
            ("cases_notice", "notice_sent_has_clock_and_provider"),
        ):
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        cursor.execute("DROP INDEX IF EXISTS dispatch_line_once")
        cursor.execute(statement, parameters)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_database_with_a_notice_in_every_state_is_whole() -> None:
    for trait in TRAITS:
        NoticeFactory(**{trait: True})
    ReportLineFactory()
    SecondLookFactory(agreed=True)
    SecondLookFactory(differing=True)
    extend()

    assert broken() == set()
    assert {f"I{number}" for number in range(1, 19)} == set(findings())


@pytest.mark.django_db
def test_a_clock_that_a_providers_answer_started_has_its_evidence() -> None:
    notice = NoticeFactory(sent=True)
    answers.answer_many(
        provider_id=notice.provider_id,
        answers=[answers.Answer(notice.reference, "acknowledged")],
        by=Actor("key", "7"),
        now=NOON + timedelta(hours=1),
    )

    assert broken() == set()


def _unfinished_report() -> str:
    line = ReportLineFactory()
    sql("UPDATE cases_report SET total = 2, done = 2 WHERE id = %s", line.report_id)
    return str(line.report.reference)


def _kept_with_a_gap() -> str:
    report = keep(source=SourceFactory(), way="file", lines=[Line("x")] * 3, digest=None, by=SYSTEM, now=NOON)
    report.unread.update(first=2)
    return report.reference


def _kept_though_it_is_read() -> str:
    report = keep(source=SourceFactory(), way="file", lines=[Line("x")], digest=None, by=SYSTEM, now=NOON)
    kept = report.unread.get()
    read_on(report_id=report.pk, now=NOON)
    kept.save(force_insert=True)
    return report.reference


def _approved_and_nowhere() -> str:
    notice = NoticeFactory(routed=True)
    sql("UPDATE cases_dispatchline SET dropped_because = 'taken_back' WHERE notice_id = %s", notice.pk)
    return str(notice.reference)


def _told_twice() -> str:
    notice = NoticeFactory(notified=True)
    line = notice.dispatch_lines.get()
    sql(
        "INSERT INTO cases_dispatchline (dispatch_id, notice_id, contact_id, step, dropped_because)"
        " VALUES (%s, %s, %s, 'first', '')",
        DispatchFactory(accepted=True).pk,
        notice.pk,
        line.contact_id,
    )
    return str(notice.reference)


def _accepted_by_a_stranger() -> str:
    dispatch = NoticeFactory(notified=True).dispatch_lines.get().dispatch
    sql("UPDATE providers_contact SET approved_at = NULL WHERE id = %s", dispatch.contact_id)
    return str(dispatch.number)


def _clock_without_evidence() -> str:
    notice = NoticeFactory(notified=True)
    sql("UPDATE cases_notice SET notified_at = notified_at + interval '1 s' WHERE id = %s", notice.pk)
    return str(notice.reference)


def _judged_twice_by_one() -> str:
    look = SecondLookFactory(differing=True)
    sql("ALTER TABLE cases_secondlook DROP CONSTRAINT second_is_another_person")
    sql("UPDATE cases_secondlook SET second_by_id = first_by_id WHERE id = %s", look.pk)
    sql(
        "INSERT INTO cases_assessment (notice_id, assessor_id, at, legal_class, reason, answers, vocabulary_id, token)"
        " SELECT notice_id, assessor_id, at, 'baseline', '', '{}', 1, gen_random_uuid()"
        " FROM cases_assessment WHERE id = %s",
        look.first_id,
    )
    sql(
        "UPDATE cases_secondlook SET second_id = (SELECT max(id) FROM cases_assessment) WHERE id = %s",
        look.pk,
    )
    return str(look.notice.reference)


def _withdrawn_and_nobody_told() -> str:
    notice = NoticeFactory(withdrawn=True)
    sql("UPDATE cases_notice SET closed_at = now() + interval '1 hour' WHERE id = %s", notice.pk)
    return str(notice.reference)


def _national_sent_by_one_alone() -> str:
    return str(NoticeFactory(sent=True, legal_class="national", notified_at=None, received_at=timezone.now(),
                             assessed_at=timezone.now(), routed_at=timezone.now(),
                             sent_at=timezone.now()).reference)  # fmt: skip


def _fired_early() -> str:
    notice = NoticeFactory(notified=True)
    StepFactory(notice=notice, code="call", taken_at=NOON)
    return str(notice.reference)


def _left_behind() -> str:
    notice = NoticeFactory(notified=True, notified_at=NOON - timedelta(days=30))
    return str(notice.reference)


def _reminded_blindly() -> str:
    notice = NoticeFactory(escalated=True)
    DispatchFactory(
        reminder=True, accepted=True, lines_of=[notice], contact=notice.dispatch_lines.get().contact
    )
    return str(notice.reference)


def _moved_silently() -> str:
    notice = NoticeFactory(notified=True)
    sql("UPDATE cases_notice SET state = 'escalated', escalated_at = due_at WHERE id = %s", notice.pk)
    return str(notice.reference)


def _edited_audit() -> str:
    notice = NoticeFactory(notified=True)
    extend()
    sql("UPDATE audit_event SET actor = 'user:1' WHERE subject_id = %s AND act = 'notify'", notice.pk)
    return "chain"


def _address_in_the_audit() -> str:
    record("test", "notice", 1, by=SYSTEM, at=NOON, data={"url": "https://forum.example/x"})
    return "event"


def _open_to_every_provider() -> str:
    sql("ALTER TABLE cases_message DISABLE ROW LEVEL SECURITY")
    return "cases_message"


def _given_without_a_policy() -> str:
    sql(f"GRANT SELECT ON cases_claim TO {ROLE}")
    return "cases_claim"


def _number_from_nowhere() -> str:
    dispatch = DispatchFactory(number="NTD-2026-999999")
    return str(dispatch.number)


def _due_is_not_what_the_rule_says() -> str:
    notice = NoticeFactory(notified=True)
    sql("UPDATE cases_notice SET due_at = due_at + interval '1 s' WHERE id = %s", notice.pk)
    return str(notice.reference)


BREAKS = [
    ("I1", _unfinished_report),
    ("I2", _approved_and_nowhere),
    ("I3", _told_twice),
    ("I4", _accepted_by_a_stranger),
    ("I5", _clock_without_evidence),
    ("I6", _fired_early),
    ("I6", _left_behind),
    ("I7", _reminded_blindly),
    ("I8", _moved_silently),
    ("I8", _edited_audit),
    ("I9", _open_to_every_provider),
    ("I9", _given_without_a_policy),
    ("I10", _address_in_the_audit),
    ("I12", _unfinished_report),
    ("I12", _kept_with_a_gap),
    ("I12", _kept_though_it_is_read),
    ("I13", _number_from_nowhere),
    ("I14", _due_is_not_what_the_rule_says),
    ("I16", _judged_twice_by_one),
    ("I17", _national_sent_by_one_alone),
    ("I18", _withdrawn_and_nobody_told),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "do"), BREAKS)
def test_what_breaks_an_invariant_is_named(code: str, do: Callable[[], str]) -> None:
    reference = do()

    finding = findings()[code]
    assert finding.broken
    assert reference in finding.says


def test_every_invariant_that_is_asked_is_broken_by_a_test() -> None:
    assert {each.code for each in INVARIANTS} == {code for code, _do in BREAKS}


@pytest.mark.django_db
def test_the_command_says_a_line_for_each_and_fails_when_one_is_broken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    NoticeFactory(removed=True)
    call_command("verify")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 18
    assert all(line.split()[1] in {"ok", "NOT"} for line in lines)

    _number_from_nowhere()
    with pytest.raises(CommandError):
        call_command("verify")
    assert "BROKEN" in capsys.readouterr().out
    assert Notice.objects.exists()
    assert UserFactory()
