"""The small language of the words of messages: names from a list, and nothing that does more."""

import pytest

from cases.formats.wording import PLACEHOLDERS, Unfilled, faults, filled, placeholders, tidy
from cases.models import Dispatch, MessageTemplate

GOOD = {
    "opening": "We write to {provider}.",
    "ask": "Act within {hours} hours.",
    "answer": "Reply, or log in: {portal}",
    "objection": "Say so.",
    "closing": "",
}


def wrong(kind: str = "first", **words: str) -> list[tuple[str, int]]:
    """(part, line) of each fault."""
    return [(fault.part, fault.line) for fault in faults(kind, GOOD | words)]


def test_good_words_have_no_fault() -> None:
    assert wrong() == []


@pytest.mark.parametrize("kind", Dispatch.Kind.values)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_first_words_of_each_kind_are_good(db: None, kind: str, language: str) -> None:
    template = MessageTemplate.objects.get(kind=kind, language=language, version=1)

    assert faults(kind, template.words) == []
    assert tidy(template.answer) == template.answer


@pytest.mark.parametrize(
    "line",
    [
        "Dear {nobody},",
        "{due_at}",  # a name of another kind of message
        "{hours.real}",
        "{hours!r}",
        "{0}",
        "{}",
        "{ hours }",
        "{{ hours }}",
        "{% load x %}",
        "a } alone",
        "see https://forum.example/img.jpg",
        "see hxxps://forum[.]example/img.jpg",
        "see HTTP: //forum.example",
        "see www.forum.example",
        "see forum.example/img/1.jpg",
        "see forum(dot)example/img",
        "//forum.example/x",
        "a\tb",
        "a\x00b",
        "a\u202eb",
        "a\u200bb",
        "a\u2028b",
        "a\x1b[31mb",
    ],
)
def test_what_does_not_belong_is_refused_with_its_part_and_line(line: str) -> None:
    found = wrong(ask=f"Act within {{hours}} hours.\n{line}\nThank you.")

    assert found
    assert set(found) == {("ask", 2)}


@pytest.mark.parametrize(
    "line",
    [
        "24/7, and/or, e.g. this",
        "Call +31 20 000 00 00.",
        "Mail abuse@hotline.example.",
        "€ 5 – “really”",
        "<b>",
    ],
)
def test_ordinary_prose_is_not(line: str) -> None:
    assert wrong(closing=line) == []


@pytest.mark.parametrize(
    ("kind", "words", "part"),
    [
        ("first", {"ask": "Act soon."}, "ask"),
        ("first", {"answer": "Just reply."}, "answer"),
        ("first", {"opening": ""}, "opening"),
        ("first", {"objection": ""}, "objection"),
        ("first", {"closing": "x" * 1_501}, "closing"),
        ("first", {"closing": "x\n" * 41}, "closing"),
        ("reminder", {"ask": "Act now."}, "ask"),
        ("origin", {"ask": "Tell us.", "answer": "Reply."}, "ask"),
    ],
)
def test_what_a_part_must_say_cannot_be_left_out(kind: str, words: dict[str, str], part: str) -> None:
    assert (part, 0) in wrong(kind, **words)


def test_a_name_is_replaced_once_and_what_it_stands_for_is_never_read_again() -> None:
    assert (
        filled("{provider}: {hours}", {"provider": "{hours} {nobody}", "hours": "24"})
        == "{hours} {nobody}: 24"
    )


@pytest.mark.parametrize("values", [{}, {"hours": ""}])
def test_a_name_that_stands_for_nothing_makes_no_message(values: dict[str, str]) -> None:
    with pytest.raises(Unfilled):
        filled("within {hours} hours", values)


def test_line_ends_and_blanks_are_made_ours() -> None:
    assert tidy("\r\na \r\n\r\n\r\n\r\nb\xa0c\r") == "a\n\nb c"


def test_every_kind_of_message_has_names_and_each_says_what_it_stands_for() -> None:
    assert all(placeholders(kind) for kind in Dispatch.Kind.values)
    assert all(str(about) for about, _kinds in PLACEHOLDERS.values())
