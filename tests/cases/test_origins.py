"""A CDN is asked which server is behind it; with its answer the notice goes on to who hosts that."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from audit.models import Event
from cases.models import Dispatch, Notice, OriginRequest, Step
from cases.services import origins
from cases.services.refused import Invalid, WrongState
from cases.services.route import route_due
from cases.services.sending import deliver_due
from cases.services.verify import verify
from providers.models import Attribution, Contact, Origin, Provider
from providers.routing import explain
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    NetworkFactory,
    NoticeFactory,
    ProviderFactory,
)
from tests.mailserver import MailServer

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
HOST = "forum.example"


@pytest.fixture
def cdn() -> Provider:
    """198.51.100.0/24 is a CDN's, and abroad, as they are."""
    provider: Provider = ProviderFactory(code="shield", cdn=True, country="US")
    NetworkFactory(prefix="198.51.100.0/24", provider=provider, asn=64510, country="US", name="SHIELD")
    return provider


@pytest.fixture
def hoster(static_resolver: FixedResolver) -> Provider:
    """192.0.2.0/24 is of a hosting provider; the forum itself leads to the CDN."""
    provider: Provider = ProviderFactory()
    NetworkFactory(provider=provider)
    ContactFactory(provider=provider, approved=True)
    static_resolver.know(HOST, "198.51.100.7")
    return provider


def judged(**fields: object) -> Notice:
    """A notice that is judged and not routed yet; nobody has looked up who hosts it."""
    return NoticeFactory(
        **{"assessed_at": NOON - 2 * HOUR, "legal_class": "baseline", "attribution": None, "provider": None}
        | fields
    )


def sweep(resolver: FixedResolver, at: object = NOON) -> None:
    route_due(resolver=resolver, by=SYSTEM, now=at)
    origins.ask_due(by=SYSTEM, now=at)


def now_of(notice: Notice) -> Notice:
    return Notice.objects.select_related("provider", "attribution__behind").get(pk=notice.pk)


def told(server: str = "192.0.2.7", resolver: FixedResolver | None = None, at: object = NOON) -> int:
    """The one question that waits is answered."""
    request = OriginRequest.objects.get(outcome="")
    return origins.answer(
        request_id=request.pk,
        server=server,
        reason="Their reply of 24 November",
        resolver=resolver or FixedResolver(),
        by=SYSTEM,
        now=at,
    )


def test_a_cdn_with_a_contact_is_asked_by_itself_and_no_clock_runs(
    cdn: Provider, hoster: Provider, mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    notice = judged()
    sweep(static_resolver)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)

    (mail,) = mail_server.received
    message = Dispatch.objects.get()
    assert (message.kind, message.state) == (Dispatch.Kind.ORIGIN, Dispatch.State.ACCEPTED)
    assert mail.message["Subject"] == f"[{message.number}] Question: which server is behind your network"
    assert mail.message["Auto-Submitted"] is None  # a person is to answer it
    assert f"{notice.reference}  {HOST}\n" in message.body
    assert "/img/" not in message.body
    after = now_of(notice)
    assert (after.state, after.sent_at, after.notified_at, after.due_at) == ("received", None, None, None)
    assert (after.hold, after.hold_review) == ("contact_review", "cdn_origin")
    assert not Step.objects.exists()
    assert not Notice.objects.of(cdn.pk).exists()  # it is no notice to them


def test_its_answer_leads_the_notice_on_with_both_places_kept_and_explained(
    cdn: Provider, hoster: Provider, mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    notice = judged()
    sweep(static_resolver)
    assert told(resolver=static_resolver) == 1
    sweep(static_resolver)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON + HOUR)

    after = now_of(notice)
    place = after.attribution
    assert place is not None
    assert place.behind is not None
    assert (after.provider, after.state) == (hoster, Notice.State.NOTIFIED)
    assert (place.address, place.country, place.behind.provider) == ("192.0.2.7", "NL", cdn)
    assert place.why == (
        "It stands behind Shield Hosting (198.51.100.0/24 (AS64510, SHIELD)); the server behind it is 192.0.2.7, as we"
        " were told on 2026-11-24. 192.0.2.0/24 (AS64500, ALFA-NET-1) is the most specific network of 192.0.2.7."
    )
    first = Dispatch.objects.get(kind="first")
    assert first.contact.provider == hoster
    assert "Why you: It stands behind Shield Hosting" in " ".join(first.body.split())
    request = OriginRequest.objects.get()
    assert (request.outcome, Origin.objects.get().server) == ("answered", "192.0.2.7")
    said = list(
        Event.objects.filter(subject="notice", subject_id=notice.pk, act__contains="origin").order_by("pk")
    )
    assert [event.act for event in said] == ["ask_origin", "learn_origin"]
    assert verify(lambda _finding: None, now=NOON + HOUR)


def test_why_this_provider_tells_of_both_places_and_keeps_nothing(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    told()
    kept = Attribution.objects.count()

    inquiry = explain(HOST, resolver=static_resolver, by="user:1", now=NOON)

    assert inquiry.answer.provider == hoster
    assert inquiry.answer.behind is not None
    assert inquiry.answer.behind.provider == cdn
    assert {each.name for each in inquiry.heard if each.finding} == {"198.51.100.7", "192.0.2.7"}
    assert {each.name for each in inquiry.heard if each.decides} == {"192.0.2.7"}
    assert Attribution.objects.count() == kept


def test_the_next_notice_of_the_host_asks_nobody(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    told()
    later = judged()
    sweep(static_resolver, NOON + HOUR)

    assert now_of(later).provider == hoster
    assert OriginRequest.objects.count() == 1


def test_an_answer_counts_no_longer_than_the_settings_trust_it(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver, host: Callable[..., None]
) -> None:
    host(origin_max_age=timedelta(days=30))
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    told()
    later = judged()
    sweep(static_resolver, NOON + timedelta(days=30))

    assert now_of(later).hold_review == "cdn_origin"
    assert OriginRequest.objects.get(outcome="").round == 2


def test_a_host_that_has_left_the_cdn_is_found_where_it_is(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    told("203.0.113.9")
    static_resolver.know(HOST, "192.0.2.99")
    later = judged()
    sweep(static_resolver)

    place = now_of(later).attribution
    assert place is not None
    assert (place.address, place.behind) == ("192.0.2.99", None)


def test_many_notices_of_a_host_are_one_question_and_all_go_on(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    notices = [judged() for _ in range(5)]
    static_resolver.know("other.example", "198.51.100.8")
    other = judged(content__url="https://other.example/1.jpg")
    sweep(static_resolver)
    sweep(static_resolver)

    assert OriginRequest.objects.count() == 2
    message = Dispatch.objects.get()
    assert message.lines.count() == 2
    request = OriginRequest.objects.get(notice__in=notices)
    freed = origins.answer(
        request_id=request.pk,
        server="192.0.2.7",
        reason="By telephone",
        resolver=static_resolver,
        by=SYSTEM,
        now=NOON,
    )
    sweep(static_resolver)
    assert freed == 5
    assert {now_of(each).provider_id for each in notices} == {hoster.pk}
    assert now_of(other).hold_review == "cdn_origin"


def test_a_cdn_without_a_contact_is_asked_as_soon_as_it_has_one(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    notice = judged()
    sweep(static_resolver)
    assert not OriginRequest.objects.exists()

    ContactFactory(provider=cdn, unknown=True)
    sweep(static_resolver, NOON + HOUR)

    message = Dispatch.objects.get()
    assert (
        message.approval_reason == Dispatch.Approval.NEW_CONTACT
    )  # the first message to anybody needs a person
    request = OriginRequest.objects.get()
    assert (request.notice, request.due_at) == (notice, NOON + 25 * HOUR)


def test_a_question_is_asked_again_in_a_message_of_its_own(
    cdn: Provider, hoster: Provider, mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)
    request = OriginRequest.objects.get()
    again = origins.ask_again(request_id=request.pk, by=SYSTEM, now=NOON + 24 * HOUR)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON + 24 * HOUR)

    assert (again.round, again.due_at) == (2, NOON + 48 * HOUR)
    assert len(mail_server.received) == 2
    assert sorted(Dispatch.objects.values_list("round", "state")) == [(1, "accepted"), (2, "accepted")]


def test_what_was_answered_meanwhile_is_not_asked(
    cdn: Provider, hoster: Provider, mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    told()
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)

    assert mail_server.received == []
    assert Dispatch.objects.get(kind="origin").state == Dispatch.State.CANCELLED


def test_a_question_that_nobody_waits_for_is_closed(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    from cases.services.assess import dismiss

    ContactFactory(provider=cdn, approved=True)
    notice = judged()
    sweep(static_resolver)
    dismiss(notice_id=notice.pk, because="gone_before_notice", by=SYSTEM, now=NOON)
    sweep(static_resolver)

    assert OriginRequest.objects.get().outcome == "moot"


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("198.51.100.9", "itself"),
        ("10.0.0.1", "no address"),
        ("127.1", "no address"),
        ("localhost", "no address"),
        ("https://origin.example/x", "nothing else"),
        ("a@b.example", "nothing else"),
        ("two words", "nothing else"),
        ("", "nothing else"),
        ("x" * 300, "nothing else"),
    ],
)
def test_what_is_no_server_behind_it_is_refused_in_words(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver, server: str, said: str
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)

    with pytest.raises(Invalid, match=said):
        told(server, static_resolver)
    assert not Origin.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [(" 192.0.2.7 ", "192.0.2.7"), ("2001:DB8::7", "[2001:db8::7]"), ("Origin.Example", "origin.example")],
)
def test_an_address_or_a_name_is_kept_in_one_form(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver, typed: str, kept: str
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    told(typed, static_resolver)

    origin = Origin.objects.get()
    assert (origin.server, origin.host) == (kept, HOST)


def test_an_answer_without_how_we_know_is_none_and_one_is_given_once(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    request = OriginRequest.objects.get()
    with pytest.raises(Invalid, match="how we know"):
        origins.answer(
            request_id=request.pk,
            server="192.0.2.7",
            reason=" ",
            resolver=static_resolver,
            by=SYSTEM,
            now=NOON,
        )
    told()
    with pytest.raises(WrongState):
        origins.answer(
            request_id=request.pk,
            server="192.0.2.7",
            reason="x",
            resolver=static_resolver,
            by=SYSTEM,
            now=NOON,
        )


def test_behind_one_cdn_may_stand_another_and_then_that_is_asked(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    second = ProviderFactory(code="veil", cdn=True)
    NetworkFactory(prefix="203.0.113.0/24", provider=second, asn=64511, name="VEIL")
    ContactFactory(provider=second, approved=True)
    notice = judged()
    sweep(static_resolver)
    told("203.0.113.5")
    sweep(static_resolver)
    assert OriginRequest.objects.get(outcome="").proxy == second
    told("192.0.2.7")
    sweep(static_resolver)

    after = now_of(notice)
    assert after.provider == hoster
    assert after.attribution is not None
    assert (
        Attribution.objects.filter(provider__in=[cdn, second], host_key=after.attribution.host_key).count()
        >= 3
    )


def test_an_origin_abroad_is_dismissed_as_hosted_abroad(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    abroad = ProviderFactory(code="fern", abroad=True)
    NetworkFactory(prefix="203.0.113.0/24", provider=abroad, asn=64511, country="DE", name="FERN")
    notice = judged()
    sweep(static_resolver)
    told("203.0.113.5")
    sweep(static_resolver)

    assert now_of(notice).closed_because == "hosted_abroad"


def test_cancelling_a_question_takes_no_judgement_back(
    cdn: Provider, hoster: Provider, static_resolver: FixedResolver
) -> None:
    from cases.services.outgoing import cancel

    ContactFactory(provider=cdn, approved=True)
    notice = judged()
    sweep(static_resolver)
    cancel(dispatch_id=Dispatch.objects.get().pk, by=SYSTEM, now=NOON)

    assert now_of(notice).assessed_at is not None


def test_a_suspended_cdn_is_asked_nothing(
    cdn: Provider, hoster: Provider, mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    ContactFactory(provider=cdn, approved=True)
    judged()
    sweep(static_resolver)
    Contact.objects.filter(provider=cdn).update(suspended_at=NOON)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)

    assert mail_server.received == []
    assert Dispatch.objects.get().trouble == Dispatch.Trouble.CONTACT


def test_an_old_place_before_there_were_origins_still_explains_itself() -> None:
    assert AttributionFactory().why.startswith("192.0.2.0/24")
