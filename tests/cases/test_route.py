"""From judged to a place in the outbox, or to a person with a reason in words."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from cases.models import Dispatch, DispatchLine, Notice
from cases.services import assess, route
from providers.models import Attribution, Contact
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    HolderRuleFactory,
    HostRuleFactory,
    NetworkFactory,
    NoticeFactory,
    ProviderFactory,
    RegistrationFactory,
)

MINUTE = timedelta(minutes=1)
Run = Callable[..., int]


@pytest.fixture
def run(static_resolver: FixedResolver) -> Run:
    """One pass of the sweep of routes."""

    def sweep(at: datetime = NOON) -> int:
        looked = route.attribute_new(resolver=static_resolver, by=SYSTEM, now=at)
        return looked + route.route_due(resolver=static_resolver, by=SYSTEM, now=at)

    return sweep


def now_of(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)


def judged(**fields: Any) -> Notice:
    """A notice that is judged illegal; alfa hosts it and has a contact."""
    ContactFactory(approved=True)
    return NoticeFactory(**{"assessed": True, **fields})


@pytest.mark.django_db
def test_a_judged_notice_goes_on_a_message_that_waits_for_its_grouping_window(run: Run) -> None:
    notice = judged()

    assert run() == 1

    line = DispatchLine.objects.get(notice=notice)
    assert (line.step, line.dispatch.state, line.dispatch.kind) == ("first", "pending", "first")
    assert line.dispatch.next_attempt_at == NOON + timedelta(minutes=10)
    assert now_of(notice).routed_at == NOON
    assert line.dispatch.message_id.startswith(f"<{line.dispatch.number.lower()}.")
    assert line.dispatch.message_id.endswith("@hotline.example>")
    assert run() == 0


@pytest.mark.django_db
def test_notices_for_one_contact_gather_until_their_message_is_claimed(run: Run) -> None:
    from cases.services.sending import claim

    first = judged()
    run()
    second = judged()
    run(NOON + 5 * MINUTE)

    gathering = Dispatch.objects.get()
    assert {line.notice for line in gathering.lines.all()} == {first, second}
    # Each that joins has its whole window.
    assert gathering.next_attempt_at == NOON + 15 * MINUTE

    claim(now=NOON + 15 * MINUTE, limit=1)
    third = judged()
    run(NOON + 16 * MINUTE)
    assert third.dispatch_lines.get().dispatch != gathering


@pytest.mark.django_db
def test_an_urgent_notice_closes_the_window_at_once(run: Run) -> None:
    waiting = judged()
    run()
    urgent = judged(urgent=True)
    run(NOON + MINUTE)

    dispatch = urgent.dispatch_lines.get().dispatch
    assert dispatch == waiting.dispatch_lines.get().dispatch
    assert (dispatch.next_attempt_at, dispatch.gathering) == (NOON + MINUTE, False)


@pytest.mark.django_db
def test_a_message_is_split_above_its_number_of_lines(run: Run, host: Callable[..., None]) -> None:
    host(lines_per_message=2)
    for _ in range(5):
        judged()
    run()

    assert sorted(each.lines.count() for each in Dispatch.objects.all()) == [1, 2, 2]


@pytest.mark.django_db
def test_every_message_has_a_number_and_a_message_id_of_its_own(run: Run) -> None:
    for code in ("alfa", "beta", "gamma"):
        provider = ProviderFactory(code=code)
        ContactFactory(provider=provider, approved=True)
        NoticeFactory(assessed=True, provider=provider)
    run()

    dispatches = list(Dispatch.objects.order_by("pk"))
    assert len({each.number for each in dispatches}) == len({each.message_id for each in dispatches}) == 3
    assert all(each.number.startswith("NTD-2026-") for each in dispatches)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("contact", "reason"), [({"unknown": True}, "new_contact"), ({"approved": True}, "")]
)
def test_the_first_message_to_a_contact_asks_for_a_person(
    run: Run, contact: dict[str, bool], reason: str
) -> None:
    ContactFactory(**contact)
    NoticeFactory(assessed=True)
    run()

    assert Dispatch.objects.get().approval_reason == reason


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "contact", "review"),
    [
        ({"provider": None, "attribution__nobody": True}, {}, "nobody_found"),
        ({"provider__cdn": True}, {"approved": True}, "cdn_origin"),
        ({}, None, "no_contact"),
        ({}, {}, "no_contact"),
        ({}, {"suspended": True}, "no_contact"),
        ({}, {"approved": True, "role": "legal"}, "no_contact"),
    ],
    ids=["nobody", "cdn", "no contact", "not approved", "suspended", "for something else"],
)
def test_what_cannot_be_routed_is_held_for_a_person_with_the_reason(
    run: Run, fields: dict[str, Any], contact: dict[str, Any] | None, review: str
) -> None:
    notice = NoticeFactory(assessed=True, **fields)
    if contact is not None:
        ContactFactory(**contact)
    run()

    held = now_of(notice)
    assert (held.hold, held.hold_review, held.hold_by) == ("contact_review", review, str(SYSTEM))
    assert held.hold_words
    assert list(Notice.objects.held(now=NOON + timedelta(days=365))) == [held]
    assert not Dispatch.objects.exists()
    assert run() == 0


@pytest.mark.django_db
def test_released_after_a_review_a_notice_is_looked_up_anew(run: Run) -> None:
    notice = NoticeFactory(assessed=True, provider=None, attribution__nobody=True)
    ContactFactory(approved=True)
    run()
    HostRuleFactory()  # the person found out who it is

    assess.release(notice_id=notice.pk, by=SYSTEM, now=NOON + MINUTE)
    run(NOON + MINUTE)

    assert now_of(notice).routed_at == NOON + MINUTE
    assert now_of(notice).provider == Contact.objects.get().provider


@pytest.mark.django_db
def test_what_is_hosted_abroad_is_dismissed_and_nobody_is_told(run: Run) -> None:
    notice = judged(attribution__abroad=True)
    run()

    assert (now_of(notice).state, now_of(notice).closed_because) == ("dismissed", "hosted_abroad")
    assert not Dispatch.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("until", "routed"), [(NOON, True), (NOON + MINUTE, False)])
def test_a_held_notice_waits_for_the_end_of_its_hold(run: Run, until: datetime, routed: bool) -> None:
    notice = judged(held=True, hold_until=until)
    run()

    assert (now_of(notice).routed_at is not None) is routed
    assert (now_of(notice).hold == "") is routed


@pytest.mark.django_db
def test_a_notice_that_is_not_judged_is_attributed_and_goes_nowhere(
    run: Run, static_resolver: FixedResolver
) -> None:
    network = NetworkFactory()
    notice = NoticeFactory()
    run()

    assert now_of(notice).provider == network.provider
    assert now_of(notice).routed_at is None


@pytest.mark.django_db
def test_the_first_approved_contact_is_used(run: Run) -> None:
    ContactFactory(suspended=True, address="old@alfa.example")
    second = ContactFactory(approved=True, address="second@alfa.example")
    ContactFactory(approved=True, address="third@alfa.example")
    NoticeFactory(assessed=True)
    run()

    assert Dispatch.objects.get().contact == second


@pytest.mark.django_db
def test_an_old_attribution_is_made_again_before_it_is_acted_on(
    run: Run, static_resolver: FixedResolver
) -> None:
    notice = judged(attribution__at=NOON - timedelta(hours=12))
    beta = ProviderFactory(code="beta")
    contact = ContactFactory(provider=beta, approved=True)
    NetworkFactory(provider=beta)
    run()

    assert now_of(notice).provider == beta
    assert Dispatch.objects.get().contact == contact


@pytest.mark.django_db
def test_silent_name_servers_are_asked_again_for_an_hour_and_then_a_person_looks(
    run: Run, static_resolver: FixedResolver
) -> None:
    NetworkFactory()
    notice = judged(
        assessed_at=NOON,
        provider=None,
        attribution=AttributionFactory(nobody=True, trouble=Attribution.Trouble.NO_ANSWER, at=NOON),
    )
    static_resolver.be_silent("forum.example")

    run(NOON + timedelta(seconds=30))
    assert static_resolver.asked == []
    run(NOON + 30 * MINUTE)
    assert static_resolver.asked == ["forum.example"]
    assert (now_of(notice).hold, now_of(notice).routed_at) == ("", None)

    run(NOON + 60 * MINUTE)
    assert now_of(notice).hold_review == "nobody_found"


@pytest.mark.django_db
def test_what_a_registry_is_still_to_be_asked_waits_ten_minutes_and_then_a_person_looks(
    run: Run, static_resolver: FixedResolver, settings: Settings
) -> None:
    settings.HOST = dataclasses.replace(settings.HOST, rdap="on")
    static_resolver.know("forum.example", "203.0.113.9")
    notice = judged(assessed_at=NOON, provider=None, attribution=None)

    run()
    run(NOON + 9 * MINUTE)
    assert (now_of(notice).routed_at, now_of(notice).hold) == (None, "")
    assert Attribution.objects.latest("at").trouble == "asking"

    run(NOON + 10 * MINUTE)
    assert now_of(notice).hold_review == "nobody_found"


@pytest.mark.django_db
def test_what_a_registry_has_answered_meanwhile_is_routed_by_a_persons_word_on_the_holder(
    run: Run, static_resolver: FixedResolver, settings: Settings
) -> None:
    settings.HOST = dataclasses.replace(settings.HOST, rdap="on")
    static_resolver.know("forum.example", "203.0.113.9")
    HolderRuleFactory()
    notice = judged(assessed_at=NOON, provider=None, attribution=None)

    run()
    RegistrationFactory(prefix="203.0.113.0/24", asked_at=NOON)
    run(NOON + MINUTE)

    assert now_of(notice).routed_at == NOON + MINUTE
    assert Attribution.objects.latest("at").source == "rdap"


@pytest.mark.django_db
def test_name_servers_that_answer_again_let_a_notice_go_on(run: Run, static_resolver: FixedResolver) -> None:
    NetworkFactory()
    notice = judged(
        assessed_at=NOON,
        provider=None,
        attribution=AttributionFactory(nobody=True, trouble=Attribution.Trouble.NO_ANSWER, at=NOON),
    )
    run(NOON + MINUTE)

    assert now_of(notice).routed_at == NOON + MINUTE


@pytest.mark.django_db
def test_a_host_that_does_not_open_holds_its_neighbours_up_nowhere(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    network = NetworkFactory()
    broken, fine = NoticeFactory(), NoticeFactory()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_content SET host_sealed = '\\x00' WHERE id = %s", [broken.content_id])
    run()

    assert now_of(fine).provider == network.provider
    assert now_of(broken).attribution is None
    assert str(broken.content_id) in caplog.text


@pytest.mark.django_db
def test_what_was_sent_keeps_its_provider_whatever_is_found_later(static_resolver: FixedResolver) -> None:
    NetworkFactory(provider=ProviderFactory(code="beta"))
    notices = [
        NoticeFactory(**{trait: True}, attribution__at=NOON - timedelta(days=3))
        for trait in ("sent", "notified", "escalated")
    ]
    before = [(each.provider_id, each.attribution_id) for each in notices]

    route.refresh_attributions([n.pk for n in notices], resolver=static_resolver, by=SYSTEM, now=NOON)

    assert [(now_of(each).provider_id, now_of(each).attribution_id) for each in notices] == before


@pytest.mark.django_db
def test_a_web_servers_clock_that_runs_ahead_stops_no_routing(run: Run) -> None:
    ahead = NOON + 2 * timedelta(hours=1)
    notice = judged(assessed_at=ahead)
    neighbour = judged()
    run()

    assert now_of(notice).routed_at == ahead
    assert now_of(neighbour).routed_at == NOON
