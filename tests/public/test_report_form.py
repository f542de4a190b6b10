"""The public form: anybody reports, nothing is lost, and nobody learns what is known here."""

import re
import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from audit.models import Event
from cases.models import FollowUp, Notice, Report, Reporter, ReportLine
from tests.public.conftest import FOLLOW, REPORT, Send, ticket

pytestmark = pytest.mark.django_db
TOKEN = "t" * 43
ADDRESS = "https://forum.example/thread/1.html"
JPEG = "/9j/4AAQSkZJRgABAQEASABIAAD" + "A" * 60


def nothing_is_stored() -> bool:
    tables = (Report, ReportLine, Notice, FollowUp, Reporter, Event)
    return not any(model.objects.exists() for model in tables)


@pytest.mark.parametrize("address", [REPORT, FOLLOW])
def test_to_look_at_a_page_stores_nothing(visitor: Client, address: str) -> None:
    assert visitor.get(address).status_code == 200
    assert visitor.head(address).status_code == 200
    assert nothing_is_stored()


@pytest.mark.parametrize("address", [REPORT, FOLLOW])
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_not_allowed(visitor: Client, address: str, method: str) -> None:
    assert getattr(visitor, method)(address).status_code == 405


def test_a_report_is_taken_in_without_name_and_gets_a_number_and_a_code(send: Send) -> None:
    page = send(
        addresses=f"{ADDRESS}\nhttps://forum.example/2.jpg", referrer="a chat group", note="I was sent it"
    )

    report = Report.objects.get()
    assert page.status_code == 200
    assert (report.source.code, report.way, report.by) == ("public", "public", "system:public_form")
    assert report.reference in page.text
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", page.context["code"])
    assert Notice.objects.count() == 2
    assert {(line.note, line.referrer) for line in report.lines.all()} == {("I was sent it", "a chat group")}
    assert not Reporter.objects.exists()


def test_the_receipt_repeats_no_address_and_its_code_is_stored_nowhere(send: Send) -> None:
    page = send(addresses=ADDRESS)

    assert "forum.example" not in page.text
    stored = bytes(FollowUp.objects.get().code_digest)
    assert page.context["code"].replace("-", "").encode() not in stored
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"


def test_a_bad_line_never_loses_the_rest_and_is_explained(send: Send) -> None:
    page = send(addresses=f"nonsense\n{ADDRESS}\n\nmagnet:?xt=urn:btih:0\nhttp://a@b.test@forum.example/3")

    assert [(line["number"], line["is_in"], line["waits"]) for line in page.context["lines"]] == [
        (1, False, False), (2, True, False), (3, False, False), (4, False, True),
    ]  # fmt: skip
    assert "it must begin with http" in page.text
    assert "magnet link" in page.text
    assert Notice.objects.count() == 1


def test_nobody_can_try_out_whether_an_address_is_known(send: Send) -> None:
    def told(page: object) -> str:
        text = re.sub(r"R-\w{10}|\w{4}-\w{4}-\w{4}|\d\d:\d\d(:\d\d)?", "", page.text)  # type: ignore[attr-defined]
        return text.split("<main", 1)[1]

    first, second = send(addresses=ADDRESS), send(addresses=ADDRESS)

    assert ReportLine.objects.filter(outcome="duplicate").count() == 1
    assert told(first) == told(second)


def test_a_double_click_is_one_report_with_one_code(visitor: Client) -> None:
    data = {"token": TOKEN, "contact": "reachable", "email": "someone@example.org", "addresses": ADDRESS}

    first, second = visitor.post(REPORT, data), visitor.post(REPORT, data)

    assert Report.objects.count() == Reporter.objects.count() == 1
    assert ticket(first) == ticket(second)


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_are_one_report_with_one_code() -> None:
    pages: list[dict[str, str]] = []
    start = threading.Barrier(4)

    def press() -> None:
        browser = Client(headers={"accept-language": "en"})
        start.wait()
        pages.append(
            ticket(browser.post(REPORT, {"token": TOKEN, "contact": "anonymous", "addresses": ADDRESS}))
        )
        connection.close()

    threads = [threading.Thread(target=press) for _press in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(pages) == 4
    assert len({tuple(page.values()) for page in pages}) == 1
    assert Report.objects.count() == FollowUp.objects.count() == Notice.objects.count() == 1


def test_the_same_form_with_other_contents_is_another_report(visitor: Client) -> None:
    data = {"token": TOKEN, "contact": "anonymous"}

    first = visitor.post(REPORT, data | {"addresses": ADDRESS})
    second = visitor.post(REPORT, data | {"addresses": ADDRESS + "?page=2"})

    assert Report.objects.count() == 2
    assert ticket(first)["code"] != ticket(second)["code"]


def test_a_form_without_its_secret_is_taken_in_all_the_same(visitor: Client) -> None:
    assert (
        visitor.post(REPORT, {"contact": "anonymous", "addresses": ADDRESS, "token": "x"}).status_code == 200
    )
    assert Report.objects.count() == 1


def test_a_missing_csrf_token_is_refused_and_stores_nothing() -> None:
    strict = Client(enforce_csrf_checks=True)

    for address in (REPORT, FOLLOW):
        assert strict.post(address, {"addresses": ADDRESS, "contact": "anonymous"}).status_code == 403
    assert nothing_is_stored()


# -- Who wants to be reached -----------------------------------------------------------------------------------


def test_who_wants_to_be_reached_is_kept_apart_and_sealed(send: Send) -> None:
    send(addresses=ADDRESS, contact="reachable", name="Sasha", email="sasha@example.org")

    reporter = Reporter.objects.get()
    assert (reporter.name, reporter.email) == ("Sasha", "sasha@example.org")
    assert b"sasha" not in bytes(reporter.email_sealed).lower()
    assert "sasha" not in str(list(Event.objects.values_list("data", flat=True))).lower()


def test_of_who_stays_anonymous_nothing_is_kept_whatever_stands_in_the_fields(send: Send) -> None:
    page = send(addresses=ADDRESS, contact="anonymous", name="Sasha", email="no address at all")

    assert page.status_code == 200
    assert not Reporter.objects.exists()


def test_who_wants_to_be_reached_says_how(send: Send) -> None:
    page = send(addresses=ADDRESS, contact="reachable", name="Sasha")

    assert page.status_code == 422
    assert "or choose to stay anonymous" in page.text
    assert nothing_is_stored()


@pytest.mark.parametrize("name", ["Sa\r\nBcc: x@example.org", "Sa\u202esha"])
def test_a_name_is_one_line_that_reads_as_it_is_written(send: Send, name: str) -> None:
    assert send(addresses=ADDRESS, contact="reachable", name=name, email="s@example.org").status_code == 422
    assert nothing_is_stored()


@pytest.mark.parametrize("email", ["a@example.org\r\nBcc: b@example.org", "a@example.org,b@example.org", "a"])
def test_an_e_mail_address_is_one_address(send: Send, email: str) -> None:
    assert send(addresses=ADDRESS, contact="reachable", email=email).status_code == 422


# -- What is no report -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t\n",
        "nonsense",
        "javascript:alert(1)",
        "magnet:?xt=urn:btih:0",
        "file:///C:/x.jpg",
        "https://forum.example/" + "a" * 8_193,
        "https://forum.example/\u0007a",
        "\u202ehttps://forum\u202e.example/",
        "https://forum.example/\x00",
        "a\tb" * 300_000,
    ],
)
def test_what_holds_no_address_comes_back_with_the_reason_and_stores_nothing(send: Send, text: str) -> None:
    page = send(addresses=text)

    assert page.status_code == 422
    assert "addresses" in page.context["form"].errors
    assert 'aria-describedby="id_addresses_helptext id_addresses_error"' in page.text
    assert nothing_is_stored()


def test_fifty_lines_are_too_many_and_are_still_there(send: Send) -> None:
    page = send(addresses="\n".join([ADDRESS] * 50))

    assert page.status_code == 422
    assert "at most 20 at a time" in page.text
    assert page.text.count(ADDRESS) == 50
    assert nothing_is_stored()


def test_one_address_twenty_times_is_one_notice(send: Send) -> None:
    page = send(addresses="\n".join([ADDRESS] * 20))

    assert [line["is_in"] for line in page.context["lines"]] == [True] * 20
    assert Notice.objects.count() == 1


@pytest.mark.parametrize(
    "material",
    [
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg",
        "DATA:video/mp4,abc",
        "see data:image/jpeg;base64,/9j/4AAQ",
        f"https://forum.example/?x=data:image/png;base64,{JPEG}",
        JPEG,
        "Qk2aAAAAAAAAAHYAAAAoAAAAEAAA",
        "f" * 300,
        "3q2+7w" * 15,
    ],
)
def test_material_is_refused_by_line_and_nothing_of_it_is_kept(send: Send, material: str) -> None:
    page = send(addresses=f"{material}\n{ADDRESS}")

    line = ReportLine.objects.get(number=1)
    assert (line.outcome, line.reason, line.raw_text) == ("rejected", "material", "")
    assert "Never send material" in page.text
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("field", ["note", "referrer", "name"])
@pytest.mark.parametrize("material", ["data:image/png;base64,AAAA", JPEG + "B" * 200, "x " + JPEG])
def test_material_among_the_words_is_refused(send: Send, field: str, material: str) -> None:
    fields = {
        "contact": "reachable",
        "email": "a@example.org",
        field: material[:200] if field == "name" else material,
    }

    assert send(addresses=ADDRESS, **fields).status_code == 422
    assert nothing_is_stored()


@pytest.mark.parametrize(
    "text",
    [
        "https://forum.example/" + "a1B2" * 200,
        "https://forum.example/view?session=" + "0123456789abcdef" * 30,
        "https://xn--d1acpjx3f.example/data/image.png",
    ],
)
def test_a_long_address_is_no_material(send: Send, text: str) -> None:
    assert send(addresses=text).context["lines"][0]["is_in"]


def test_plain_words_are_no_material(send: Send) -> None:
    words = "Gezien op https://forum.example/thread/123?page=2, na een linkje in data: een groep. " * 10

    assert send(addresses=ADDRESS, note=words).status_code == 200


def test_a_file_is_not_taken_in(visitor: Client) -> None:
    file = SimpleUploadedFile("x.jpg", b"\xff\xd8\xff")

    page = visitor.post(REPORT, {"token": TOKEN, "contact": "anonymous", "addresses": ADDRESS, "x": file})

    assert page.status_code == 422
    assert "were not kept" in page.text
    assert nothing_is_stored()


def test_a_body_of_many_megabytes_is_refused_as_a_whole(visitor: Client, settings: Settings) -> None:
    settings.DEBUG = False
    visitor.raise_request_exception = False

    page = visitor.post(REPORT, {"addresses": "a" * 6_000_000})

    assert page.status_code in {400, 413}
    assert nothing_is_stored()


def test_markup_is_shown_as_it_was_typed(send: Send) -> None:
    page = send(addresses="<script>alert(1)</script>", note="{{ 7*7 }}<img src=x>")

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "{{ 7*7 }}&lt;img" in page.text


# -- Floods ----------------------------------------------------------------------------------------------------


def test_a_flood_is_put_off_with_words_and_loses_nothing(send: Send, settings: Settings) -> None:
    hour = timedelta(hours=1)
    settings.RATES = {"report": {"address": (3, hour), "network": (9, hour), "everybody": (9, hour)}}

    pages = [send(addresses=f"{ADDRESS}?{number}", note="my words") for number in range(6)]

    assert [page.status_code for page in pages] == [200] * 3 + [429] * 3
    last = pages[-1]
    assert 0 < int(last["Retry-After"]) <= 20 * 60
    assert f"{ADDRESS}?5" in last.text
    assert "my words" in last.text
    assert settings.HOST.organisation.phone in last.text
    assert Report.objects.count() == 3


def test_a_header_gives_nobody_more_tries(send: Send, visitor: Client, settings: Settings) -> None:
    hour = timedelta(hours=1)
    settings.RATES = {"report": {"address": (1, hour), "network": (9, hour), "everybody": (9, hour)}}
    send(addresses=ADDRESS)

    again = visitor.post(
        REPORT,
        {"contact": "anonymous", "addresses": ADDRESS},
        headers={"x-forwarded-for": "198.51.100.7", "forwarded": "for=198.51.100.7"},
    )

    assert again.status_code == 429


def test_a_second_press_is_answered_also_when_nothing_more_may_come(
    visitor: Client, settings: Settings
) -> None:
    hour = timedelta(hours=1)
    settings.RATES = {"report": {"address": (1, hour), "network": (9, hour), "everybody": (9, hour)}}
    data = {"token": TOKEN, "contact": "anonymous", "addresses": ADDRESS}

    assert [visitor.post(REPORT, data).status_code for _press in range(3)] == [200, 200, 200]


# -- Words and cost --------------------------------------------------------------------------------------------


def test_another_language_keeps_what_was_typed_and_stores_nothing(visitor: Client) -> None:
    page = visitor.post(REPORT, {"language": "nl", "token": TOKEN, "addresses": ADDRESS, "note": "my words"})

    assert '<html lang="nl"' in page.text
    assert ADDRESS in page.text
    assert "my words" in page.text
    assert TOKEN in page.text
    assert nothing_is_stored()
    assert '<html lang="nl"' in visitor.get(FOLLOW).text


def test_a_language_that_is_not_spoken_changes_nothing(visitor: Client) -> None:
    page = visitor.post(REPORT, {"language": "../../x", "addresses": ADDRESS})

    assert '<html lang="en"' in page.text
    assert "django_language" not in page.cookies


def test_the_start_page_leads_to_both_pages(visitor: Client) -> None:
    start = visitor.get("/").text

    assert f'href="{REPORT}"' in start
    assert f'href="{FOLLOW}"' in start


def test_the_form_asks_the_database_nothing_and_more_lines_cost_no_more(visitor: Client) -> None:
    with CaptureQueriesContext(connection) as form:
        visitor.get(REPORT)
    assert len(form) == 0

    def cost(count: int) -> int:
        text = "\n".join(f"https://forum.example/{count}/{number}" for number in range(count))
        with CaptureQueriesContext(connection) as queries:
            page = visitor.post(REPORT, {"contact": "anonymous", "addresses": text})
        assert page.status_code == 200
        return len(queries)

    assert cost(1) == cost(20)
