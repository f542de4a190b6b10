"""What reporters and partners wrote, as it is shown: without addresses, and soon."""

import time

import pytest

from cases.url import without_addresses


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Seen at https://forum.example/a, twice", "Seen at […] twice"),
        ("hxxps://forum[.]example/a", "[…]"),
        ("http ://forum.example", "[…]"),
        ("on www.forum.example", "on […]"),
        ("on forum.example/b.jpg", "on […]"),
        ("on forum(dot)example/b", "on […]"),
        ("on forumDOTexample/b", "on […]"),
        ("evil.example//b", "[…]"),
        ("and/or. About 3.5 of them, by j.smith", "and/or. About 3.5 of them, by j.smith"),
        ("line one\nforum.example/b\nline three", "line one\n[…]\nline three"),
    ],
)
def test_an_address_among_words_is_left_out(written: str, shown: str) -> None:
    assert without_addresses(written) == shown


@pytest.mark.parametrize("piece", ["a.", "[.]", "data:", "dot", "http:", "<", "www.", "a.b/", "//"])
def test_a_long_text_without_spaces_is_shown_at_once(piece: str) -> None:
    text = (piece * 20_000)[:20_000]

    began = time.monotonic()
    without_addresses(text)

    assert time.monotonic() - began < 2
