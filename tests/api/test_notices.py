"""Notices and answers by machine."""

import time
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import ApiKey, Scope
from audit.models import Event
from cases.api.notices import AnswerIn, AnswersIn
from cases.models import Notice, Reply
from cases.services.withdraw import withdraw
from providers.models import Contact, Provider
from tests.factories import (
    AMONG_OWN_ROWS,
    HOUR,
    SYSTEM,
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    api_key,
    many,
)

NOTICES = "/api/v1/notices/"
ANSWERS = "/api/v1/notices/answers/"
SECRET = "https://forum.example/threads/secret-path/0001.jpg"


class Machine:
    """A program that shows one key."""

    def __init__(self, *scopes: str, provider: Provider | None = None) -> None:
        self.key, secret = api_key(*scopes, provider=provider)
        self._client = Client(headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        """The answer to a GET."""
        return self._client.get(path, query)

    def ask(self, method: str, path: str) -> Any:
        """The answer to any method."""
        return self._client.generic(method, path)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """The answer to a POST of JSON; `headers` with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.post(path, body, content_type="application/json", headers=named)


@pytest.fixture
def alfa(db: None) -> Provider:
    """The provider whose machine asks."""
    return ProviderFactory(code="alfa")


@pytest.fixture
def beta(db: None) -> Provider:
    """Another one."""
    return ProviderFactory(code="beta")


@pytest.fixture
def machine(alfa: Provider) -> Machine:
    """Alfa's program, with all that a provider's key may have."""
    return Machine(provider=alfa)


@pytest.fixture
def ours(db: None) -> Machine:
    """A program of the hotline."""
    return Machine(Scope.NOTICES_READ)


def listed(answer: Any) -> set[str]:
    """The references on a page."""
    assert answer.status_code == 200, answer.content
    return {row["reference"] for row in answer.json()["results"]}


def by_api(provider: Provider) -> Contact:
    """A contact that takes notices by API."""
    return ContactFactory(
        provider=provider, approved=True, mode=Contact.Mode.API, address=f"api@{provider.code}.example"
    )


# -- Reading -----------------------------------------------------------------------------------------


def test_a_provider_reads_its_own_once_sent_and_nothing_else(
    machine: Machine, alfa: Provider, beta: Provider
) -> None:
    own = [NoticeFactory(notified=True, provider=alfa), NoticeFactory(sent=True, provider=alfa)]
    NoticeFactory(routed=True, provider=alfa)
    NoticeFactory(notified=True, provider=beta)
    assert listed(machine.get(NOTICES)) == {notice.reference for notice in own}


def test_a_program_of_ours_reads_all_and_is_given_no_address(
    ours: Machine, alfa: Provider, beta: Provider
) -> None:
    by_api(alfa)
    at_alfa = NoticeFactory(notified=True, provider=alfa, content__url=SECRET)
    NoticeFactory(routed=True, provider=beta)
    answer = ours.get(NOTICES)
    assert len(listed(answer)) == 2
    assert listed(ours.get(NOTICES, {"provider": "alfa"})) == {at_alfa.reference}
    assert ours.get(f"{NOTICES}{at_alfa.reference}/").json()["url"] is None
    assert b"secret-path" not in answer.content
    assert not Event.objects.filter(act="reveal").exists()


def test_the_filters_narrow(machine: Machine, alfa: Provider) -> None:
    early = NoticeFactory(notified=True, provider=alfa, notified_at=datetime(2026, 1, 5, 12, tzinfo=UTC))
    late = NoticeFactory(
        escalated=True,
        provider=alfa,
        notified_at=datetime(2026, 1, 7, 12, tzinfo=UTC),
        acknowledged_at=datetime(2026, 1, 7, 13, tzinfo=UTC),
    )
    assert listed(machine.get(NOTICES, {"state": "escalated"})) == {late.reference}
    assert listed(machine.get(NOTICES, {"due_before": "2026-01-07T13:00:00+01:00"})) == {early.reference}
    assert listed(machine.get(NOTICES, {"acknowledged": "true"})) == {late.reference}
    assert listed(machine.get(NOTICES, {"acknowledged": "false"})) == {early.reference}


@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page_size=1000000000",
        "page_size=٣",
        "page_size=1_0",
        "cursor=cD0lMDA=",  # p=%00
        "cursor=nonsense",
        "ordering=provider__name",
        "state=secret",
        "state=notified&state=removed",
        "due_before=2026-01-05T12:00:00",
        "due_before=9999-12-31T23:59:59-14:00",
        "due_before=tomorrow",
        "acknowledged=1",
        "provider=beta",
        "content__url_key=x",
    ],
)
def test_a_filter_that_is_not_there_is_refused_by_name(machine: Machine, query: str) -> None:
    answer = machine.get(f"{NOTICES}?{query}")
    assert answer.status_code in {400, 404}
    assert answer["Content-Type"] == "application/problem+json"


def test_pages_follow_each_other_and_lose_nobody(machine: Machine, alfa: Provider) -> None:
    all_of_them = {NoticeFactory(notified=True, provider=alfa).reference for _ in range(7)}
    found: list[str] = []
    path = f"{NOTICES}?page_size=3"
    while path:
        page = machine.get(path).json()
        found += [row["reference"] for row in page["results"]]
        path = page["next"] or ""
    assert len(found) == 7
    assert set(found) == all_of_them


def test_a_cursor_says_nothing_about_how_many_there_are(machine: Machine, alfa: Provider) -> None:
    notices = [NoticeFactory(notified=True, provider=alfa) for _ in range(3)]
    page = machine.get(NOTICES, {"page_size": 1}).json()
    (cursor,) = parse_qs(urlsplit(page["next"]).query)["cursor"]
    place = b64decode(cursor).decode()
    assert any(notice.reference in place for notice in notices)
    assert not any(f"={notice.pk}" in place for notice in notices)


def test_the_fields_are_those_of_the_contract(machine: Machine, alfa: Provider) -> None:
    notice = NoticeFactory(
        escalated=True,
        provider=alfa,
        notified_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
        customer_reference="T-1",
        content__url=SECRET,
    )
    said = machine.get(f"{NOTICES}{notice.reference}/").json()
    assert said == {
        "reference": notice.reference,
        "state": "escalated",
        "overdue": True,
        "url": SECRET,
        "masked_url": "forum.example/…01.jpg",
        "sent_at": "2026-01-05T12:00:00.000000Z",
        "notified_at": "2026-01-05T12:00:00.000000Z",
        "due_at": "2026-01-06T12:00:00.000000Z",
        "acknowledged_at": None,
        "claimed_removed_at": None,
        "claim_answer": "",
        "disputed_at": None,
        "objection_rejected_at": None,
        "last_seen_online_at": None,
        "gone_since": None,
        "removed_at": None,
        "escalated_at": "2026-01-06T12:00:00.000000Z",
        "class": "baseline",
        "ip": "192.0.2.10",
        "customer_reference": "T-1",
    }


def test_what_ran_out_is_overdue_before_any_sweep_says_so(machine: Machine, alfa: Provider) -> None:
    notice = NoticeFactory(notified=True, provider=alfa, notified_at=timezone.now() - 25 * HOUR)
    said = machine.get(f"{NOTICES}{notice.reference}/").json()
    assert (said["state"], said["overdue"]) == ("notified", True)


def test_each_address_that_is_given_is_recorded(machine: Machine, alfa: Provider) -> None:
    notice = NoticeFactory(notified=True, provider=alfa, content__url=SECRET)
    assert machine.get(f"{NOTICES}{notice.reference}/").json()["url"] == SECRET
    event = Event.objects.get(act="reveal")
    assert (event.subject, event.subject_id, event.actor) == ("notice", notice.pk, f"key:{machine.key.pk}")


def test_a_list_gives_addresses_only_where_notices_go_by_api_and_records_them_once(
    machine: Machine, alfa: Provider
) -> None:
    notices = [NoticeFactory(notified=True, provider=alfa) for _ in range(3)]
    assert {row["url"] for row in machine.get(NOTICES).json()["results"]} == {None}
    assert not Event.objects.filter(act="reveal").exists()

    by_api(alfa)
    given = {row["url"] for row in machine.get(NOTICES).json()["results"]}
    assert given == {notice.content.url for notice in notices}
    event = Event.objects.get(act="reveal")
    assert (event.subject, event.subject_id) == ("provider", alfa.pk)
    assert event.data == {"notices": sorted(notice.reference for notice in notices)}


@pytest.mark.parametrize("one", [False, True], ids=["list", "one"])
def test_a_notice_that_nobody_knew_to_have_arrived_arrives_with_the_answer(
    machine: Machine, alfa: Provider, beta: Provider, one: bool
) -> None:
    notice = NoticeFactory(sent=True, provider=alfa)
    others = [NoticeFactory(sent=True, provider=beta), NoticeFactory(routed=True, provider=alfa)]
    before = timezone.now()

    answer = machine.get(f"{NOTICES}{notice.reference}/" if one else NOTICES).json()
    said = answer if one else answer["results"][0]

    told = Notice.objects.get(pk=notice.pk)
    assert told.state == Notice.State.NOTIFIED
    assert told.notified_at is not None
    assert before <= told.notified_at <= timezone.now()
    assert not told.notified_estimated
    assert (said["state"], said["due_at"] is not None) == ("notified", True)
    (event,) = Event.objects.filter(subject="notice", subject_id=notice.pk, act="notify")
    assert event.actor == f"key:{machine.key.pk}"
    assert {Notice.objects.get(pk=each.pk).state for each in others} == {Notice.State.RECEIVED}

    machine.get(NOTICES)
    assert Notice.objects.get(pk=notice.pk).notified_at == told.notified_at


def test_that_they_have_it_is_kept_once_in_case_its_message_comes_back(
    machine: Machine, alfa: Provider
) -> None:
    notice = NoticeFactory(notified=True, provider=alfa)

    for _again in range(2):
        machine.get(NOTICES)
        machine.get(f"{NOTICES}{notice.reference}/")

    assert Event.objects.filter(subject="notice", subject_id=notice.pk, act="show").count() == 1
    assert Notice.objects.get(pk=notice.pk).notified_at == notice.notified_at


def test_a_program_of_ours_that_reads_starts_nothing(ours: Machine, alfa: Provider) -> None:
    notice = NoticeFactory(sent=True, provider=alfa)

    ours.get(NOTICES)
    ours.get(f"{NOTICES}{notice.reference}/")

    assert Notice.objects.get(pk=notice.pk).notified_at is None


def test_a_hundred_arrive_with_the_queries_of_one(machine: Machine, alfa: Provider) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert machine.get(NOTICES, {"page_size": 100}).status_code == 200
        return len(queries)

    NoticeFactory(notified=True, provider=alfa)
    asked()  # that they have this one is kept now
    NoticeFactory(sent=True, provider=alfa)
    alone = asked()
    asked()
    many(50, sent=True, provider=alfa)

    assert asked() <= alone + 1  # the key's use is noted once a minute
    assert not Notice.objects.filter(state=Notice.State.RECEIVED)


def test_a_list_of_a_hundred_asks_the_database_as_often_as_a_list_of_one(
    machine: Machine, alfa: Provider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    dispatch = DispatchFactory(accepted=True, contact__provider=alfa)
    for _ in range(100):
        NoticeFactory(notified=True, provider=alfa, dispatch=dispatch)
    machine.get(NOTICES)
    # Key, how often (3), page, what they have seen, contact's mode.
    with django_assert_num_queries(7 + AMONG_OWN_ROWS):
        assert len(listed(machine.get(NOTICES))) == 100


def test_what_is_not_ones_own_looks_exactly_like_what_never_was(
    machine: Machine, alfa: Provider, beta: Provider
) -> None:
    foreign, never_sent = (
        NoticeFactory(notified=True, provider=beta),
        NoticeFactory(routed=True, provider=alfa),
    )
    answers = [
        machine.get(f"{NOTICES}{reference}/")
        for reference in (
            foreign.reference,
            never_sent.reference,
            "N-0000000000",
            "n-x",
            "1 OR 1=1",
            "%00",
            "7",
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert not Event.objects.filter(act="reveal").exists()


# -- Keys --------------------------------------------------------------------------------------------


def test_a_key_does_only_what_its_scopes_say(alfa: Provider) -> None:
    reads, writes = Machine(Scope.NOTICES_READ, provider=alfa), Machine(Scope.NOTICES_ANSWER, provider=alfa)
    body = {"answers": [{"reference": "N-0000000000", "answer": "acknowledged"}]}
    assert reads.get(NOTICES).status_code == 200
    assert reads.post(ANSWERS, body).status_code == 403
    assert writes.get(NOTICES).status_code == 403
    assert writes.post(ANSWERS, body).status_code == 200
    assert writes.post(NOTICES, body).status_code == 405


@pytest.mark.parametrize("change", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now()}])
def test_a_key_that_has_ended_opens_nothing(machine: Machine, change: dict[str, Any]) -> None:
    ApiKey.objects.filter(pk=machine.key.pk).update(**change)
    assert machine.get(NOTICES).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_not_there_for_who_shows_a_key(machine: Machine, method: str) -> None:
    for path in (NOTICES, ANSWERS, f"{NOTICES}N-0000000000/"):
        answer = machine.ask(method, path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer["Allow"] == ("POST" if path == ANSWERS else "GET, HEAD")
    assert Client().generic(method, NOTICES).status_code == 401


def test_a_parameter_that_nobody_reads_is_refused_on_every_door(machine: Machine, alfa: Provider) -> None:
    notice = NoticeFactory(notified=True, provider=alfa)
    body = {"answers": [{"reference": notice.reference, "answer": "acknowledged"}]}
    for answer in (
        machine.get(f"{NOTICES}{notice.reference}/?expand=url"),
        machine.get(f"{NOTICES}?format=json"),
        machine.post(f"{ANSWERS}?dry_run=1", body),
    ):
        assert answer.status_code == 400
        assert [error["detail"] for error in answer.json()["errors"]] == ["There is no such parameter."]
    assert not Reply.objects.exists()


def test_an_address_without_its_last_slash_is_not_there_and_nothing_is_sent_on(machine: Machine) -> None:
    answers = [
        machine.post("/api/v1/notices/answers", {}),
        machine.get("/api/v1/notices"),
        machine.get("/api/v1/x/y/"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {machine.get(f"{NOTICES}N-0000000000/").content}
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}


def test_who_calls_too_often_is_told_when_to_come_back(
    machine: Machine, beta: Provider, settings: Settings
) -> None:
    settings.RATES = settings.RATES | {"api": {"tenant": (2, HOUR), "key": (1, HOUR)}}
    other_key, other_provider = Machine(provider=machine.key.provider), Machine(provider=beta)

    statuses = [machine.get(NOTICES).status_code, other_key.get(NOTICES).status_code]
    too_often = machine.get(NOTICES)

    assert statuses == [200, 200]
    assert (too_often.status_code, too_often.json()["code"]) == (429, "throttled")
    assert 0 < int(too_often["Retry-After"]) <= 1_800
    assert other_provider.get(NOTICES).status_code == 200
    ours = Machine(Scope.NOTICES_READ)
    assert [ours.get(NOTICES).status_code for _ in range(2)] == [200, 429]


def test_a_key_in_the_address_opens_nothing(client: Client, machine: Machine, alfa: Provider) -> None:
    _key, secret = api_key(provider=alfa)
    assert machine.get(NOTICES, {"access_token": secret}).status_code == 400
    assert client.get(NOTICES, {"key": secret}).status_code == 401
    assert client.get(NOTICES, {"access_token": secret}).status_code == 401


def test_a_program_of_ours_does_not_answer_for_a_provider(db: None) -> None:
    ours = Machine(Scope.NOTICES_ANSWER)
    answer = ours.post(ANSWERS, {"answers": [{"reference": "N-0000000000", "answer": "removed"}]})
    assert answer.status_code == 403


# -- Answering ---------------------------------------------------------------------------------------


def test_each_answer_has_its_own_result(machine: Machine, alfa: Provider, beta: Provider) -> None:
    own, foreign = NoticeFactory(notified=True, provider=alfa), NoticeFactory(notified=True, provider=beta)
    withdrawn = NoticeFactory(notified=True, provider=alfa)
    withdraw(notice_id=withdrawn.pk, because="moved", by=SYSTEM, now=timezone.now())
    said = machine.post(
        ANSWERS,
        {
            "answers": [
                {"reference": own.reference, "answer": "acknowledged"},
                {"reference": own.reference, "answer": "acknowledged"},
                {"reference": foreign.reference, "answer": "removed"},
                {"reference": "nonsense", "answer": "removed"},
                {"reference": withdrawn.reference, "answer": "removed"},
                {"reference": own.reference, "answer": "dispute"},
            ]
        },
    ).json()
    assert said == {
        "results": [
            {"reference": own.reference, "outcome": "recorded"},
            {"reference": own.reference, "outcome": "unchanged"},
            {"reference": foreign.reference, "outcome": "refused", "reason": "There is no such notice."},
            {"reference": "nonsense", "outcome": "refused", "reason": "There is no such notice."},
            {
                "reference": withdrawn.reference,
                "outcome": "refused",
                "reason": "This notice was withdrawn: there is nothing left to do.",
            },
            {"reference": own.reference, "outcome": "refused", "reason": "Say why you dispute it."},
        ]
    }
    assert Reply.objects.get().by == f"key:{machine.key.pk}"
    assert Notice.objects.get(pk=foreign.pk).claimed_removed_at is None


def test_a_claim_says_when_and_makes_a_check_due(machine: Machine, alfa: Provider) -> None:
    later = timezone.now() + HOUR
    notice = NoticeFactory(
        notified=True, provider=alfa, notified_at=timezone.now() - 2 * HOUR, next_check_at=later
    )
    claimed = (timezone.now() - HOUR).replace(microsecond=0)
    answer = {
        "reference": notice.reference,
        "answer": "removed",
        "at": claimed.isoformat(),
        "reason": "",
        "note": "wiped",
    }
    assert machine.post(ANSWERS, {"answers": [answer]}).json()["results"][0]["outcome"] == "recorded"
    reply = Reply.objects.get()
    assert (reply.claimed_at, reply.note) == (claimed, "wiped")
    after = Notice.objects.get(pk=notice.pk)
    assert after.next_check_at is not None
    assert after.next_check_at < later
    assert after.state == Notice.State.NOTIFIED


ANSWER = {"reference": "N-0000000000", "answer": "acknowledged"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/answers"),
        ([], "#"),
        ({"answers": []}, "#/answers"),
        ({"answers": {}}, "#/answers"),
        ({"answers": [ANSWER], "dry_run": True}, "#/dry_run"),
        ({"answers": [ANSWER, ANSWER | {"state": "removed"}]}, "#/answers/1/state"),
        ({"answers": [ANSWER, "x"]}, "#/answers/1"),
        ({"answers": [{"answer": "removed"}]}, "#/answers/0/reference"),
        ({"answers": [ANSWER | {"reference": 7}]}, "#/answers/0/reference"),
        ({"answers": [ANSWER | {"answer": "delete"}]}, "#/answers/0/answer"),
        ({"answers": [ANSWER | {"answer": ["removed"]}]}, "#/answers/0/answer"),
        ({"answers": [ANSWER | {"at": "2026-01-05T12:00:00"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "2026-02-30T12:00:00Z"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "0001-01-01T00:00:00+14:00"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "9999-12-31T23:59:59-14:00"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": 1767614400}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "2026-06-30T23:59:60Z"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "2026-06-30T24:00:00Z"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "2026-W27-2T10:00:00Z"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "20260630T100000Z"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"at": "2026-06-30T10:00:00,5Z"}]}, "#/answers/0/at"),
        ({"answers": [ANSWER | {"note": "x" * 4_001}]}, "#/answers/0/note"),
        ({"answers": [ANSWER | {"reason": True}]}, "#/answers/0/reason"),
        ({"answers": [ANSWER] * 5_001}, "#/answers"),
    ],
)
def test_a_body_of_another_shape_is_refused_where_it_is_wrong(
    machine: Machine, body: Any, pointer: str
) -> None:
    answer = machine.post(ANSWERS, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert not Reply.objects.exists()


def test_a_long_list_of_wrong_answers_costs_no_more_than_its_first_hundred(machine: Machine) -> None:
    answer = machine.post(ANSWERS, {"answers": [{}] * 5_000})
    assert [error["pointer"] for error in answer.json()["errors"]][::50] == [
        "#/answers/0/reference",
        "#/answers/25/reference",
    ]
    assert answer.json()["detail"] == "100 things or more in this request are not right."

    began = time.process_time()
    assert machine.post(ANSWERS, {"answers": [{}] * 90_000}).status_code == 400
    assert machine.post(ANSWERS, dict.fromkeys(map(str, range(300_000)), 0)).status_code == 400
    assert time.process_time() - began < 4, "most of that is reading and writing the JSON"


@pytest.mark.parametrize(
    "value", ["  x ", "", "é", "x" * 300, "x" * 301, " " * 400, None, 7, True, [], {}, "a\x07b"]
)
@pytest.mark.parametrize("field", ["reference", "answer", "at", "reason", "note", "more"])
def test_what_is_read_quickly_is_read_as_the_serializer_reads_it(field: str, value: Any) -> None:
    answer = {
        "reference": " N-0000000000 ",
        "answer": "removed",
        "at": "2026-01-05T12:00:00+01:00",
        field: value,
    }
    careful = AnswerIn(data=answer)
    quick = AnswersIn(data={"answers": [answer]})

    assert quick.is_valid() == careful.is_valid()
    if careful.is_valid():
        assert quick.validated_data["answers"] == [careful.validated_data]
    else:
        assert quick.errors["answers"]["0"] == careful.errors


def test_the_same_call_again_is_the_same_answer(machine: Machine, alfa: Provider) -> None:
    notice = NoticeFactory(notified=True, provider=alfa)
    body = {"answers": [{"reference": notice.reference, "answer": "acknowledged"}]}
    first, second = (machine.post(ANSWERS, body, Idempotency_Key="a-1") for _ in range(2))
    assert first.content == second.content
    assert first.json()["results"][0]["outcome"] == "recorded"
    other = {"answers": [{"reference": notice.reference, "answer": "removed"}]}
    assert machine.post(ANSWERS, other, Idempotency_Key="a-1").status_code == 422


def test_three_hundred_are_answered_with_the_queries_of_three(machine: Machine, alfa: Provider) -> None:
    spent = []
    for count in (3, 300):
        dispatch = DispatchFactory(accepted=True, contact__provider=alfa)
        body = {
            "answers": [
                {"reference": notice.reference, "answer": "removed", "note": "wiped"}
                for notice in (
                    NoticeFactory(notified=True, provider=alfa, dispatch=dispatch) for _ in range(count)
                )
            ]
        }
        machine.get(NOTICES)  # the key's use is noted once a minute
        with CaptureQueriesContext(connection) as queries:
            results = machine.post(ANSWERS, body).json()["results"]
        assert [each["outcome"] for each in results] == ["recorded"] * count
        spent.append(len(queries))
    assert spent[0] == spent[1] <= 18 + AMONG_OWN_ROWS


def test_an_answer_about_the_future_is_refused(machine: Machine, alfa: Provider) -> None:
    notice = NoticeFactory(notified=True, provider=alfa)
    at = (timezone.now() + timedelta(days=1)).isoformat()
    said = machine.post(
        ANSWERS, {"answers": [{"reference": notice.reference, "answer": "removed", "at": at}]}
    ).json()
    assert said["results"][0]["reason"] == "What has happened cannot lie in the future."
