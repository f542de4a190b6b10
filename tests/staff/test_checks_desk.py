"""The desk of checks: whether somebody looks in time, where we cannot see, and looks by people and in files."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.record import Actor
from cases.models import Notice, Sighting
from cases.services import due_checks, figures, observe, watching
from cases.services.observe import Seen
from cases.services.watching import Pace, pace, percent
from tests.factories import NoticeFactory, UserFactory

pytestmark = pytest.mark.django_db
CHECKS = "/staff/checks/"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BY = Actor("key", "7")


def desk_of(client: Client, role: str = "notice_desk") -> Client:
    client.force_login(UserFactory(roles=[role], language="en"))
    return client


def text_of(client: Client) -> str:
    answer = client.get(CHECKS)
    assert answer.status_code == 200
    return answer.content.decode()


def watched(due_ago: timedelta, **fields: object) -> Notice:
    now = timezone.now()
    return NoticeFactory(notified=True, notified_at=now - 5 * HOUR, next_check_at=now - due_ago, **fields)


@pytest.mark.parametrize(
    ("behind", "due", "needed", "done", "expected"),
    [
        (False, 40, 900, 0, (Pace.ENOUGH, None)),
        (True, 500, 1_000, 1_250, (Pace.CATCHES_UP, 2 * HOUR)),
        (True, 500, 1_000, 1_000, (Pace.FALLS_BEHIND, None)),
        (True, 1, 0, 0, (Pace.FALLS_BEHIND, None)),
    ],
)
def test_whether_the_checkers_keep_up(
    behind: bool, due: int, needed: int, done: int, expected: tuple[Pace, timedelta | None]
) -> None:
    assert pace(behind=behind, due=due, needed=needed, done=done) == expected


def test_a_share_says_neither_none_nor_all_when_it_is_neither() -> None:
    assert [percent(*each) for each in ((0, 0), (0, 9), (1, 900), (899, 900), (9, 9), (1, 3))] == [
        0, 0, 1, 99, 100, 33,
    ]  # fmt: skip


def test_that_nobody_looks_is_said_first_and_counted_on_the_start_page(client: Client) -> None:
    watched(20 * MINUTE)
    desk_of(client)

    assert "Nobody looks: no checker has been heard of lately." in text_of(client)
    watched(14 * MINUTE)
    (late,) = [
        each for each in client.get("/staff/").context["counters"] if each.name == "checks that are late"
    ]
    assert len(client.get(late.href).context["rows"]) == late.count == 1


def test_who_keeps_up_is_enough_and_what_cannot_be_seen_is_told_without_an_address(client: Client) -> None:
    now = timezone.now()
    notices = [
        watched(MINUTE, content__url=f"https://wall{n % 2}.example/secret-path/{n}.jpg") for n in range(4)
    ]
    due_checks.lease_checks(limit=3, vantage="Delft", by=BY, now=now)
    seen = [
        Seen(notice.reference, now, outcome, "Delft", http_status=status, note=note)
        for notice, outcome, status, note in zip(
            notices,
            ("blocked", "online", "unknown", "online"),
            (403, 200, None, 200),
            ("", "", "timed out", "see my page"),
            strict=True,
        )
    ]
    observe.observe(sightings=seen, by=BY, now=now)
    text = text_of(desk_of(client))

    assert "Enough: the checkers keep up" in text
    assert "wall0.example/…" in text
    assert "secret-path" not in text
    assert "The site refuses us (HTTP 403)." in text
    assert "The server does not answer in time." in text
    assert "see my page" not in text
    (delft,) = watching.seen_from(now=now)
    assert (delft.hour, delft.blocked_percent, delft.unknown_percent) == (4, 25, 25)
    (host,), _reasons = watching.failing(now=now)
    assert (host.masked, host.looks, host.blocked, host.unknown) == ("wall0.example/…", 2, 1, 1)


def test_who_falls_behind_hears_in_what_time_it_will_have_caught_up(client: Client) -> None:
    now = timezone.now()
    for _ in range(3):
        watched(2 * HOUR)
    seen_before = [watched(MINUTE) for _ in range(2)]
    due_checks.lease_checks(limit=1, vantage="Delft", by=BY, now=now)
    desk_of(client)
    assert "The checkers fall behind" in text_of(client)

    Notice.objects.filter(pk__in=[notice.pk for notice in seen_before]).update(next_check_at=None)
    seen = [Seen(notice.reference, now, "online", "Delft") for notice in seen_before]
    observe.observe(sightings=seen, by=BY, now=now)
    Notice.objects.filter(pk__in=[notice.pk for notice in seen_before]).update(next_check_at=None)
    assert "Behind, and catching up: at the pace of the last hour in about 1 h 30 min." in text_of(client)


def test_the_desk_asks_the_database_as_often_for_many_as_for_one(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    desk_of(client)
    notices = [watched(MINUTE, content__url=f"https://host{n}.example/x") for n in range(12)]
    seen = [Seen(notice.reference, now, "blocked", f"from {n}") for n, notice in enumerate(notices)]
    observe.observe(sightings=seen, by=BY, now=now)
    text_of(client)
    with django_assert_max_num_queries(16):
        text_of(client)


def test_who_was_not_heard_of_for_a_week_is_forgotten() -> None:
    now = timezone.now()
    due_checks.lease_checks(limit=1, vantage="old", by=BY, now=now - timedelta(days=8))
    due_checks.lease_checks(limit=1, vantage="new", by=BY, now=now)

    watching.forget(now=now)

    assert [each.name for each in watching.seen_from(now=now)] == ["new"]


def test_a_checker_that_does_not_say_where_it_looks_from_is_heard_of_all_the_same(client: Client) -> None:
    watched(-HOUR)
    due_checks.lease_checks(limit=1, by=BY, now=timezone.now())

    assert "Enough: the checkers keep up" in text_of(desk_of(client))


def test_more_than_a_page_counts_is_said_with_the_moment_it_was_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.counting.COUNTED", 2)
    for _ in range(4):
        watched(MINUTE)
    figures.keep(now=timezone.now())

    assert "counted" in text_of(desk_of(client))


# -- looks by people ---------------------------------------------------------------------------------------


def press(client: Client, notice: Notice, **fields: str) -> str:
    answer = client.post(f"/staff/cases/notice/{notice.pk}/look/", {"version": "0", **fields}, follow=True)
    return answer.content.decode()


def test_a_persons_look_counts_and_says_who_looked(client: Client) -> None:
    notice = watched(MINUTE)
    desk_of(client)

    text = press(client, notice, outcome="online", note="HTTP 200 at our office and/or elsewhere")
    assert "Your look is recorded." in text
    assert "· person" not in text, "but by name"

    (look,) = Sighting.objects.filter(notice=notice, vantage="person")
    assert look.by.startswith("user:")
    assert Notice.objects.get(pk=notice.pk).last_seen_online_at == look.seen_at


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "This field is required"),
        ({"outcome": "burnt"}, "Select a valid choice"),
        ({"outcome": "gone", "seen_at": "2026-02-30T10:00"}, "Enter a valid date/time"),
        ({"outcome": "gone", "seen_at": "2026-10-25T02:30"}, "the clocks change"),
        ({"outcome": "gone", "seen_at": "2026-03-29T02:30"}, "the clocks change"),
        ({"outcome": "gone", "seen_at": "2099-01-01T10:00"}, "cannot lie in the future"),
        ({"outcome": "gone", "seen_at": "2001-01-01T10:00"}, "before the notice was sent"),
        ({"outcome": "gone", "note": "see https://x.example/a"}, "Leave addresses out of the note."),
        ({"outcome": "gone", "note": "see hxxps x[.]example"}, "Leave addresses out of the note."),
        ({"outcome": "gone", "note": "see img.forum.example/a.jpg"}, "Leave addresses out of the note."),
        ({"outcome": "gone", "note": "x" * 301}, "at most 300 characters"),
    ],
)
def test_a_look_that_makes_no_sense_is_refused_in_words(
    client: Client, fields: dict[str, str], words: str
) -> None:
    notice = watched(MINUTE)

    assert words in press(desk_of(client), notice, **fields)
    assert not Sighting.objects.exists()


def test_nobody_looks_for_what_has_not_arrived(client: Client) -> None:
    notice = NoticeFactory(routed=True)

    assert "nothing to look for" in press(desk_of(client), notice, outcome="gone")


# -- looks in a file ---------------------------------------------------------------------------------------


def upload(client: Client, content: str | bytes) -> tuple[int, str]:
    raw = content if isinstance(content, bytes) else content.encode()
    answer = client.post(f"{CHECKS}file/", {"file": SimpleUploadedFile("looks.csv", raw)})
    return answer.status_code, answer.content.decode()


def test_a_file_of_looks_has_a_receipt_for_each_line_and_adds_nothing_twice(client: Client) -> None:
    first, second = watched(MINUTE), watched(MINUTE)
    at = (timezone.now() - HOUR).isoformat()
    file = (
        "note;notice;seen_at;outcome;vantage;http_status\r\n"
        f";{first.reference};{at};gone;colleagues abroad;404\r\n"
        f";{second.reference.lower()};{at};online;;\r\n"
        f'"two words";{second.reference};{at};gone;;\r\n'
        "\r\n"
        f";{first.reference};yesterday;gone;;\r\n"
        f";N-0000000000;{at};gone;;\r\n"
        f";{first.reference};{at};gone\r\n"
    )
    desk_of(client)

    status, text = upload(client, file)

    assert status == 200
    assert "Read: 2 new, 1 that we had, 3 refused." in text
    assert "seen_at: write it as ISO 8601" in text
    assert "There is no such notice." in text
    assert "The line has 4 fields, the header has 6." in text
    assert "Read: 0 new, 3 that we had, 3 refused." in upload(client, file)[1]
    looks = Sighting.objects.order_by("pk").values_list("vantage", "http_status", "outcome")
    assert list(looks) == [("colleagues abroad", 404, "gone"), ("person", None, "online")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "submitted file is empty"),
        (b"notice;seen_at;outcome\n", "There are no lines in it."),
        (b"notice;seen_at\n", "outcome"),
        (b"notice;seen_at;outcome;url\n", "There is no column"),
        (b"notice;notice;seen_at;outcome\n", "is there twice"),
        (b"notice,seen_at,outcome\n", "not separated by semicolons"),
        ("notice;seen_at;outcome\n".encode("utf-16"), "UTF-16"),
        (b"notice;seen_at;outcome\n\xff\n", "not in UTF-8"),
        (b'notice;seen_at;outcome\n"N-1;x;y\n', "quotation mark"),
        (b"notice;seen_at;outcome\nN\0;x;y\n", "NUL"),
        (b"PK\x03\x04xlsx", "spreadsheet"),
        (b"\x1f\x8bgz", "gzip"),
        (b"notice;seen_at;outcome\n" + b"N-1;x;y\n" * 5_001, "more than 5,000 lines"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing_and_says_why(
    client: Client, content: bytes, words: str
) -> None:
    status, text = upload(desk_of(client), content)

    assert (status, words in text) == (422, True)
    assert not Sighting.objects.exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("https://x.example/secret;{at};gone;;;", "notice: this is not a reference"),
        ("{ref};2026-11-24T10:00:00;gone;;;", "seen_at: write it"),
        ("{ref};2026-02-30T10:00:00Z;gone;;;", "seen_at: write it"),
        ("{ref};{at};burnt;;;", "outcome: it must be one of"),
        ("{ref};{at};gone;99;;", "http_status: it must be"),
        ("{ref};{at};gone;４０４;;", "http_status: it must be"),
        ("{ref};{at};gone;;" + "v" * 61 + ";", "vantage: it must be one line of at most 60"),
        ("{ref};{at};gone;;;" + "n" * 301, "note: it must be one line of at most 300"),
        ("{ref};{at};gone;;;\u202ex", "note: it must be one line"),
        ("{ref};{at};gone;;;http://x.example/secret", "Leave addresses out of the note."),
        ("{ref};1999-01-01T10:00:00Z;gone;;;", "before the notice was sent"),
    ],
)
def test_a_bad_line_is_refused_by_its_field_and_never_shown_again(
    client: Client, line: str, words: str
) -> None:
    notice, at = watched(MINUTE), datetime.now(UTC).isoformat()
    good = f"{notice.reference};{at};online;;elsewhere;"
    file = "\n".join(
        ["notice;seen_at;outcome;http_status;vantage;note", line.format(ref=notice.reference, at=at), good]
    )

    _status, text = upload(desk_of(client), file)

    assert words in text
    assert "secret" not in text
    assert [look.vantage for look in Sighting.objects.all()] == ["elsewhere"]


@pytest.mark.parametrize(
    ("role", "status"), [("supervisor", 200), ("lead", 200), ("analyst", 403), ("auditor", 403)]
)
def test_the_desk_opens_to_who_sees_that_it_goes_on(client: Client, role: str, status: int) -> None:
    desk_of(client, role)

    assert client.get(CHECKS).status_code == status
    assert client.post(f"{CHECKS}file/").status_code == (422 if status == 200 else 403)
