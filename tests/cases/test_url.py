"""The one parser: what a reported address means, and when a person must look."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import url as urls
from cases.url import REASONS, Parsed, Quarantine, Refusal, parse

SAMPLE = Path(__file__).parent.parent / "data" / "reports-1000.csv"


def outcome(raw: str) -> str:
    """The canonical form, or the code of the reason why there is none."""
    try:
        return parse(raw).canonical
    except (Refusal, Quarantine) as problem:
        return problem.code


@pytest.mark.parametrize(
    "raw",
    [
        "https://www.site14.example/a/b.jpg?id=1&v=2",
        "HTTPS://WWW.Site14.EXAMPLE/a/b.jpg?id=1&v=2",
        "https://www.site14.example:443/a/b.jpg?id=1&v=2",
        "https://www.site14.example/a/b.jpg?id=1&v=2#fragment",
        "https://www.site14.example/x/../a/./b.jpg?id=1&v=2",
        "https://www.site14.example/x/%2e%2E/a/b.jpg?id=1&v=2",
        "https://www.site14.example/%61/b%2ejpg?id=%31&v=2",
        "https://user:secret@www.site14.example/a/b.jpg?id=1&v=2",
        "https://www.site14.example./a/b.jpg?id=1&v=2",
        "https://www。site14．example/a/b.jpg?id=1&v=2",
        "https://ｗｗｗ.site14.example/a/b.jpg?id=1&v=2",
        " \t\ufeff\u00a0\u200bhttps://www.site14.example/a/b.jpg?id=1&v=2\u200b\u00a0\r\n ",
        "hxxps://www[.]site14[.]example/a/b.jpg?id=1&v=2",
        "hXXps[:]//www(.)site14{.}example/a/b.jpg?id=1&v=2",
        "https[://]www[dot]site14(DOT)example/a/b[.]jpg?id=1&v=2",
        "hxxps://www[[.]]site14([dot])example/a/b.jpg?id=1&v=2",
    ],
)
def test_every_spelling_of_an_address_has_one_canonical_form(raw: str) -> None:
    parsed = parse(raw)

    assert parsed == Parsed(
        raw=raw, canonical="https://www.site14.example/a/b.jpg?id=1&v=2", host="www.site14.example"
    )


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("http://a_b.example/", "http://a_b.example/"),
        ("http://a.example/Path?B=1&a=2&a=1", "http://a.example/Path?B=1&a=2&a=1"),
        ("http://a.example/a%2fb%c3%a9?q=%7E%20", "http://a.example/a%2Fb%C3%A9?q=~%20"),
        ("http://a.example/é", "http://a.example/%C3%A9"),
        ("http://a.example/%zz%", "http://a.example/%zz%"),
        ("http://a.example/%%361%4%31?%%2e", "http://a.example/%%361%4%31?%%2E"),
        ("http://a.example/x[.]y(dot)z", "http://a.example/x[.]y(dot)z"),
        ("http://a.example/b\\c", "http://a.example/b/c"),
        ("http://a.example:8080/", "http://a.example:8080/"),
        ("http://a.example:/", "http://a.example/"),
        ("http://@a.example/", "http://a.example/"),
        ("http://a.example/?next=http://b.example/@x", "http://a.example/?next=http://b.example/@x"),
        ("http://café.example/", "http://xn--caf-dma.example/"),
        ("http://日本のテスト.example/", "http://xn--u9j5hmbj5909dcvb.example/"),
        ("http://xn--fa-hia.example/", "http://xn--fa-hia.example/"),
        ("http://192.0.2.1/", "http://192.0.2.1/"),
        ("http://0xC0.0.0x2.1/", "http://192.0.2.1/"),
        ("http://[2001:DB8:0::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://[64:ff9b::c000:201]/", "http://[64:ff9b::c000:201]/"),
        ("http://example.com/", "http://example.com/"),
        (f"http://{'a' * 63}.example/", f"http://{'a' * 63}.example/"),
    ],
)
def test_the_canonical_form_keeps_what_tells_addresses_apart(raw: str, canonical: str) -> None:
    assert outcome(raw) == canonical


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "empty"),
        (" \ufeff\u200b ", "empty"),
        ("not a url at all", "not_a_url"),
        ("readme.txt", "not_a_url"),
        ("http:", "no_host"),
        ("a@b.example", "not_a_url"),
        ("http://a.example/\0", "control_character"),
        ("http://a.example/a\tb", "control_character"),
        ("http://a.example/a\r\nb", "control_character"),
        ("http://a.ex\nample/", "control_character"),
        ("http://a.example/\x7f", "control_character"),
        ("http://a.example/\ud800", "bad_text"),
        ("http://a\u202eb.example/", "invisible_in_host"),
        ("http://a\u200bb.example/", "invisible_in_host"),
        ("http://a\u200db.example/", "invisible_in_host"),
        ("http://a\u00adb.example/", "invisible_in_host"),
        ("http://a\ufe0fb.example/", "invisible_in_host"),
        ("ftp://a.example/x", "scheme_ftp"),
        ("javascript:alert(1)", "scheme_javascript"),
        ("JavaScript:alert(1)", "scheme_javascript"),
        ("data:image/png;base64,AAAA", "scheme_data"),
        ("file:///x/y", "scheme_file"),
        ("magnet:?xt=urn:btih:0", "scheme_magnet"),
        ("mailto:a@b.example", "scheme_mailto"),
        ("blob:https://a.example/1", "scheme_blob"),
        ("gopher://a.example/", "scheme_other"),
        ("C:\\Users\\x", "scheme_other"),
        ("http://", "no_host"),
        ("http:///", "no_host"),
        ("http://:80/", "no_host"),
        ("http://a.example:0/", "bad_port"),
        ("http://a.example:99999/", "bad_port"),
        ("http://a.example:80:80/", "bad_port"),
        ("http://a.example:port/", "bad_port"),
        ("http://[2001:db8::1]:99999/", "bad_port"),
        ("http://[::1/a", "bad_address"),
        ("http://[1:2:3]/a", "bad_address"),
        ("http://[fe80::1%25eth0]/", "bad_address"),
        ("http://1.2.3.4.5/", "bad_address"),
        ("http://999.1.1.1/", "bad_address"),
        ("http://exa mple.test/", "bad_host"),
        ("http://exa<mple.test/", "bad_host"),
        ("http://%zz.test/", "bad_host"),
        ("http://xn--.test/", "bad_host"),
        ("http://a..b.example/", "bad_host"),
        ("http://.a.example/", "bad_host"),
        ("http://a.example../", "bad_host"),
        (f"http://{'a' * 64}.example/", "host_too_long"),
        (f"http://{'a.' * 130}example/", "host_too_long"),
    ],
)
def test_what_is_no_address_is_rejected_with_its_own_reason(raw: str, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse(raw)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("http://example.com\\@evil.test/h", "backslash"),
        ("http://example.com\\.evil.test/h", "backslash"),
        ("http:\\\\a.example\\b", "backslash"),
        ("http://a.example/x\\@evil.test/", "backslash"),
        ("http://example.com@evil.test/", "userinfo"),
        ("http://example.com:80@evil.test/", "userinfo"),
        ("http://a@b@evil.test/", "userinfo"),
        ("http://example%2ecom%2f@evil.test/", "userinfo"),
        ("http:/a.example/x", "odd_slashes"),
        ("http:a.example/x", "odd_slashes"),
        ("http:///a.example/x", "odd_slashes"),
        ("http://a%2eexample/", "encoded_host"),
        ("http://faß.example/", "idn_ambiguous"),
        ("http://FAẞ.example/", "idn_ambiguous"),
        ("http://ς.example/", "idn_ambiguous"),
        ("http://аpple.example/", "mixed_scripts"),
        ("http://xn--pple-43d.example/", "mixed_scripts"),
        ("www.site14.example/a", "no_scheme"),
        ("//www.site14.example/a", "no_scheme"),
        ("www[.]site14[.]example/a", "no_scheme"),
        ("www.site14.example:8080/a", "no_scheme"),
        ("192.0.2.1/a", "no_scheme"),
        ("http://intranet/", "single_label"),
        ("http://test/", "single_label"),
        ("http://localhost/", "local_name"),
        ("http://a.localhost/", "local_name"),
        ("http://printer.local/", "local_name"),
        ("http://a.internal/", "local_name"),
        ("http://a.home.arpa/", "local_name"),
        ("http://a.invalid/", "local_name"),
        ("http://a.nosuchdomain/", "unknown_suffix"),
        ("http://co.uk/", "public_suffix"),
        ("http://abcdefghijklmnop.onion/", "onion"),
    ],
)
def test_what_programs_read_differently_or_nobody_can_reach_waits_for_a_person(raw: str, code: str) -> None:
    with pytest.raises(Quarantine) as quarantine:
        parse(raw)

    assert quarantine.value.code == code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0x7f000001", "0x7f.1", "2130706433", "017700000001", "127.0.0.1.",
        "１２７.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
        "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:c0a8:101::1]", "[2001::1]",
        "[fe80::1]", "[fec0::1]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "0.0.0.0", "10.1.2.3",
        "100.64.0.9", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.9", "192.88.99.1",
        "192.168.1.1", "0300.0250.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_waits_for_a_person_in_every_spelling(host: str) -> None:
    with pytest.raises(Quarantine) as quarantine:
        parse(f"http://{host}/x")

    assert quarantine.value.code == "non_public_address"


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "198.51.100.7", "203.0.113.9", "[2001:db8::1]", "[::ffff:192.0.2.1]"]
)
def test_documentation_ranges_count_as_public(host: str) -> None:
    assert parse(f"http://{host}/x")


def test_an_address_may_be_8192_characters_long_and_no_longer() -> None:
    longest = "http://a.example/".ljust(8_192, "x")

    assert parse(longest).canonical == longest
    assert outcome(longest + "x") == "too_long"


def test_a_quarantined_address_says_what_it_means_once_a_person_accepts_it() -> None:
    with pytest.raises(Quarantine) as quarantine:
        parse("www[.]site14[.]example/a#b")

    assert quarantine.value.parsed.canonical == "http://www.site14.example/a"


def test_no_exception_and_no_representation_shows_the_address() -> None:
    for raw in ("http://secret.example:99999/", "http://secret.local/", "secret"):
        with pytest.raises((Refusal, Quarantine)) as problem:
            parse(raw)
        assert "secret" not in f"{problem.value!r} {problem.value} {problem.value.__cause__}"
        assert problem.value.__suppress_context__ or problem.value.__context__ is None
    assert "secret" not in repr(parse("http://secret.example/"))


def test_every_reason_is_worded() -> None:
    assert all(str(words).endswith(".") for words in REASONS.values())


@pytest.mark.parametrize(
    ("canonical", "masked"),
    [
        ("https://img.example/a/b/12345678.jpg", "img.example/…78.jpg"),
        ("https://img.example:8443/a/b/12345678.jpg", "img.example:8443/…78.jpg"),
        ("https://img.example/?id=123456789", "img.example/…456789"),
        ("https://img.example/1234567", "img.example/…234567"),
        ("https://img.example/123456", "img.example/…456"),
        ("https://img.example/x", "img.example/…"),
        ("https://img.example/", "img.example/"),
        ("http://[2001:db8::1]/a/b/c/d", "[2001:db8::1]/…/b/c/d"),
    ],
)
def test_masked_shows_the_host_and_at_most_six_characters(canonical: str, masked: str) -> None:
    assert urls.masked(canonical) == masked


@pytest.mark.parametrize(
    ("canonical", "defanged"),
    [
        ("https://img.example/a.jpg", "hxxps://img[.]example/a[.]jpg"),
        ("http://img.example/?u=http://b.example/", "hxxp://img[.]example/?u=http[://]b[.]example/"),
        ("http://[2001:db8::1]:81/", "hxxp://[2001[:]db8[:][:]1][:]81/"),
        ("http://a.example/x[.]y", "hxxp://a[.]example/x[[.]]y"),
        ("http://a.example/x[:]y[/]z:/", "hxxp://a[.]example/x[[:]]y[[/]]z:/"),
    ],
)
def test_defanged_is_no_link_and_means_the_same(canonical: str, defanged: str) -> None:
    assert urls.defanged(canonical) == defanged
    assert parse(defanged).canonical == canonical


PATHS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\\"), max_size=60
)
# What the rule rewrites, close together: codes, halves of codes, brackets, dots.
TRICKY = st.text(alphabet="%25eE6f13.[]():/?#@hxtp~", max_size=40)
HOSTS = st.from_regex(r"[a-z0-9]([_-]?[a-z0-9]){0,8}\.(example|test)(:[1-9][0-9]{1,3})?", fullmatch=True)
LITERALS = st.one_of(
    st.ip_addresses(v=4, network="192.0.2.0/24").map(str),
    st.ip_addresses(v=6, network="2001:db8::/32").map(lambda address: f"[{address}]"),
)


@given(st.sampled_from(["http", "https"]), HOSTS | LITERALS, PATHS | TRICKY)
def test_the_canonical_form_of_a_canonical_form_is_itself(scheme: str, host: str, path: str) -> None:
    canonical = parse(f"{scheme}://{host}/{path}x").canonical

    assert parse(canonical).canonical == canonical
    assert parse(urls.defanged(canonical)).canonical == canonical
    assert re.fullmatch(r"https?://[a-z0-9_.:\[\]-]+/[\x21-\x7e]*", canonical)


@given(HOSTS | LITERALS, PATHS | TRICKY)
def test_masked_shows_the_host_and_never_more_than_half_of_the_rest(host: str, path: str) -> None:
    canonical = parse(f"https://{host}/{path}").canonical
    own, rest = canonical.removeprefix("https://").split("/", 1)
    shown = urls.masked(canonical).removeprefix(f"{own}/").removeprefix("…")

    assert urls.masked(canonical).startswith(f"{own}/")
    assert len(shown) <= 6
    assert rest.endswith(shown)
    assert len(rest) > 6 or len(shown) <= len(rest) / 2


@given(st.text(alphabet="ahx.:/@%[]()\\0123456789dot-_", max_size=30))
def test_what_was_accepted_once_means_the_same_for_ever(text: str) -> None:
    try:
        canonical = parse(f"http://{text}.example/").canonical
    except (Refusal, Quarantine):
        return

    assert parse(canonical).canonical == canonical
    assert parse(urls.defanged(canonical)).canonical == canonical


@given(st.text(max_size=80))
def test_any_text_has_an_outcome(text: str) -> None:
    for raw in (text, f"http://{text}", f"http://{text}.example/"):
        assert outcome(raw)


def test_the_sample_file_has_its_expected_outcomes() -> None:
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        raws = [row["url"] for row in csv.DictReader(file, delimiter=";")]
    with SAMPLE.with_suffix(".expected.csv").open(encoding="utf-8", newline="") as file:
        expected = [row["outcome"] for row in csv.DictReader(file, delimiter=";")]
    seen: set[str] = set()
    outcomes = []
    for raw in raws:
        found = outcome(raw)
        if found in REASONS:
            outcomes.append("rejected" if found in urls.reasons.REJECTED else "quarantined")
        else:
            outcomes.append("duplicate" if found in seen else "new")
            seen.add(found)

    assert outcomes == expected
