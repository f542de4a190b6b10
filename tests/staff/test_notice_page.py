"""The page of a notice: it shows, and each button calls one service."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from audit.models import Event
from audit.record import Actor, record
from cases.models import Assessment, Notice
from tests.factories import NoticeFactory, ReportLineFactory, SightingFactory
from tests.staff.conftest import Browser

ADDRESS = "https://forum.example/some/where/secret-picture.jpg"

pytestmark = pytest.mark.django_db


def page_of(notice: Notice) -> str:
    return f"/staff/cases/notice/{notice.pk}/change/"


def press(client: Client, notice: Notice, verb: str, **fields: Any) -> Any:
    """Press a button of the notice's page, as the page just showed it."""
    version = Notice.objects.get(pk=notice.pk).version
    return client.post(f"/staff/cases/notice/{notice.pk}/{verb}/", {"version": version} | fields, follow=True)


def acts(notice: Notice) -> list[str]:
    return list(
        Event.objects.filter(subject="notice", subject_id=notice.pk)
        .order_by("pk")
        .values_list("act", flat=True)
    )


@pytest.mark.parametrize(
    ("trait", "verb", "fields", "state"),
    [
        ("attributed", "assess", {"legal_class": "baseline"}, "received"),
        ("attributed", "assess", {"legal_class": "not_illegal", "reason": "adult"}, "dismissed"),
        ("attributed", "hold", {"kind": "police_first", "reason": "A new victim", "hours": "24"}, "received"),
        ("held", "release", {}, "received"),
        ("attributed", "dismiss", {"because": "hosted_abroad"}, "dismissed"),
        ("routed", "take_back", {}, "received"),
        ("notified", "withdraw", {"because": "wrong_provider"}, "withdrawn"),
        ("escalated", "withdraw", {"because": "objection_upheld"}, "withdrawn"),
    ],
)
def test_a_button_calls_its_service_and_leaves_a_line_in_the_audit(
    in_charge: Client, supervisor: User, trait: str, verb: str, fields: dict[str, str], state: str
) -> None:
    notice = NoticeFactory(**{trait: True})

    answer = press(in_charge, notice, verb, **fields)

    assert answer.status_code == 200
    assert Notice.objects.get(pk=notice.pk).state == state
    last = Event.objects.filter(subject="notice", subject_id=notice.pk).order_by("-pk")[0]
    assert (last.act, last.actor) == (verb, f"user:{supervisor.pk}")
    assert b"message--success" in answer.content


def test_a_state_cannot_be_set_by_a_hidden_field(at_work: Client) -> None:
    notice = NoticeFactory(attributed=True)

    press(
        at_work,
        notice,
        "assess",
        legal_class="baseline",
        state="removed",
        closed_because="duplicate",
        removed_at="2026-01-01",
        by="system:evil",
    )

    notice = Notice.objects.get(pk=notice.pk)
    assert (notice.state, notice.closed_because, notice.removed_at) == ("received", "", None)
    assert Assessment.objects.get(notice=notice).assessor.name == "Noor"


def test_the_page_itself_takes_nothing(at_work: Client) -> None:
    notice = NoticeFactory(attributed=True)

    assert at_work.post(page_of(notice), {"state": "removed"}).status_code == 405


def test_whoever_is_late_is_told_who_was_first_and_when(
    at_work: Client, browser: Browser, supervisor: User
) -> None:
    notice = NoticeFactory(attributed=True)
    seen = Notice.objects.get(pk=notice.pk).version
    press(browser(supervisor), notice, "assess", legal_class="baseline")

    answer = at_work.post(
        f"/staff/cases/notice/{notice.pk}/assess/",
        {"version": seen, "legal_class": "not_illegal", "reason": "adult"},
        follow=True,
    )

    text = answer.content.decode()
    assert "Sam was first: “Judged”" in text
    assert re.search(r"“Judged” \(\d+ \w+ \d\d:\d\d:\d\d UTC\)", text)
    assert Notice.objects.get(pk=notice.pk).legal_class == "baseline"


def test_a_look_by_somebody_else_is_no_reason_to_refuse(at_work: Client, in_charge: Client) -> None:
    notice = NoticeFactory(attributed=True)
    seen = Notice.objects.get(pk=notice.pk).version
    in_charge.post(f"/staff/cases/notice/{notice.pk}/reveal/", {"reason": "check"})

    at_work.post(f"/staff/cases/notice/{notice.pk}/assess/", {"version": seen, "legal_class": "baseline"})

    assert Notice.objects.get(pk=notice.pk).legal_class == "baseline"


def test_a_judgement_without_its_reason_stays_on_the_page(at_work: Client) -> None:
    notice = NoticeFactory(attributed=True)

    answer = press(at_work, notice, "assess", legal_class="not_illegal")

    assert answer.status_code == 422
    assert "Say why it is not illegal" in answer.content.decode()
    assert Notice.objects.get(pk=notice.pk).assessed_at is None


def test_a_refusal_is_shown_in_words(in_charge: Client) -> None:
    notice = NoticeFactory(removed=True)

    answer = press(in_charge, notice, "withdraw", because="moved")

    assert "cannot be done with a notice in this state" in answer.content.decode()
    assert Notice.objects.get(pk=notice.pk).state == "removed"


def test_only_a_supervisor_is_offered_to_withdraw(at_work: Client, in_charge: Client) -> None:
    notice = NoticeFactory(notified=True)

    assert "/withdraw/" not in at_work.get(page_of(notice)).content.decode()
    assert "/withdraw/" in in_charge.get(page_of(notice)).content.decode()


def test_an_address_is_in_no_page_before_it_is_revealed_and_never_a_link(at_work: Client) -> None:
    notice = NoticeFactory(notified=True, content__url=ADDRESS)
    ReportLineFactory(notice=notice, note=f"look at {ADDRESS} or hxxps://forum[.]example/x please")

    for address in (page_of(notice), "/staff/cases/notice/", "/staff/cases/notice/?due=over"):
        page = at_work.get(address).content.decode()
        assert "secret-picture" not in page
        assert "forum[.]example" not in page
        assert "forum.example/…re.jpg" in page or "due" in address

    shown = at_work.post(f"/staff/cases/notice/{notice.pk}/reveal/", {"reason": "judge"})
    text = shown.content.decode()
    assert f'<code class="revealed">{ADDRESS}</code>' in text
    assert not re.search(r'(href|src|action)="[^"]*secret-picture', text)
    assert "secret-picture" not in at_work.get(page_of(notice)).content.decode()


def test_a_reveal_is_written_down_with_its_reason_and_without_the_address(
    at_work: Client, analyst: User
) -> None:
    notice = NoticeFactory(notified=True, content__url=ADDRESS)

    at_work.post(f"/staff/cases/notice/{notice.pk}/reveal/", {"reason": "police"})

    event = Event.objects.get(act="reveal", subject="notice", subject_id=notice.pk)
    assert (event.actor, event.data) == (f"user:{analyst.pk}", {"reason": "police"})


@pytest.mark.parametrize("reason", ["", "because I say so", ADDRESS])
def test_nothing_is_revealed_without_one_of_the_reasons(at_work: Client, reason: str) -> None:
    notice = NoticeFactory(notified=True, content__url=ADDRESS)

    answer = at_work.post(f"/staff/cases/notice/{notice.pk}/reveal/", {"reason": reason}, follow=True)

    assert "secret-picture" not in answer.content.decode()
    assert "reveal" not in acts(notice)


def test_a_reporters_words_are_shown_as_text(at_work: Client) -> None:
    notice = NoticeFactory(attributed=True)
    ReportLineFactory(notice=notice, note="<script>alert(1)</script> {{ 7 }} terrible")

    text = at_work.get(page_of(notice)).content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 }} terrible" in text
    assert "<details" in text.partition("terrible")[0].rpartition("<li>")[2]


def test_the_clock_explains_itself(at_work: Client) -> None:
    notice = NoticeFactory(notified=True)

    text = " ".join(at_work.get(page_of(notice)).content.decode().split())

    assert "Why is this due then?" in text
    assert "Rule 1 gives 24 h 0 min" in text
    assert "25 Nov 2026, 12:00" in text


def test_the_history_tells_what_happened_in_sentences(at_work: Client) -> None:
    notice = NoticeFactory(escalated=True)
    SightingFactory(notice=notice, outcome="online")

    text = at_work.get(page_of(notice)).content.decode()

    for sentence in (
        "It came in",
        "It arrived at the provider: the clock starts",
        "The term ended without proven removal",
        "What we see: online",
        "Their server accepted",
    ):
        assert sentence in text


def test_the_page_asks_the_database_as_often_for_a_long_history_as_for_a_short_one(at_work: Client) -> None:
    def queries(notice: Notice) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert at_work.get(page_of(notice)).status_code == 200
        return len(asked)

    short, long = NoticeFactory(escalated=True), NoticeFactory(escalated=True)
    for hours in range(30):
        SightingFactory(
            notice=long,
            seen_at=timezone.now() - timedelta(hours=hours),
            outcome=("online", "unknown")[hours % 2],
        )
        ReportLineFactory(notice=long, number=hours + 1)
    queries(short)

    # Three of them for what passed between the provider and us: messages, whom it was passed on to, objections.
    assert queries(long) == queries(short) <= 24


@pytest.mark.parametrize("number", ["0", "x", "9" * 30, "1' OR 1=1", "-1"])
def test_a_notice_that_does_not_exist_is_not_found(at_work: Client, number: str) -> None:
    assert at_work.get(f"/staff/cases/notice/{number}/change/").status_code == 404


def test_what_a_providers_system_asks_again_and_again_is_one_line(at_work: Client) -> None:
    notice = NoticeFactory(notified=True)
    began = timezone.now() - timedelta(hours=3)
    person, machine = Actor("user", "1"), Actor("key", "1")
    for minutes, by in enumerate((machine, machine, person, person, machine, machine, machine)):
        record("reveal", "notice", notice.pk, by=by, at=began + timedelta(minutes=minutes))

    told = at_work.get(page_of(notice)).context["timeline"]

    revealed = [entry for entry in told if entry["at"] >= began]
    assert [entry["detail"] for entry in revealed] == [
        f"3 times since {began + timedelta(minutes=4):%Y-%m-%d %H:%M} UTC",
        "",
        "",
        f"2 times since {began:%Y-%m-%d %H:%M} UTC",
    ]
