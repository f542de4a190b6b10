"""Why is this due then, and how long did we take ourselves: the clocks on the page of a notice."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases.models import Notice
from cases.services import clocks, ladder, rules
from takedown import health
from tests.factories import HOUR, SYSTEM, NoticeFactory, StepFactory

pytestmark = pytest.mark.django_db


def words(client: Client, notice: Notice) -> str:
    """What a reader sees of the page, in one line."""
    page = client.get(f"/staff/cases/notice/{notice.pk}/change/").content.decode()
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@pytest.mark.parametrize(
    ("notified_at", "started", "ended", "remark"),
    [
        (
            datetime(2026, 10, 24, 12, tzinfo=UTC),
            "24 Oct 2026, 12:00:00 UTC (14:00 Amsterdam)",
            "25 Oct 2026, 12:00:00 UTC (13:00 Amsterdam)",
            "the clocks in Amsterdam go back by 1 h 0 min",
        ),
        (
            datetime(2027, 3, 27, 12, tzinfo=UTC),
            "27 Mar 2027, 12:00:00 UTC (13:00 Amsterdam)",
            "28 Mar 2027, 12:00:00 UTC (14:00 Amsterdam)",
            "the clocks in Amsterdam go forward by 1 h 0 min",
        ),
        (
            datetime(2026, 11, 24, 12, tzinfo=UTC),
            "24 Nov 2026, 12:00:00 UTC (13:00 Amsterdam)",
            "25 Nov 2026, 12:00:00 UTC (13:00 Amsterdam)",
            "",
        ),
    ],
    ids=["winter time begins", "summer time begins", "an ordinary day"],
)
def test_the_sum_is_shown_in_both_zones_and_says_when_the_clocks_change(
    in_charge: Client, notified_at: datetime, started: str, ended: str, remark: str
) -> None:
    notice = NoticeFactory(notified=True, notified_at=notified_at)
    # End to end: not a moment before, and then at once, whatever the clock on the wall does.
    assert ladder.run_out_due(by=SYSTEM, now=notified_at + 24 * HOUR - timedelta(microseconds=1)) == 0
    assert ladder.run_out_due(by=SYSTEM, now=notified_at + 24 * HOUR) == 1
    assert Notice.objects.get(pk=notice.pk).escalated_at == notified_at + 24 * HOUR

    said = words(in_charge, notice)

    assert re.search(re.escape(f"{started} + 24 h 0 min = {ended}").replace(r"\ ", " *"), said), said
    assert remark in said
    assert ("clocks in Amsterdam go" in said) is bool(remark)


def test_what_started_the_clock_is_named(in_charge: Client) -> None:
    now = timezone.now()
    by_server = NoticeFactory(notified=True, notified_at=now - HOUR)
    number = by_server.dispatch_lines.get().dispatch.number
    by_relay = NoticeFactory(notified=True, notified_at=now - HOUR, notified_estimated=True)
    by_portal = NoticeFactory(sent=True, received_at=now - 9 * HOUR, assessed_at=now - 8 * HOUR,
                              routed_at=now - 7 * HOUR, sent_at=now - 6 * HOUR)  # fmt: skip
    clocks.shown(notice_id=by_portal.pk, by=SYSTEM, now=now)

    said = words(in_charge, by_server)
    assert "Their server accepted it:" in said
    assert f"{number} : “250 OK”" in said
    assert re.search(r"Rule 1 gives 24 h 0 min; it counts for clocks that start from \d", said)
    relayed = words(in_charge, by_relay)
    assert "Our own relay took it:" in relayed
    assert "Estimated: only our own relay's acceptance is known." in relayed
    assert "The portal showed it to somebody of theirs:" in words(in_charge, by_portal)


def test_a_new_rule_shows_on_later_notices_and_leaves_the_others_as_they_were(in_charge: Client) -> None:
    now = timezone.now()
    before = NoticeFactory(notified=True, notified_at=now - HOUR)
    rules.set_term(term=12 * HOUR, valid_from=now, by=SYSTEM, now=now)
    after = NoticeFactory(sent=True, received_at=now - 9 * HOUR, assessed_at=now - 8 * HOUR,
                          routed_at=now - 7 * HOUR, sent_at=now - 6 * HOUR)  # fmt: skip
    clocks.shown(notice_id=after.pk, by=SYSTEM, now=now)

    assert "Rule 1 gives 24 h 0 min" in words(in_charge, before)
    assert "Rule 2 gives 12 h 0 min" in words(in_charge, after)
    hint, later = (each.steps.get(code="hint").due_at for each in (before, after))
    assert (hint, later) == (now + 19 * HOUR, now + 10 * HOUR)


def test_the_ladder_says_who_sees_to_a_step_or_who_is_asked(in_charge: Client, supervisor: Any) -> None:
    notice = NoticeFactory(escalated=True, notified_at=timezone.now() - 50 * HOUR)
    call = StepFactory(notice=notice, code="call", taken_at=timezone.now(), sooner="refused")
    assert "the provider refuses; asked of: supervisor" in words(in_charge, notice)

    ladder.acknowledge_step(step_id=call.pk, by=SYSTEM.of(supervisor), now=timezone.now())

    assert "the provider refuses; Sam sees to it" in words(in_charge, notice)


# -- our own clocks -------------------------------------------------------------------------------------


def waits(client: Client, code: str) -> list[Notice]:
    """The rows that a queue opens."""
    return list(client.get(f"/staff/cases/notice/?waits={code}").context["rows"])


def test_our_own_delay_stands_beside_the_providers_clock_and_touches_nothing_of_it(in_charge: Client) -> None:
    now = timezone.now()
    slow = NoticeFactory(notified=True, notified_at=now - HOUR, received_at=now - 30 * HOUR,
                         assessed_at=now - 4 * HOUR)  # fmt: skip

    said = words(in_charge, slow)

    assert re.search(r"to judge it 26 h 0 min +late", said)
    assert re.search(r"to bring it to them 3 h 0 min +late", said)
    assert slow.due_at == now + 23 * HOUR


def test_what_is_late_with_us_raises_an_alarm_and_opens_from_a_counter(in_charge: Client) -> None:
    now = timezone.now()
    NoticeFactory(attributed=True, received_at=now - 23 * HOUR)
    unjudged = NoticeFactory(attributed=True, received_at=now - 25 * HOUR)
    NoticeFactory(assessed=True, received_at=now - 3 * HOUR, assessed_at=now - HOUR)
    unsent = NoticeFactory(assessed=True, received_at=now - 9 * HOUR, assessed_at=now - 3 * HOUR)
    over = NoticeFactory(attributed=True, held=True, hold_until=now - 2 * HOUR, received_at=now - 20 * HOUR)
    NoticeFactory(attributed=True, held=True, hold_until=now + HOUR, received_at=now - 30 * HOUR)

    counters = {
        each.href.rpartition("=")[2]: each for each in in_charge.get("/staff/overdue/").context["counters"]
    }
    for code, notice in (("judged_late", unjudged), ("arrives_late", unsent), ("hold_ended", over)):
        assert [row.pk for row in waits(in_charge, code)] == [notice.pk], code
        assert (counters[code].count, counters[code].oldest is not None) == (1, True)

    checks = health.checks()
    late = ("oldest_late_judgement", "oldest_late_arrival", "oldest_ended_hold")
    assert [round((checks[name].age or timedelta(0)) / HOUR) for name in late] == [1, 1, 2]
    assert checks["oldest_late_arrival"].status == health.DEGRADED
