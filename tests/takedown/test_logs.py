"""A log line is one line of JSON and holds no address of content."""

import json
import logging

import pytest

from takedown.logs import Line, scrub


def line(message: str, *args: object, **extra: object) -> dict[str, object]:
    record = logging.makeLogRecord(
        {"name": "cases", "levelno": 20, "levelname": "INFO", "msg": message} | extra
    )
    record.args = args
    said = Line().format(record)
    assert "\n" not in said
    parsed: dict[str, object] = json.loads(said)
    return parsed


@pytest.mark.parametrize(
    "address",
    [
        "https://forum.example/img/0001.jpg",
        "HTTP://FORUM.EXAMPLE/img",
        "hxxps://forum.example/img",
        "hxxps[:]//forum.example/img",
        "http:\\\\forum.example\\img",
        "https%3A%2F%2Fforum.example%2Fimg",
        "ftp://forum.example/img",
        "magnet:?xt=urn:btih:forum.example",
        "https://user:word@forum.example/img",
    ],
)
def test_an_address_never_reaches_the_log(address: str) -> None:
    assert "forum" not in scrub(f"Refused {address}, line 3").lower()
    assert "line 3" in scrub(f"Refused '{address}' line 3")


def test_what_is_no_address_stays_as_it_is() -> None:
    said = "Notice N-7QK3M0V9TD: accepted at 12:00:05 by mx.example.net (250 2.0.0 Ok: queued)"

    assert scrub(said) == said


def test_an_address_in_arguments_extras_and_exceptions_is_left_out() -> None:
    try:
        raise ValueError("cannot read https://forum.example/img")
    except ValueError as error:
        failure = (type(error), error, error.__traceback__)

    said = line("Saw %s", "https://forum.example/a", note="at https://forum.example/b", exc_info=failure)

    assert "forum" not in json.dumps(said)
    assert "ValueError" in str(said["exception"])


def test_the_row_that_the_database_refused_is_left_out() -> None:
    refused = "duplicate key\nDETAIL:  Key (host)=(forum.example) already exists.\nHINT:  Look first."

    assert scrub(refused) == "duplicate key\nDETAIL: [left out]\nHINT:  Look first."


def test_a_line_says_when_who_and_what_was_given_with_it() -> None:
    said = line("Sent %d", 3, reference="N-7QK3M0V9TD", request=object())

    assert said["message"] == "Sent 3"
    assert said["logger"] == "cases"
    assert said["reference"] == "N-7QK3M0V9TD"
    assert "request" not in said


@pytest.mark.parametrize(
    "secret",
    ["/answer/abcdefgh234567abcdefgh234567abcdefgh2345/", "/join/k9_Zq-T0aaaaaaa/", "/answer/abcdef"],
)
def test_the_secret_of_a_link_never_reaches_the_log(secret: str) -> None:
    assert secret.split("/")[2] not in scrub(f"Not Found: {secret}")
    assert scrub("Not Found: /join/options/") == "Not Found: /join/options/"
    assert (
        scrub("Not Found: /portal/notices/N-7QK3M0V9TD/answer/")
        == "Not Found: /portal/notices/N-7QK3M0V9TD/answer/"
    )
