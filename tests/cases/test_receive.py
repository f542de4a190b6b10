"""Reports come in: outcomes, corroboration, the same report again, two at once, a crash in between."""

import csv
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from audit.models import Event
from audit.record import Actor
from cases.formats import receipt
from cases.models import Content, Notice, Report, ReportLine
from cases.services import receive as services
from cases.services.quarantine import decide_quarantined
from cases.services.receive import BATCH, Changed, Line, NoLines, UnknownSource, source_of
from cases.services.refused import NotFound, WrongState
from tests.factories import NOON, NoticeFactory, SourceFactory
from vault.sealed import new_id

SAMPLE = Path(__file__).parent.parent / "data" / "reports-1000.csv"
BY = Actor.system("test")
A, B = "https://forum.example/a.jpg", "https://forum.example/b.jpg"


def receive(*urls: str, **more: object) -> Report:
    """Take in these addresses, from the staff, at noon."""
    arguments = {"source": SourceFactory(), "way": Report.Way.FORM, "by": BY, "now": NOON}
    arguments["lines"] = [Line(url) for url in urls]
    return services.receive(**(arguments | more))  # type: ignore[arg-type]


def outcomes(report: Report) -> list[str]:
    return [line.outcome for line in receipt.lines(report)]


def many(count: int) -> list[Line]:
    return [Line(f"https://forum.example/{number:06d}.jpg") for number in range(count)]


@pytest.mark.django_db
def test_a_new_address_becomes_content_and_a_notice_that_waits_for_an_analyst() -> None:
    report = receive(f" {A}#top ")

    (line,) = report.lines.all()
    notice = Notice.objects.get()
    assert (line.outcome, line.notice, line.content) == ("new", notice, notice.content)
    assert (notice.state, notice.received_at, notice.previous) == ("received", NOON, None)
    assert (notice.content.url, notice.content.raw, notice.content.host) == (A, f" {A}#top ", "forum.example")
    assert line.raw_text == f" {A}#top "
    assert notice in Notice.objects.to_assess(now=NOON)


@pytest.mark.django_db
def test_what_stands_beside_the_address_is_kept_and_sealed() -> None:
    line = Line(A, referrer=B, reference="EXT-1", category="forum", note="=1+1", received_at=NOON)
    report = receive(lines=[line])

    kept = report.lines.get()
    assert (kept.referrer, kept.note) == (B, "=1+1")
    assert (kept.their_reference, kept.category, kept.reported_at) == ("EXT-1", "forum", NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(l)::text FROM cases_reportline l")
        (row,) = cursor.fetchone()
    assert "forum.example" not in row
    assert "1+1" not in row


@pytest.mark.django_db
def test_the_same_address_fifty_times_in_one_report_is_one_notice() -> None:
    report = receive(*[A] * 25, *["hxxps://forum[.]example/x/../a.jpg"] * 25)

    assert Counter(outcomes(report)) == {"new": 1, "duplicate": 49}
    assert set(report.lines.values_list("notice", flat=True)) == {Notice.objects.get().pk}


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["assessed", "notified", "escalated"])
def test_a_report_of_an_open_notice_corroborates_it(state: str) -> None:
    notice = NoticeFactory(content__url=A, **{state: True})

    report = receive(A)

    assert outcomes(report) == ["duplicate"]
    assert report.lines.get().notice == notice
    assert report.lines.get().raw == A


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["removed", "dismissed", "withdrawn"])
def test_material_that_comes_back_is_a_new_notice_that_points_to_the_previous_one(state: str) -> None:
    before = NoticeFactory(content__url=A, **{state: True})

    report = receive(A, A)

    assert outcomes(report) == ["reappeared", "duplicate"]
    again = Notice.objects.exclude(pk=before.pk).get()
    assert (again.previous, again.content, again.state) == (before, before.content, "received")
    assert Content.objects.count() == 1


@pytest.mark.django_db
def test_bad_lines_never_lose_the_rest() -> None:
    report = receive(
        "", A, "javascript:alert(1)", "http://127.0.0.1/x", "http://127.0.0.1/x", "http://a\ud800/"
    )

    assert outcomes(report) == ["rejected", "new", "rejected", "quarantined", "quarantined", "rejected"]
    assert [line.code for line in receipt.lines(report)] == [
        "empty", "", "scheme_javascript", "non_public_address", "non_public_address", "bad_text",
    ]  # fmt: skip
    assert report.lines.get(number=3).raw == "javascript:alert(1)"
    assert Notice.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (Line(A, referrer="x" * 8_193), "referrer_too_long"),
        (Line(A, reference="x" * 201), "reference_too_long"),
        (Line(A, category="x" * 41), "category_too_long"),
        (Line(A, note="x" * 10_001), "note_too_long"),
        (Line(A, fault="bad_received_at"), "bad_received_at"),
        (Line("http://127.0.0.1/", fault="bad_received_at"), "bad_received_at"),
    ],
)
def test_what_cannot_be_kept_beside_an_address_rejects_the_line_with_its_reason(
    line: Line, code: str
) -> None:
    report = receive(lines=[line, Line(B)])

    assert outcomes(report) == ["rejected", "new"]
    assert report.lines.get(number=1).reason == code
    assert report.lines.get(number=1).reason_text


@pytest.mark.django_db
def test_the_sample_file_has_its_expected_outcomes_and_adds_up() -> None:
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        lines = [Line(row["url"]) for row in csv.DictReader(file, delimiter=";")]
    with SAMPLE.with_suffix(".expected.csv").open(encoding="utf-8", newline="") as file:
        expected = [row["outcome"] for row in csv.DictReader(file, delimiter=";")]

    report = receive(lines=lines)

    assert outcomes(report) == expected
    assert (report.done, report.total, report.finished_at) == (1_000, 1_000, NOON)
    assert Notice.objects.count() == Content.objects.count() == 820


@pytest.mark.django_db
def test_a_report_of_several_batches_is_one_report() -> None:
    seen: list[tuple[int, int]] = []

    report = receive(
        lines=many(BATCH + 10) + many(5), progress=lambda done, total: seen.append((done, total))
    )

    assert Counter(outcomes(report)) == {"new": BATCH + 10, "duplicate": 5}
    assert seen == [(BATCH, BATCH + 15), (BATCH + 15, BATCH + 15)]


@pytest.mark.django_db
def test_the_same_digest_again_gives_the_first_report_back_and_adds_nothing() -> None:
    first = receive(A, B, digest=b"1" * 32)
    again = receive(A, B, digest=b"1" * 32, now=NOON + timedelta(hours=1))

    assert (again, again.finished_at) == (first, NOON)
    assert (Report.objects.count(), ReportLine.objects.count(), Notice.objects.count()) == (1, 2, 2)


@pytest.mark.django_db
def test_the_same_digest_from_another_source_is_another_report() -> None:
    receive(A, digest=b"1" * 32)
    other = receive(A, digest=b"1" * 32, source=source_of("partner"))

    assert outcomes(other) == ["duplicate"]


@pytest.mark.django_db
def test_without_a_digest_every_report_corroborates() -> None:
    receive(A)

    assert outcomes(receive(A)) == ["duplicate"]


@pytest.mark.django_db
def test_a_report_without_lines_is_refused() -> None:
    with pytest.raises(NoLines):
        receive()

    assert not Report.objects.exists()


@pytest.mark.django_db
def test_an_unknown_source_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(UnknownSource, match="partner, public, staff"):
        source_of("nobody")


@pytest.mark.django_db
def test_a_report_that_was_broken_off_goes_on_where_it_stopped() -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    lines = many(BATCH + 100)
    with pytest.raises(KeyboardInterrupt):
        receive(lines=lines, digest=b"1" * 32, progress=stop)
    assert Report.objects.get().done == BATCH

    report = receive(lines=lines, digest=b"1" * 32)

    assert set(outcomes(report)) == {"new"}
    assert report.done == report.lines.count() == Notice.objects.count() == BATCH + 100


@pytest.mark.django_db
def test_lines_that_end_before_their_number_are_refused_and_can_be_sent_again() -> None:
    total = BATCH + 4
    with pytest.raises(Changed):
        receive(lines=many(total - 1), total=total, digest=b"1" * 32)

    assert Report.objects.get().finished_at is None
    assert receive(lines=many(total), total=total, digest=b"1" * 32).done == total


@pytest.mark.django_db
def test_a_report_of_one_batch_is_there_whole_or_not_at_all() -> None:
    with pytest.raises(Changed):
        receive(lines=many(3), total=4)

    assert not Report.objects.exists()


@pytest.mark.django_db
def test_every_report_and_every_notice_has_its_audit_rows_and_none_shows_an_address() -> None:
    report = receive(A, "http://127.0.0.1/x")

    events = list(Event.objects.values_list("act", "subject", "subject_id", "became", "data"))
    notice = Notice.objects.get()
    assert events == [
        ("receive", "report", report.pk, "", {"source": "staff", "way": "form", "lines": 2}),
        ("receive", "notice", notice.pk, "received", {"report": report.reference}),
        ("finish", "report", report.pk, "", None),
    ]


@pytest.mark.django_db
def test_a_preview_says_what_would_happen_and_stores_nothing() -> None:
    known = NoticeFactory(content__url=B, notified=True)
    before = Event.objects.count()

    rows = list(services.preview([Line(A), Line(A), Line(B), Line(""), Line("http://10.0.0.1/")]))

    assert [row.outcome for row in rows] == ["new", "duplicate", "duplicate", "rejected", "quarantined"]
    assert [row.notice for row in rows] == ["", "", known.reference, "", ""]
    assert not Report.objects.exists()
    assert (Notice.objects.count(), Event.objects.count()) == (1, before)


@pytest.mark.django_db
def test_a_batch_costs_a_fixed_number_of_queries(django_assert_num_queries: Callable[..., object]) -> None:
    source = SourceFactory()
    receive("http://warm.example/", source=source)

    with django_assert_num_queries(22):
        receive(lines=many(100), source=source)
    with django_assert_num_queries(22):
        receive(lines=many(1_000), source=source)


# -- quarantine -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_person_may_take_a_quarantined_line_for_an_address() -> None:
    report = receive("www.forum.example/a.jpg")

    line = decide_quarantined(line_id=report.lines.get().pk, accept=True, by=BY, now=NOON)

    assert line.outcome == "new"
    assert line.notice is not None
    assert line.notice.content.url == "http://www.forum.example/a.jpg"
    assert (line.decided_at, line.decided_by) == (NOON, str(BY))


@pytest.mark.django_db
def test_a_line_accepted_from_quarantine_is_compared_with_what_is_known() -> None:
    NoticeFactory(content__url="http://www.forum.example/a.jpg", notified=True)
    NoticeFactory(content__url="http://www.forum.example/b.jpg", dismissed=True)
    report = receive("www.forum.example/a.jpg", "www.forum.example/b.jpg")

    for line in report.lines.all():
        decide_quarantined(line_id=line.pk, accept=True, by=BY, now=NOON)

    assert outcomes(report) == ["duplicate", "reappeared"]


@pytest.mark.django_db
def test_a_line_left_in_quarantine_is_decided_and_opens_nothing() -> None:
    report = receive("http://10.0.0.1/")

    line = decide_quarantined(line_id=report.lines.get().pk, accept=False, by=BY, now=NOON)

    assert (line.outcome, line.decided_at) == ("quarantined", NOON)
    assert not Notice.objects.exists()


@pytest.mark.django_db
def test_a_line_is_decided_once() -> None:
    report = receive("http://10.0.0.1/", A)
    quarantined, accepted = report.lines.order_by("number")
    decide_quarantined(line_id=quarantined.pk, accept=False, by=BY, now=NOON)

    for line in (quarantined, accepted):
        with pytest.raises(WrongState):
            decide_quarantined(line_id=line.pk, accept=True, by=BY, now=NOON)
    with pytest.raises(NotFound):
        decide_quarantined(line_id=new_id(), accept=True, by=BY, now=NOON)


# -- side by side ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_file_taken_in_four_times_at_once_is_one_report(together: Callable[..., None]) -> None:
    lines = many(3 * BATCH)

    together(*[lambda: receive(lines=lines, digest=b"1" * 32)] * 4)

    report = Report.objects.get()
    assert report.done == report.lines.count() == Notice.objects.count() == 3 * BATCH
    assert Event.objects.filter(act="finish").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_addresses_in_reports_side_by_side_are_new_once(together: Callable[..., None]) -> None:
    lines = many(BATCH + 500)

    together(
        *[lambda n=n: receive(lines=lines[:: -1 if n % 2 else 1], digest=bytes([n]) * 32) for n in range(4)]
    )

    counts = Counter(ReportLine.objects.values_list("outcome", flat=True))
    assert counts == {"new": BATCH + 500, "duplicate": 3 * (BATCH + 500)}
    assert Notice.objects.count() == BATCH + 500


@pytest.mark.django_db(transaction=True)
def test_material_that_comes_back_in_two_reports_at_once_is_one_new_notice(
    together: Callable[..., None],
) -> None:
    NoticeFactory(content__url=A, dismissed=True)

    together(*[lambda: receive(A)] * 4)

    assert Notice.objects.count() == 2
    assert Counter(ReportLine.objects.values_list("outcome", flat=True)) == {"reappeared": 1, "duplicate": 3}
