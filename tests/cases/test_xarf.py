"""XARF v4 reports: whatever comes in, they are valid by the official schemas, or they are not sent."""

import filecmp
import json
import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some

from cases import url as urls
from cases.formats import letter as letters
from cases.formats import xarf
from cases.formats.files import Unmade
from cases.formats.xarf.schema import FORMATS, SCHEMAS, hold
from cases.models import Dispatch, Notice
from cases.services import outgoing
from cases.services.sending import claim, deliver_due, prepare
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    AttributionFactory,
    ContactFactory,
    DispatchFactory,
    HostRuleFactory,
    NetworkFactory,
    NoticeFactory,
    ProviderFactory,
    StepFactory,
)
from tests.mailserver import MailServer

HOUR = timedelta(hours=1)
OFFICIAL = Path(settings.BASE_DIR).parent / "shared" / "data" / "xarf"


def first(*, formats: str = "xarf", dispatch: Dispatch | None = None, **fields: Any) -> Notice:
    """A notice on a first message, due at NOON, for a desk that reads these formats."""
    contact = ContactFactory(
        provider=ProviderFactory(language="en"), approved=True, mode="attachment", formats=formats
    )
    on = {"contact": contact} if dispatch is None else {"dispatch": dispatch, "provider": contact.provider}
    notice: Notice = NoticeFactory(**{"routed": True, **on, **fields})
    return notice


def made(at: datetime = NOON) -> EmailMessage:
    """The one due message, as a stranger's parser reads it off the wire."""
    (held,) = claim(now=at, limit=1)
    ready = prepare(held, resolver=FixedResolver(), by=SYSTEM, now=at)
    assert ready is not None
    parsed = message_from_bytes(ready.message.as_bytes(), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def reports(message: EmailMessage) -> dict[str, dict[str, Any]]:
    """file name -> report."""
    return {
        part.get_filename() or "": json.loads(part.get_content())
        for part in message.iter_attachments()
        if part.get_content_type() == "application/json"
    }


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


# -- the schemas ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official schemas are not beside this checkout")
def test_our_copies_of_the_schemas_are_the_official_ones() -> None:
    names = sorted(path.name for path in OFFICIAL.iterdir())
    same, differing, missing = filecmp.cmpfiles(OFFICIAL, SCHEMAS, names, shallow=False)
    assert (sorted(same), differing, missing) == (names, [], [])


def test_nothing_is_fetched_to_validate(monkeypatch: pytest.MonkeyPatch) -> None:
    from cases.formats.xarf import schema

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("somebody wants the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    schema._validator.cache_clear()
    example = json.loads((SCHEMAS / "content-csam.json").read_text())["examples"][0]

    hold(example, about="the schema's own example")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "https://forum.example/a b"),
        ("url", "forum.example/a"),
        ("url", "https://forum.example/%zz"),
        ("report_id", "7"),
        ("timestamp", "2026-11-24 12:00:00"),
        ("timestamp", "2026-02-30T12:00:00Z"),
        ("classification", "national"),
        ("domain", "xn--bcher-kva.example"),
        ("sender", {"org": "x", "contact": "nobody", "domain": "hotline.example"}),
        ("sender", {"org": "x", "contact": "a@hotline.example", "domain": "-hotline.example"}),
        ("sender", {"org": "x", "contact": "a@hotline.example"}),
        ("evidence", [{"payload": ""}]),
        ("asn", 0),
    ],
)
def test_what_is_wrong_is_said_without_the_value(field: str, value: Any) -> None:
    example = json.loads((SCHEMAS / "content-csam.json").read_text())["examples"][0]

    with pytest.raises(Unmade) as problem:
        hold({**example, field: value}, about="N-0000000000")

    assert f"$.{field}" in str(problem.value)
    assert "forum" not in str(problem.value)
    assert "N-0000000000" in str(problem.value)


def test_every_format_that_the_schemas_name_and_we_use_is_checked() -> None:
    assert set(FORMATS.checkers) >= {"uri", "uuid", "date-time", "email", "hostname"}


# -- what a report says ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_report_says_where_it_is_and_who_says_so() -> None:
    notice = first(content__url="https://forum.example/a|b.jpg?x=[1]", last_seen_online_at=NOON - HOUR)
    message = made()

    (name, report), *none = reports(message).items()
    assert (name, none) == ("xarf.json", [])
    assert {key: report[key] for key in report if key not in {"report_id", "description"}} == {
        "xarf_version": "4.2.0",
        "timestamp": "2026-11-24T11:00:00+00:00",
        "reporter": {
            "org": "Meldpunt (test)",
            "contact": "meldpunt@hotline.example",
            "domain": "hotline.example",
        },
        "sender": {
            "org": "Meldpunt (test)",
            "contact": "meldpunt@hotline.example",
            "domain": "hotline.example",
        },
        "source_identifier": "192.0.2.10",
        "category": "content",
        "type": "csam",
        "url": "https://forum.example/a%7Cb.jpg?x=%5B1%5D",
        "domain": "forum.example",
        "classification": "baseline",
        "detection_method": "manual_review",
        "verification_method": "manual",
        "verified_at": "2026-11-24T11:00:00+00:00",
        "media_type": "image",
        "hosting_provider": "Alfa Hosting",
        "asn": 64500,
        "country_code": "NL",
        "tags": [f"notice:{notice.reference.lower()}", "message:first"],
        "evidence": [],
    }
    assert notice.reference in report["description"]
    assert not [part for part in message.iter_attachments() if part.get_content_type() == "text/csv"]


@pytest.mark.django_db
def test_what_a_person_saw_goes_before_the_name_of_the_file() -> None:
    notice = first(content__url="https://forum.example/show.php")
    assert "media_type" not in reports(made())["xarf.json"]

    beside = letters.line(
        1, Notice.objects.select_related("content").get(pk=notice.pk), "attachment", judged_type="collection"
    )
    letter = SimpleNamespace(dispatch=notice.dispatch_lines.get().dispatch, addressee="Alfa")
    assert xarf.report(letter, beside)["media_type"] == "mixed"


@pytest.mark.django_db
def test_each_notice_is_a_file_of_its_own_and_national_law_stays_out_of_it() -> None:
    notice = first()
    dispatch = notice.dispatch_lines.get().dispatch
    national = first(dispatch=dispatch, legal_class="national", content__url="https://forum.example/nl/2.jpg")
    third = first(dispatch=dispatch)
    message = made()

    assert {name: report["tags"][0] for name, report in reports(message).items()} == {
        "xarf-1.json": f"notice:{notice.reference.lower()}",
        "xarf-3.json": f"notice:{third.reference.lower()}",
    }
    assert f"2. {national.reference}" in text(message)
    assert "Without an XARF report: line 2. XARF has no class for what only Dutch law forbids." in text(
        message
    )
    assert "Log in to the portal to read those addresses." in text(message)
    assert "/nl/2.jpg" not in "".join(str(part.get_content()) for part in message.iter_parts())


@pytest.mark.django_db
def test_with_both_formats_what_is_left_out_of_one_is_in_the_other() -> None:
    notice = first(formats="both")
    first(
        formats="both",
        dispatch=notice.dispatch_lines.get().dispatch,
        legal_class="national",
        content__url="https://forum.example/nl/2.jpg",
    )
    message = made()

    (csv_file,) = [part for part in message.iter_attachments() if part.get_content_type() == "text/csv"]
    assert "https://forum.example/nl/2.jpg" in str(csv_file.get_content())
    assert list(reports(message)) == ["xarf-1.json"]
    assert "in the attached CSV file, and in XARF v4 reports" in text(message)
    assert "Log in to the portal to read" not in text(message)


@pytest.mark.django_db
def test_only_national_law_leaves_no_report_and_says_where_to_read() -> None:
    first(legal_class="national")
    message = made()

    assert reports(message) == {}
    assert "Without an XARF report: line 1." in text(message)
    assert "in the attached XARF" not in text(message)


@pytest.mark.django_db
def test_a_reminder_has_its_own_reports_and_a_retry_the_same_ones() -> None:
    notice = first(escalated=True, notified_at=NOON - 24 * HOUR, last_seen_online_at=NOON - HOUR)
    StepFactory(notice=notice, code="reminder-2")
    original = notice.dispatch_lines.get()
    DispatchFactory(contact=original.contact, reminder=True, round=2, lines_of=[notice])
    message, again = made(), made(at=NOON + HOUR)  # the lease of the first has run out by then

    report, later = (reports(each)["xarf.json"] for each in (message, again))
    assert report["report_id"] == later["report_id"]
    assert report["tags"] == [f"notice:{notice.reference.lower()}", "message:reminder"]


# -- odd input ------------------------------------------------------------------------------------------

LONG = "https://forum.example/" + "a" * (8_192 - len("https://forum.example/"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "said", "domain"),
    [
        ("https://bücher.example/ä.jpg", "https://xn--bcher-kva.example/%C3%A4.jpg", None),
        ("http://[2001:db8::7]:8080/x.png", "http://[2001:db8::7]:8080/x.png", None),
        ("https://img_1.forum.example/x", "https://img_1.forum.example/x", None),
        ("https://forum.example/100%/%zz", "https://forum.example/100%25/%25zz", "forum.example"),
        ('https://forum.example/?q="<>`{}|\\^', None, "forum.example"),
        (LONG, LONG, "forum.example"),
    ],
    ids=[
        "IDN",
        "IPv6",
        "underscore",
        "stray percent signs",
        "what browsers leave as it is",
        "8,192 characters",
    ],
)
def test_odd_addresses_make_valid_reports(address: str, said: str | None, domain: str | None) -> None:
    first(content__url=address)
    report = reports(made())["xarf.json"]

    assert report["url"] == said or said is None
    assert report.get("domain") == domain
    # What a browser would ask for is the same.
    assert urls.parse(report["url"]).host == urls.parse(address).host


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "source"),
    [("https://forum.example/x", "forum.example"), ("https://[2001:db8::7]/x", "2001:db8::7")],
)
def test_without_a_known_address_the_host_names_the_source(address: str, source: str) -> None:
    unknown = AttributionFactory(
        source="host_rule",
        rule_reason="x",
        address=None,
        addresses=[],
        asn=None,
        prefix=None,
        network_name="",
    )
    first(content__url=address, attribution=unknown)
    report = reports(made())["xarf.json"]

    assert report["source_identifier"] == source
    assert "asn" not in report


CHARACTERS = some.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])
HOSTS = some.sampled_from(
    [
        "forum.example",
        "bücher.example",
        "xn--bcher-kva.example",
        "a_b.example",
        "192.0.2.7",
        "[2001:db8::7]",
        "forum.example:8443",
    ]
)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    host=HOSTS,
    path=some.text(CHARACTERS, max_size=40),
    query=some.text(CHARACTERS, max_size=40),
    name=some.text(CHARACTERS, max_size=300),
    address=some.sampled_from([None, "192.0.2.10", "2001:db8::7"]),
    asn=some.sampled_from([None, 0, 64500, 4_294_967_295]),
    judged=some.sampled_from(["", "image", "stream", "archive", "word of a later version"]),
    seen=some.none()
    | some.datetimes(
        min_value=datetime(2020, 1, 1),  # noqa: DTZ001
        timezones=some.just(UTC),
    ),
)
def test_whatever_comes_in_a_report_is_valid(
    host: str,
    path: str,
    query: str,
    name: str,
    address: str | None,
    asn: int | None,
    judged: str,
    seen: datetime | None,
) -> None:
    try:
        parsed = urls.parse(f"https://{host}/{path}?{query}")
    except (urls.Refusal, urls.Quarantine):
        return
    place = SimpleNamespace(address=address, network="", asn=asn, country="NL" if asn else "", why="")
    notice = SimpleNamespace(
        reference="N-0123456789",
        content=SimpleNamespace(url=parsed.canonical, host=parsed.host),
        attribution=place,
        legal_class="baseline",
        received_at=NOON,
        last_seen_online_at=seen,
        notified_at=None,
        due_at=None,
        closed_because="",
    )
    line = letters.line(1, notice, "attachment", judged_type=judged)
    dispatch = SimpleNamespace(message_id="<x@hotline.example>", number="NTD-2026-000001", kind="first")

    report = xarf.report(SimpleNamespace(dispatch=dispatch, addressee=letters.one_line(name)), line)

    hold(report, about="N-0123456789")
    assert urls.parse(report["url"]).host == parsed.host


# -- what is not valid is not sent ----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_message_whose_report_is_not_valid_is_parked_and_the_log_has_no_address(
    mail_server: MailServer,
    static_resolver: FixedResolver,
    host: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    NetworkFactory()
    host(sender_address="Meldpunt <meldpunt@hotline_desk.example>")
    notice = first(content__url="https://forum.example/gallery/secret.jpg")
    beta = ProviderFactory(code="beta")
    neighbour = NoticeFactory(
        routed=True, provider=beta, attribution__provider=beta, content__url="https://beta.example/x"
    )
    HostRuleFactory(provider=beta, pattern="beta.example")
    caplog.set_level(logging.DEBUG, "cases")

    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)

    parked = Dispatch.objects.get(lines__notice=notice)
    assert (parked.state, parked.trouble, parked.failures) == ("parked", "unmade", 0)
    assert parked.trouble_answer.startswith(
        f"The XARF report about {notice.reference} is not valid: $.reporter"
    )
    assert notice.dispatch_lines.get().dropped_because == ""
    assert "secret" not in caplog.text
    assert "forum.example" not in caplog.text
    assert notice.reference in caplog.text
    assert not [each for each in mail_server.received if "alfa" in each.recipient]
    assert Notice.objects.get(pk=neighbour.pk).state == "notified"

    host(sender_address="Meldpunt <meldpunt@hotline.example>", mail=settings.HOST.mail)
    outgoing.retry(dispatch_id=parked.pk, by=SYSTEM, now=NOON)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)
    assert Dispatch.objects.get(pk=parked.pk).state == "accepted"
