"""Reports by machine: shapes, receipts, the same call again, and bodies that nobody should send."""

import gzip
import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, IdempotentCall, Scope
from audit.models import Event
from cases.models import Notice, Report
from tests.factories import NoticeFactory, ProviderFactory, api_key

REPORTS = "/api/v1/reports/"
A, B = "https://forum.example/a.jpg", "https://forum.example/b.jpg"


class Partner:
    """A partner's program."""

    def __init__(self, *scopes: str) -> None:
        self.key, self.secret = api_key(*(scopes or (Scope.REPORTS_WRITE,)))
        self._client = Client(headers={"Authorization": f"Bearer {self.secret}", "Accept-Language": "en"})

    def send(
        self, body: Any, token: str | None = None, kind: str = "application/json", packed: str = ""
    ) -> HttpResponse:
        """POST `body`: bytes as they are, everything else as JSON."""
        headers = {"Content-Encoding": packed} | ({} if token is None else {"Idempotency-Key": token})
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._client.generic("POST", REPORTS, data, content_type=kind, headers=headers)

    def report(self, *urls: str, token: str | None = None) -> HttpResponse:
        """Bring in these addresses from the source `partner`."""
        return self.send({"source": "partner", "lines": [{"url": url} for url in urls]}, token)

    def get(self, reference: str) -> HttpResponse:
        """The receipt."""
        return self._client.get(f"{REPORTS}{reference}/")


@pytest.fixture
def partner(db: None) -> Partner:
    """One partner hotline."""
    return Partner()


def pointers(answer: HttpResponse) -> list[str]:
    """Where the problem document says that something is wrong."""
    assert answer["Content-Type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


def test_a_report_gets_a_receipt_for_each_line(partner: Partner) -> None:
    known = NoticeFactory(content__url=B, notified=True)

    answer = partner.report(A, A, B, "http://127.0.0.1/", "ftp://forum.example/")

    assert answer.status_code == 201
    report = Report.objects.get()
    notice = report.lines.get(number=1).notice
    assert notice is not None
    assert answer.json() == {
        "report": report.reference,
        "lines": [
            {"line": 1, "outcome": "new", "notice": notice.reference},
            {"line": 2, "outcome": "duplicate", "notice": notice.reference},
            {"line": 3, "outcome": "duplicate", "notice": known.reference},
            {
                "line": 4,
                "outcome": "quarantined",
                "reason": "The host is an IP address that is not public.",
                "reason_code": "non_public_address",
            },
            {
                "line": 5,
                "outcome": "rejected",
                "reason": "This is an FTP address; only http and https can be reported here.",
                "reason_code": "scheme_ftp",
            },
        ],
    }
    assert answer["Location"].endswith(f"{REPORTS}{report.reference}/")
    assert partner.get(report.reference).json() == answer.json()


def test_what_stands_beside_the_lines_is_kept(partner: Partner) -> None:
    digest = "AB" * 32
    line = {"url": f" {A}\n", "referrer": B, "category": "forum", "note": "first\nsecond", "sha256": digest}
    body = {
        "source": "partner",
        "reference": "P-7",
        "received_at": "2026-11-24T10:00:00+01:00",
        "lines": [line],
    }

    assert partner.send(body).status_code == 201

    kept = Report.objects.get().lines.get()
    assert (kept.raw_text, kept.referrer, kept.category, kept.note) == (
        f" {A}\n",
        B,
        "forum",
        "first\nsecond",
    )
    assert bytes(kept.sha256 or b"").hex() == digest.lower()
    assert kept.reported_at is not None
    assert kept.reported_at.isoformat() == "2026-11-24T09:00:00+00:00"
    assert Report.objects.get().their_reference == "P-7"
    assert Report.objects.get().by == f"key:{partner.key.pk}"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["#/source", "#/lines"]),
        ([], ["#"]),
        ("text", ["#"]),
        ({"source": "partner", "lines": []}, ["#/lines"]),
        ({"source": "partner", "lines": {}}, ["#/lines"]),
        ({"source": "partner", "lines": [{}]}, ["#/lines/0/url"]),
        ({"source": "partner", "lines": [{"url": A}, {"url": None}]}, ["#/lines/1/url"]),
        ({"source": "partner", "lines": [{"url": A}, A]}, ["#/lines/1"]),
        ({"source": "partner", "lines": [{"url": 7}]}, ["#/lines/0/url"]),
        ({"source": "partner", "lines": [{"url": A, "urgent": True}]}, ["#/lines/0/urgent"]),
        ({"source": "partner", "lines": [{"url": A}], "way": "file"}, ["#/way"]),
        ({"source": "partner", "lines": [{"url": A}], "__proto__": {}}, ["#/__proto__"]),
        ({"source": 1, "lines": [{"url": A}]}, ["#/source"]),
        ({"source": "partner", "lines": [{"url": A}], "reference": "x" * 201}, ["#/reference"]),
        ({"source": "partner", "lines": [{"url": A}] * 10_001}, ["#/lines"]),
        *(
            ({"source": "partner", "lines": [{"url": A}], "received_at": instant}, ["#/received_at"])
            for instant in (
                "2026-11-24", "2026-11-24T10:00:00", "2026-02-30T10:00:00Z", "0001-01-01T00:00:00+01:00",
                "9999-12-31T23:59:59-01:00", "yesterday", "", 1_764_000_000, None, "٢٠٢٦-11-24T10:00:00Z",
            )
        ),
    ],
)  # fmt: skip
def test_a_wrong_shape_is_refused_with_every_wrong_place(
    partner: Partner, body: Any, where: list[str]
) -> None:
    answer = partner.send(body)

    assert answer.status_code == 400
    assert pointers(answer) == where
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe{\x00}\x00", 400),
        (b'{"source": "partner", "lines": [{"url": "\x93x"}]}', 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"a":' * 30 + b"1" + b"}" * 30, 400),
        (b"[" + b"[]," * 100_000 + b"[]]", 400),
        (b'{"source": "partner", "source": "staff", "lines": []}', 400),
        (b'{"source": NaN}', 400),
        (b'{"source": -Infinity}', 400),
        (b'{"source": 1e999}', 400),
        (b'{"source": ' + b"9" * 5_000 + b"}", 400),
        (b'{"source": "partner", "lines": [{"url": "\\u0000"}]}', 400),
        (b'{"source": "partner", "lines": [{"url": "\\ud800"}]}', 400),
        (b'{"\\ud800": 1}', 400),
        (b'{"source": "\0"}', 400),
        (b'{"source": "' + b"x" * (5 * 2**20) + b'"}', 413),
    ],
)
@pytest.mark.parametrize("token", [None, "a token"])
def test_a_body_that_readers_would_read_differently_is_refused(
    partner: Partner, body: bytes, status: int, token: str | None
) -> None:
    answer = partner.send(body, token)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_json_may_begin_with_a_bom_and_hold_paired_surrogates(partner: Partner) -> None:
    body = b'\xef\xbb\xbf{"source": "partner", "lines": [{"url": "https://forum.example/\\ud83d\\ude00"}]}'

    assert partner.send(body).status_code == 201
    assert Notice.objects.get().content.url == "https://forum.example/%F0%9F%98%80"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json; charset=utf-8", 201),
        ('application/json; charset="UTF-8"', 201),
        ("application/json; charset=latin-1", 415),
        ("application/json; charset=nonsense", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data", 415),
    ],
)
def test_the_body_is_json_in_utf_8(partner: Partner, kind: str, status: int) -> None:
    body = {"source": "partner", "lines": [{"url": A}]}

    assert partner.send(body, kind=kind).status_code == status


@pytest.mark.parametrize("packed", ["gzip", "br", "deflate, gzip", "x"])
def test_a_packed_body_is_not_unpacked(partner: Partner, packed: str) -> None:
    answer = partner.send(gzip.compress(b"{}" * 1_000), packed=packed)

    assert (answer.status_code, answer["Content-Type"]) == (415, "application/problem+json")
    assert answer.json()["detail"] == "A compressed body is not read."


def test_an_unknown_source_is_refused_and_the_known_ones_are_named(partner: Partner) -> None:
    answer = partner.send({"source": "nobody", "lines": [{"url": A}]})

    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_source"
    assert "partner, public, staff" in answer.json()["detail"]


def test_a_report_of_another_key_does_not_exist(partner: Partner) -> None:
    reference = partner.report(A).json()["report"]
    other = Partner()

    missing = [other.get(reference), other.get("R-0000000000"), other.get("%00")]

    assert {answer.status_code for answer in missing} == {404}
    assert len({answer.content for answer in missing}) == 1


def test_keys_without_the_scope_and_no_keys_come_to_nothing(partner: Partner) -> None:
    anonymous, wrong = Client(), Partner(Scope.NOTICES_READ)
    alfa = ProviderFactory()
    _key, secret = api_key(provider=alfa)

    assert wrong.report(A).status_code == 403
    assert Client(headers={"Authorization": f"Bearer {secret}"}).post(REPORTS).status_code == 403
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer no"},
        {"Authorization": "Basic eA=="},
    ):
        answer = anonymous.post(f"{REPORTS}?key={partner.secret}", headers=headers)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert not Report.objects.exists()


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_key_that_was_revoked_or_expired_is_closed_at_once(partner: Partner, field: str) -> None:
    assert partner.report(A).status_code == 201
    ApiKey.objects.update(**{field: timezone.now()})

    assert partner.report(A).status_code == 401


def test_no_answer_and_no_audit_row_repeats_an_address(partner: Partner) -> None:
    answer = partner.report("https://forum.example/secret-1", "http://127.0.0.1/secret-2", "secret-3")

    assert b"secret" not in answer.content
    assert not Event.objects.filter(data__icontains="secret").exists()
    assert b"secret" not in partner.send({"source": "partner", "lines": [{"url": ["secret"]}]}).content


# -- The same call again (I11) ----------------------------------------------------------------------


def test_the_same_token_with_the_same_body_gives_the_same_answer(partner: Partner) -> None:
    first = partner.report(A, "nonsense", token="t-1")
    again = partner.report(A, "nonsense", token="t-1")

    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert Report.objects.count() == 1


def test_a_refusal_is_an_answer_too(partner: Partner) -> None:
    first = partner.send({"source": "nobody", "lines": [{"url": A}]}, "t-1")
    again = partner.send({"source": "nobody", "lines": [{"url": A}]}, "t-1")

    assert (again.status_code, again.content) == (422, first.content)
    assert again["Content-Type"] == "application/problem+json"


def test_the_same_token_with_another_body_is_refused(partner: Partner) -> None:
    partner.report(A, token="t-1")

    answer = partner.report(B, token="t-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Report.objects.count() == 1


def test_without_a_token_and_with_another_every_call_counts(partner: Partner) -> None:
    for token in (None, None, "t-1", "t-2"):
        partner.report(A, token=token)

    assert Report.objects.count() == 4


def test_two_keys_may_use_the_same_token(partner: Partner) -> None:
    assert partner.report(A, token="t-1").json() != Partner().report(A, token="t-1").json()
    assert Report.objects.count() == 2


@pytest.mark.parametrize("token", ["", "x" * 256, "é", "a\x7f"])
def test_a_token_is_a_short_visible_text(partner: Partner, token: str) -> None:
    assert partner.report(A, token=token).status_code == 400


def test_a_call_whose_process_died_is_made_again_and_goes_on_with_its_report(partner: Partner) -> None:
    answer = partner.report(A, token="t-1")
    # What a kill -9 between the report and its answer leaves behind.
    IdempotentCall.objects.update(status=None, answer=None)

    again = partner.report(A, token="t-1")

    assert again.content == answer.content
    assert Report.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_in_flight_is_a_conflict_and_its_end_frees_the_token() -> None:
    partner = Partner()
    inside, go_on = threading.Event(), threading.Event()
    _hold_lock_of(partner.key, "t-1", inside, go_on)

    assert inside.wait(10)
    during = partner.report(A, token="t-1")
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "holder":
            thread.join()
    after = partner.report(A, token="t-1")

    assert (during.status_code, during.json()["code"]) == (409, "idempotency_key_in_flight")
    assert after.status_code == 201


def _hold_lock_of(key: ApiKey, token: str, inside: threading.Event, go_on: threading.Event) -> None:
    """Another process, as the database sees it, that works on the call."""
    lock = int.from_bytes(hashlib.sha256(f"{key.pk}\0{token}".encode()).digest()[:8], signed=True)

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [lock])
            inside.set()
            go_on.wait(10)
        connection.close()

    threading.Thread(target=hold, name="holder").start()


@pytest.mark.django_db(transaction=True)
def test_one_call_made_eight_times_at_once_is_one_report() -> None:
    partner = Partner()
    answers: list[HttpResponse] = []
    start = threading.Barrier(8)

    def call() -> None:
        start.wait()
        answers.append(partner.report(A, token="t-1"))
        connection.close()

    _together(call, 8)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert Report.objects.count() == 1


def _together(job: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=job) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
