"""The page of a message: opened by the link in its mail, answered on by a press, and by nothing else."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Bucket, Session, User
from audit.models import Event
from audit.record import Actor
from cases.models import Dispatch, DispatchLine, Link, Notice, Reply, SystemMail
from cases.services import links, looking, observe, system_mail
from cases.services.sending import deliver_due
from cases.services.withdraw import withdraw
from providers.models import Contact, Provider
from providers.services import approve_contact, replace_contact, resume_contact, suspend_contact
from tests.conftest import FixedResolver
from tests.factories import (
    AMONG_OWN_ROWS,
    HOUR,
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    NetworkFactory,
    NoticeFactory,
)
from tests.mailserver import ACCEPT, DROP, MailServer
from tests.portal.test_notice import words
from tests.portal.world import an_hour_ago, notified

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOBODY = {"headers": {"accept-language": "en"}}


def message(provider: Provider, count: int = 1, **fields: Any) -> tuple[Link, list[Notice]]:
    """A message that its provider's server accepted an hour ago, with its link and `count` notices."""
    at = an_hour_ago()
    dispatch = DispatchFactory(accepted=True, next_attempt_at=at, contact__provider=provider, **fields)
    notices = [notified(at, provider=provider, dispatch=dispatch) for _ in range(count)]
    return link_of(dispatch), notices


def link_of(dispatch: Dispatch, **fields: Any) -> Link:
    now = timezone.now()
    fields = {"created_at": now, "expires_at": now + 14 * DAY, "nonce": Link.new_nonce(), **fields}
    return Link.objects.create(dispatch=dispatch, **fields)


def url(link: Link) -> str:
    return f"/answer/{link.token}/"


@pytest.fixture
def guest() -> Client:
    """Somebody's browser: no session, and no token of forms (one test sends that)."""
    return Client(headers={"accept-language": "en"})


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for the buckets that count how often a door is used."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if model is not Bucket and model._meta.managed
    }


# -- looking ----------------------------------------------------------------------------------------------


def test_looking_changes_nothing_whoever_looks_and_however_often(guest: Client, alfa: Provider) -> None:
    link, _notices = message(alfa)
    unproven = NoticeFactory(
        sent=True, provider=alfa, dispatch=DispatchFactory(relayed=True, contact__provider=alfa)
    )
    other = link_of(unproven.dispatch_lines.get().dispatch)
    before = everything()

    for each in (link, other):
        assert guest.get(url(each)).status_code == 200
        assert guest.head(url(each)).status_code == 200
        assert guest.get(url(each), {"answer": "removed", "notice": unproven.reference}).status_code == 200

    assert everything() == before


def test_the_page_says_how_each_line_stands_and_nothing_of_people_addresses_or_other_notices(
    guest: Client, alfa: Provider, contact: User
) -> None:
    link, (seen, open_one) = message(alfa, 2)
    elsewhere = notified(provider=alfa)
    answered = Client()
    answered.force_login(contact)
    answered.post(
        f"/portal/notices/{seen.reference}/answer/",
        {"answer": "need_information", "note": "Ask Noor of the night shift"},
    )

    page = guest.get(url(link))
    said = words(page.content)

    assert link.dispatch.number in said
    assert seen.reference in said
    assert open_one.reference in said
    assert "we need information" in said
    assert "forum.example/…" in said
    html = page.content.decode()
    for secret in (
        elsewhere.reference, seen.content.url, seen.masked_url, contact.name, contact.email, "Noor",
        link.dispatch.contact.address, "/portal/notices/", "/portal/colleagues/",
    ):  # fmt: skip
        assert secret not in html
    assert set(guest.cookies) == {"csrftoken"}


def test_the_page_is_kept_from_caches_search_engines_and_other_addresses(
    guest: Client, alfa: Provider
) -> None:
    link, _notices = message(alfa)
    page = guest.get(url(link))

    assert page["Cache-Control"] == "no-store, private"
    assert "noindex" in page["X-Robots-Tag"]
    assert page["Referrer-Policy"] == "no-referrer"
    # A browser tells our own server the origin, so that it takes the form, and never the path.
    assert '<meta name="referrer" content="strict-origin">' in page.content.decode()
    assert link.token not in page.content.decode().replace(f'value="{url(link)}"', "")


def test_unknown_foreign_and_malformed_links_are_one_404(
    guest: Client, alfa: Provider, beta: Provider
) -> None:
    link, _notices = message(alfa)
    other, _others = message(beta)
    token, foreign = link.token, other.token
    wrong = [
        token[:16] + foreign[16:], foreign[:16] + token[16:], token[:-1] + ("a" if token[-1] != "a" else "b"),
        token.upper(), token[:-1], token + "a", "a" * 40, "x", "%00", "..%2f", "0" * 40, "é" * 40, "options",
    ]  # fmt: skip

    answers = [guest.get(f"/answer/{each}/") for each in wrong]
    answers += [guest.post(f"/answer/{each}/", {"answer": "removed"}) for each in wrong]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].content == guest.get("/nothing-at-all/").content


def test_a_page_of_many_lines_asks_as_often_as_one_of_few(guest: Client, alfa: Provider) -> None:
    spent = []
    for count in (2, 30):
        link, _notices = message(alfa, count)
        with CaptureQueriesContext(connection) as queries:
            assert guest.get(url(link)).status_code == 200
        spent.append(len(queries))
    assert spent[0] == spent[1] <= 20 + AMONG_OWN_ROWS


def test_the_page_says_what_our_check_saw_after_the_answer_made_on_it(guest: Client, alfa: Provider) -> None:
    link, (gone, there) = message(alfa, 2)
    page = guest.post(url(link), {"notice": [gone.reference, there.reference], "answer": "removed"})
    assert words(page.content).count("our check looks now") == 2

    at = timezone.now()
    seen = [
        observe.Seen(notice.reference, at, outcome, "nl-1", http_status=status)
        for notice, outcome, status in ((gone, "gone", 404), (there, "online", 200))
    ]
    observe.observe(sightings=seen, by=SYSTEM, now=at)

    said = words(guest.get(url(link)).content)
    assert f"{gone.reference} forum.example/… " in said
    assert "no longer found" in said
    assert "our check at" in said
    assert "still reachable" in said


# -- answering --------------------------------------------------------------------------------------------


def test_lines_are_answered_by_a_press_and_the_contact_hears_of_it(
    guest: Client, alfa: Provider, mail_server: MailServer, host: Callable[..., None]
) -> None:
    host(confirm_after=timedelta(0))
    link, (first, second, third) = message(alfa, 3)

    page = guest.post(url(link), {"notice": [first.reference, second.reference], "answer": "removed"})

    assert page.status_code == 200
    assert "Recorded for 2 notices." in words(page.content)
    by = f"link:{link.dispatch.number}"
    assert set(Reply.objects.values_list("notice", "answer", "by", "late")) == {
        (first.pk, "removed", by, False),
        (second.pk, "removed", by, False),
    }
    moved = Notice.objects.get(pk=first.pk)
    assert moved.claimed_removed_at is not None
    assert moved.next_check_at is not None
    assert Notice.objects.get(pk=third.pk).acknowledged_at is None
    assert Event.objects.filter(act="reply", subject_id=first.pk, actor=by).exists()

    again = guest.post(url(link), {"notice": [first.reference], "answer": "removed"})
    assert "had it already" in words(again.content)
    guest.post(url(link), {"notice": [third.reference], "answer": "dispute", "reason": "It is a news site"})
    assert SystemMail.objects.count() == 1  # what comes together is confirmed together

    assert system_mail.send_due(by=SYSTEM, clock=timezone.now) == 1
    (got,) = mail_server.accepted
    assert (got.recipient, got.sender) == (link.dispatch.contact.address, "<>")
    assert got.message["Auto-Submitted"] == "auto-generated"
    assert got.message["Subject"] == f"[{link.dispatch.number}] Your answers are recorded"
    assert all(notice.reference in got.text for notice in (first, second, third))
    assert "news site" not in got.text  # what was typed is not sent on
    assert link.token not in got.text
    assert system_mail.send_due(by=SYSTEM, clock=timezone.now) == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"answer": "removed"}, "Choose at least one notice."),
        ({"notice": "own", "answer": "dispute"}, "Say why you dispute it."),
        ({"notice": "own", "answer": "forwarded"}, "forwarded is not one of the available choices"),
        ({"notice": "own", "answer": "removed", "at": "2999-01-01T00:00", "zone": "UTC"}, "not taken"),
    ],
)
def test_what_does_not_fit_is_said_and_records_nothing(
    guest: Client, alfa: Provider, fields: dict[str, str], said: str
) -> None:
    link, (notice,) = message(alfa)
    if "notice" in fields:
        fields = {**fields, "notice": notice.reference}
    assert said in words(guest.post(url(link), fields).content)
    assert not Reply.objects.exists()
    assert not SystemMail.objects.exists()


def test_only_the_lines_of_the_message_can_be_answered(guest: Client, alfa: Provider, beta: Provider) -> None:
    link, (own,) = message(alfa)
    colleague, foreign = notified(provider=alfa), notified(provider=beta)
    names = [colleague.reference, foreign.reference, "N-0000000000", "\0", own.reference]

    page = guest.post(url(link), {"notice": names, "answer": "acknowledged"})

    assert list(Reply.objects.values_list("notice", flat=True)) == [own.pk]
    assert foreign.reference not in page.content.decode()
    assert colleague.reference not in page.content.decode()


def test_a_form_of_another_site_is_refused(alfa: Provider) -> None:
    link, (notice,) = message(alfa)
    browser = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    fields = {"notice": notice.reference, "answer": "acknowledged"}
    assert browser.post(url(link), fields).status_code == 403
    assert Client().put(url(link)).status_code == 405

    page = browser.get(url(link)).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    assert browser.post(url(link), {**fields, "csrfmiddlewaretoken": token[1]}).status_code == 200


def test_a_link_logs_nobody_in_and_takes_no_part_in_a_session_that_is_there(
    portal: Client, guest: Client, alfa: Provider, contact: User
) -> None:
    link, (notice,) = message(alfa)
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=10))
    seen = Session.objects.get().seen_at

    page = portal.get(url(link))
    portal.post(url(link), {"notice": notice.reference, "answer": "acknowledged"})

    assert contact.name not in page.content.decode()
    assert Reply.objects.get().by == f"link:{link.dispatch.number}"
    assert Session.objects.get().seen_at == seen
    guest.post(url(link), {"notice": notice.reference, "answer": "acknowledged"})
    assert guest.get("/portal/").status_code == 302


def test_an_answer_starts_the_clock_of_what_only_our_relay_had_accepted(
    guest: Client, alfa: Provider
) -> None:
    at = an_hour_ago()
    dispatch = DispatchFactory(relayed=True, next_attempt_at=at, contact__provider=alfa)
    notice = NoticeFactory(
        sent=True, provider=alfa, dispatch=dispatch, received_at=at - 3 * HOUR, assessed_at=at - 2 * HOUR,
        routed_at=at - HOUR, sent_at=at,
    )  # fmt: skip
    guest.post(url(link_of(dispatch)), {"notice": notice.reference, "answer": "acknowledged"})

    assert Notice.objects.get(pk=notice.pk).state == Notice.State.NOTIFIED
    call_command("verify")  # I5: a clock with evidence


# -- overtaken --------------------------------------------------------------------------------------------


def remind(notice: Notice) -> Dispatch:
    """A reminder about it has gone out."""
    first = notice.dispatch_lines.get().dispatch
    later = DispatchFactory(
        reminder=True, accepted=True, contact=first.contact, next_attempt_at=timezone.now()
    )
    DispatchLine.objects.create(dispatch=later, notice=notice, contact=first.contact, step="reminder-1")
    return later


def test_an_overtaken_page_keeps_a_late_answer_and_moves_nothing(guest: Client, alfa: Provider) -> None:
    link, (notice,) = message(alfa)
    remind(notice)
    before = Notice.objects.filter(pk=notice.pk).values().get()
    assert "This message is overtaken" in words(guest.get(url(link)).content)

    fields = {"notice": notice.reference, "answer": "removed"}
    page = guest.post(url(link), fields)

    assert "too late, kept" in words(page.content)
    assert Notice.objects.filter(pk=notice.pk).values().get() == before
    assert list(Reply.objects.values_list("answer", "late")) == [("removed", True)]
    guest.post(url(link), fields)
    assert Reply.objects.count() == 1
    # The same words where they count are news.
    assert links.opened(token=link.token, now=timezone.now()).is_overtaken


def test_the_newer_message_of_a_notice_is_the_one_whose_page_counts(guest: Client, alfa: Provider) -> None:
    link, (reminded, other) = message(alfa, 2)
    newer = link_of(remind(reminded))

    assert "This message is overtaken" not in words(guest.get(url(link)).content)
    guest.post(url(link), {"notice": [reminded.reference, other.reference], "answer": "acknowledged"})
    assert set(Reply.objects.values_list("notice", "late")) == {(reminded.pk, True), (other.pk, False)}
    guest.post(url(newer), {"notice": reminded.reference, "answer": "acknowledged"})
    assert Notice.objects.get(pk=reminded.pk).acknowledged_at is not None


def test_what_was_late_is_told_apart_in_the_portal_and_is_no_answer_there(
    guest: Client, portal: Client, alfa: Provider
) -> None:
    link, (notice,) = message(alfa)
    newer = remind(notice)
    guest.post(url(link), {"notice": notice.reference, "answer": "dispute", "reason": "no"})

    page = words(portal.get(f"/portal/notices/{notice.reference}/").content)
    assert "You answered, too late: we dispute it." in page
    assert f"by the link in {link.dispatch.number}" in page
    portal.post(f"/portal/notices/{notice.reference}/answer/", {"answer": "dispute", "reason": "no"})
    assert Notice.objects.get(pk=notice.pk).disputed_at is not None
    assert newer.number in page


def test_a_message_of_which_all_is_taken_back_closes_its_page(guest: Client, alfa: Provider) -> None:
    link, (first, second) = message(alfa, 2)
    withdraw(notice_id=first.pk, because="objection_upheld", by=SYSTEM, now=timezone.now())
    page = guest.post(url(link), {"notice": first.reference, "answer": "acknowledged"})
    assert "This notice was withdrawn" in words(page.content)
    assert not Reply.objects.exists()

    withdraw(notice_id=second.pk, because="objection_upheld", by=SYSTEM, now=timezone.now())
    assert guest.get(url(link)).status_code == 410


# -- closed -----------------------------------------------------------------------------------------------


def _expire(link: Link) -> None:
    Link.objects.filter(pk=link.pk).update(expires_at=timezone.now())


def _revoke(link: Link) -> None:
    links.revoke(dispatch_id=link.pk, provider_id=None, by=SYSTEM, now=timezone.now())


def _suspend(link: Link) -> None:
    contact = link.dispatch.contact_id
    suspend_contact(contact_id=contact, reason="their mailbox was read", by=SYSTEM, now=timezone.now())


def _replace(link: Link) -> None:
    other = replace_contact(
        contact_id=link.dispatch.contact_id, address="new@alfa.example", by=SYSTEM, now=timezone.now()
    )
    approve_contact(contact_id=other.pk, by=SYSTEM, now=timezone.now())


def _come_back(link: Link) -> None:
    DispatchLine.objects.filter(dispatch=link.pk).update(dropped_because="bounced")


@pytest.mark.parametrize("end", [_expire, _revoke, _suspend, _replace, _come_back])
def test_a_link_that_ended_is_a_plain_page_at_the_next_request(
    guest: Client, alfa: Provider, end: Callable[[Link], None]
) -> None:
    link, (notice,) = message(alfa)
    assert guest.get(url(link)).status_code == 200
    end(link)

    looked = guest.get(url(link))
    pressed = guest.post(url(link), {"notice": notice.reference, "answer": "removed"})

    assert (looked.status_code, pressed.status_code) == (410, 410)
    assert "This link is closed" in words(looked.content)
    for secret in (notice.reference, link.dispatch.number, alfa.name, "forum.example"):
        assert secret not in looked.content.decode()
    assert not Reply.objects.exists()


def test_a_contact_that_is_used_again_has_its_links_again(guest: Client, alfa: Provider) -> None:
    link, _notices = message(alfa)
    _suspend(link)
    assert guest.get(url(link)).status_code == 410
    resume_contact(contact_id=link.dispatch.contact_id, by=SYSTEM, now=timezone.now())
    assert guest.get(url(link)).status_code == 200


def test_nobody_hears_of_answers_at_an_address_that_was_replaced(
    guest: Client, alfa: Provider, mail_server: MailServer, host: Callable[..., None]
) -> None:
    host(confirm_after=timedelta(0))
    link, (notice,) = message(alfa)
    guest.post(url(link), {"notice": notice.reference, "answer": "acknowledged"})
    _replace(link)
    assert system_mail.send_due(by=SYSTEM, clock=timezone.now) == 0
    assert not mail_server.accepted


def test_an_admin_of_the_provider_sees_and_ends_its_own_links_only(
    portal: Client, alfa: Provider, beta: Provider, contact: User
) -> None:
    own, _own = message(alfa)
    foreign, _foreign = message(beta)
    assert portal.get("/portal/links/").status_code == 403  # a member
    User.objects.filter(pk=contact.pk).update(roles=["provider_admin"])

    said = portal.get("/portal/links/").content.decode()
    assert own.dispatch.number in said
    assert foreign.dispatch.number not in said
    assert own.token not in said
    for other in (foreign.pk, 999_999):
        portal.post(f"/portal/links/{other}/revoke/")
    portal.post("/portal/links/revoke/")

    assert Link.objects.get(pk=own.pk).revoked_by == str(Actor.of(contact))
    assert Link.objects.get(pk=foreign.pk).revoked_at is None
    assert Event.objects.filter(act="revoke_link").count() == 1


def test_a_link_and_its_network_may_be_used_so_often(guest: Client, alfa: Provider, settings: Any) -> None:
    link, _notices = message(alfa)
    other, _others = message(alfa)
    hour = timedelta(hours=1)
    settings.RATES = settings.RATES | {"link": {"link": (2, hour), "address": (4, hour)}}
    assert [guest.get(url(link)).status_code for _ in range(3)] == [200, 200, 429]
    assert [guest.get(url(other)).status_code for _ in range(3)] == [200, 200, 429]
    full = guest.get("/answer/unknown/")
    assert full.status_code == 429
    assert int(full["Retry-After"]) > 0


# -- the mail ---------------------------------------------------------------------------------------------


@pytest.fixture
def send(static_resolver: FixedResolver, mail_server: MailServer) -> Callable[..., None]:
    """One pass of the sweep, so long after now."""

    def run(after: timedelta = timedelta(0)) -> None:
        deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: timezone.now() + after)

    return run


def waiting(**of_contact: Any) -> Notice:
    """On a message that is due."""
    network = NetworkFactory()
    of_contact = {"address": "abuse@alfa.example", **of_contact}
    contact = ContactFactory(provider=network.provider, approved=True, **of_contact)
    return NoticeFactory(routed=True, provider=network.provider, contact=contact)


def test_a_notice_by_mail_says_at_once_where_to_answer(
    send: Callable[..., None], mail_server: MailServer, guest: Client
) -> None:
    notice = waiting()
    send()

    (got,) = mail_server.accepted
    (address,) = re.findall(r"^http\S+/answer/[a-z2-7]{40}/$", got.text, re.MULTILINE)
    lines = got.text.splitlines()
    assert lines.index(address) < 20
    page = guest.get(address.removeprefix("http://localhost:8000"))
    assert notice.reference in page.content.decode()
    # The way to it stands nowhere that others read.
    token = address.rstrip("/").rpartition("/")[2]
    read = looking.read_message(
        dispatch_id=notice.dispatch_lines.get().dispatch_id, by=SYSTEM, now=timezone.now()
    )
    assert token[:10] not in read
    assert "/answer/…/" in read
    assert token not in str(list(Event.objects.values_list("data", "actor", "act")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cases_dispatch d WHERE d::text LIKE %s", [f"%{token}%"])
        assert cursor.fetchone() == (0,)


def test_each_copy_of_a_message_has_the_same_link_and_each_message_its_own(
    send: Callable[..., None], mail_server: MailServer
) -> None:
    mail_server.behave("abuse@alfa.example", DROP, ACCEPT)
    waiting()
    send()
    send(after=10 * HOUR)

    found = {re.findall(r"/answer/([a-z2-7]{40})/", got.text)[0] for got in mail_server.received}
    assert len(mail_server.received) == 2
    assert found == {Link.objects.get().token}


@pytest.mark.parametrize(
    "contact", [{"mode": Contact.Mode.API}, {"mode": Contact.Mode.API, "formats": "csv"}]
)
def test_who_fetches_by_api_gets_no_link(
    send: Callable[..., None], mail_server: MailServer, contact: dict[str, str]
) -> None:
    waiting(**contact)
    send()
    assert "/answer/" not in mail_server.accepted[0].text
    assert not Link.objects.exists()


def test_a_link_revoked_before_its_message_leaves_is_not_in_it(
    send: Callable[..., None], mail_server: MailServer
) -> None:
    dispatch = waiting().dispatch_lines.get().dispatch
    _revoke(link_of(dispatch))
    send()
    assert "/answer/" not in mail_server.accepted[0].text
