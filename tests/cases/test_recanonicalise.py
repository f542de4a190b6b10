"""A newer rule of the canonical form over stored texts: what changes, what a person must look at."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from cases import url as urls
from cases.models import Content, Notice, Rereading
from cases.services import recanonicalise as services
from cases.services.receive import Line, receive
from providers.routing import host_key
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContentFactory,
    NoticeFactory,
    ReportLineFactory,
    SourceFactory,
)

pytestmark = pytest.mark.django_db
OLDER = urls.RULE_VERSION - 1
A = "http://forum.example/%%361"
#: What the rule made of A before it was mended.
A_ONCE = "http://forum.example/%61"


def old(raw: str, canonical: str = "", host: str = "forum.example") -> Content:
    """Content as an older rule read it."""
    parsed = urls.Parsed(raw=raw, canonical=canonical or raw, host=host, rule_version=OLDER)
    content = Content.of(parsed, now=NOON)
    content.save(force_insert=True)
    return content


def reread(**more: Any) -> services.Tally:
    return services.recanonicalise(by=SYSTEM, now=NOON, **more)


def again(content: Content) -> Content:
    return Content.objects.get(pk=content.pk)


def test_what_reads_the_same_only_gets_the_version_of_today() -> None:
    content = old("http://forum.example/b.jpg")

    tally = reread()

    assert tally.counts == {"unchanged": 1}
    assert again(content).rule_version == urls.RULE_VERSION
    assert again(content).url == "http://forum.example/b.jpg"
    assert not Event.objects.filter(subject="notice").exists()


def test_another_form_is_written_with_its_key_and_told_with_the_notice() -> None:
    content = old(A, A_ONCE)
    notice = NoticeFactory(content=content, notified=True)

    tally = reread()

    assert tally.counts == {"changed": 1}
    read = again(content)
    assert (read.url, read.raw, read.host) == (A, A, "forum.example")
    assert (bytes(read.url_key), read.rule_version) == (Content.key_of(A), urls.RULE_VERSION)
    told = Event.objects.filter(subject="notice", subject_id=notice.pk).latest("pk")
    assert (told.act, told.data) == ("recanonicalise", {"rule": urls.RULE_VERSION})
    summary = Event.objects.get(subject="rule", act="recanonicalise")
    assert (summary.subject_id, summary.data) == (urls.RULE_VERSION, {"changed": 1})
    assert "forum.example" not in f"{told.data} {summary.data}"


def test_a_report_of_the_same_text_finds_the_content_in_its_new_form() -> None:
    notice = NoticeFactory(content=old(A, A_ONCE))
    reread()

    report = receive(source=SourceFactory(), way="form", lines=[Line(A)], by=SYSTEM, now=NOON)

    assert [(line.outcome, line.notice) for line in report.lines.all()] == [("duplicate", notice)]


def test_two_contents_are_never_joined_but_marked_for_a_person() -> None:
    there = ContentFactory(url=A)
    content = old(A, A_ONCE)

    tally = reread()

    assert tally.counts == {"joins": 1}
    assert (again(content).url, again(content).rule_version) == (A_ONCE, OLDER)
    mark = Rereading.objects.get()
    assert (mark.content, mark.other, mark.outcome, mark.rule_version) == (
        content,
        there,
        "joins",
        urls.RULE_VERSION,
    )


def test_of_two_old_forms_of_one_address_the_first_gets_the_new_one() -> None:
    first, second = sorted((old(A, A_ONCE), old(f"{A}#b", f"{A_ONCE}?")), key=lambda content: content.pk)

    for dry_run in (True, False):
        tally = reread(dry_run=dry_run)
        assert tally.counts == {"changed": 1, "joins": 1}
        assert [(left.content_id, left.other_id) for left in tally.left] == [(second.pk, first.pk)]
    assert again(first).url == A
    assert again(second).url == second.url


def test_what_is_refused_or_put_aside_now_keeps_its_form_and_is_marked() -> None:
    refused, aside = (
        old("http://a..b.example/", host="a..b.example"),
        old("http://printer.local/", host="printer.local"),
    )

    tally = reread()

    assert tally.counts == {"refused": 1, "quarantined": 1}
    marks = {mark.content: (mark.outcome, mark.reason) for mark in Rereading.objects.all()}
    assert marks == {refused: ("refused", "bad_host"), aside: ("quarantined", "local_name")}
    assert {again(refused).rule_version, again(aside).rule_version} == {OLDER}


def test_what_a_person_took_out_of_quarantine_needs_no_second_yes() -> None:
    content = old("http://printer.local/x#y", "http://printer.local/x#", host="printer.local")
    ReportLineFactory(notice=NoticeFactory(content=content), decided_at=NOON, decided_by="user:1")

    assert reread().counts == {"changed": 1}
    assert again(content).url == "http://printer.local/x"


def test_a_text_that_does_not_open_is_listed_and_stops_nothing() -> None:
    content = old("http://forum.example/b.jpg")
    other = old("http://forum.example/c.jpg")
    Content.objects.filter(pk=content.pk).update(raw_sealed=other.raw_sealed)

    assert reread().counts == {"sealed": 1, "unchanged": 1}


def test_a_new_host_is_looked_up_anew_while_nobody_was_told() -> None:
    content = old("http://b.example/", "http://forum.example/", host="forum.example")
    notice = NoticeFactory(content=content, attribution=AttributionFactory())

    assert reread().counts == {"changed": 1}
    assert bytes(again(content).host_key) == host_key("b.example")
    moved = Notice.objects.get(pk=notice.pk)
    assert (moved.attribution, moved.provider) == (None, None)
    assert Event.objects.filter(subject="notice", subject_id=notice.pk, act="recanonicalise").count() == 1


def test_a_new_host_waits_for_a_person_once_somebody_was_told() -> None:
    content = old("http://b.example/", "http://forum.example/", host="forum.example")
    NoticeFactory(content=content, notified=True)

    assert reread().counts == {"other_host": 1}
    assert again(content).host == "forum.example"


def test_a_dry_run_counts_the_same_and_changes_nothing() -> None:
    for number in range(3):
        old(f"{A}{number}", f"{A_ONCE}{number}")
    old("http://a..b.example/", host="a..b.example")
    before = list(Content.objects.order_by("pk").values_list())

    dry = reread(dry_run=True)

    assert list(Content.objects.order_by("pk").values_list()) == before
    assert not Rereading.objects.exists()
    assert not Event.objects.filter(act="recanonicalise").exists()
    assert reread().counts == dry.counts == {"changed": 3, "refused": 1}


def test_a_second_run_tries_only_what_was_left_and_takes_the_mark_away_when_it_fits() -> None:
    there = ContentFactory(url=A)
    old("http://forum.example/b.jpg")
    content = old(A, A_ONCE)
    assert reread().counts == {"unchanged": 1, "joins": 1}

    assert reread().counts == {"joins": 1}
    assert Rereading.objects.count() == 1

    Rereading.objects.update(other=content)  # or the mark would keep it
    there.delete()
    assert reread().counts == {"changed": 1}
    assert not Rereading.objects.exists()
    assert reread().counts == {}


def test_broken_off_it_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    contents = [old(f"{A}{number}", f"{A_ONCE}{number}") for number in range(5)]

    def stop(done: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reread(progress=stop)
    assert Content.objects.filter(rule_version=urls.RULE_VERSION).count() == 4

    assert reread().counts == {"changed": 1}
    assert [again(content).url for content in contents] == [f"{A}{number}" for number in range(5)]


def test_a_batch_of_50_asks_the_database_as_often_as_one_of_5() -> None:
    asked = []
    for count in (5, 50):
        for number in range(count):
            NoticeFactory(content=old(f"{A}{count}/{number}", f"{A_ONCE}{count}/{number}"))
        with CaptureQueriesContext(connection) as queries:
            reread()
        asked.append(len(queries))

    assert asked[0] == asked[1]


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_command_prints_counts_and_references_and_no_address(dry_run: bool) -> None:
    one = NoticeFactory(content=ContentFactory(url=A))
    other = NoticeFactory(content=old(A, A_ONCE))
    NoticeFactory(content=old("http://a..b.example/", host="a..b.example"), reference="N-REFUSED000")
    out, err = StringIO(), StringIO()

    call_command("recanonicalise", dry_run=dry_run, stdout=out, stderr=err)

    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[:7] == [
        "unchanged 0",
        "changed 0",
        "joins 1",
        "other_host 0",
        "refused 1",
        "quarantined 0",
        "sealed 0",
    ]
    assert set(lines[7:]) == {f"joins {other.reference} {one.reference}", "refused N-REFUSED000 bad_host"}
    assert f"2 of 2 addresses, rule {urls.RULE_VERSION}" in err.getvalue()
    assert ("nothing was stored" in err.getvalue()) is dry_run
    assert "example" not in out.getvalue() + err.getvalue()
