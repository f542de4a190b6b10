"""Which URLs the checker takes, and how it reads them."""

import pytest

from checker.target import NotUsable, Target


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("http://example.com", "example.com", 80, "/", "example.com"),
        ("https://Example.COM:443/a?b=c#d", "example.com", 443, "/a?b=c", "example.com"),
        ("http://example.com.:8080/%2e/", "example.com", 8080, "/%2e/", "example.com:8080"),
        ("http://[2001:db8::1]:81/x", "2001:db8::1", 81, "/x", "[2001:db8::1]:81"),
        ("http://my_site.example/?q", "my_site.example", 80, "/?q", "my_site.example"),
    ],
)
def test_a_canonical_url_is_taken_apart(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = Target.parse(url)

    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "ftp://example.com/", "javascript:alert(1)", "http://", "http:///x",
        "http://user@example.com/", "http://@example.com/", "http://example.com:0/", "http://example.com:99999/",
        "http://example.com:x/", "http://example.com\\@evil.test/", "http://exa mple.com/", "http://example.com/\r\nX:",
        "http://example.com/\t", "http://example.com/é", "http://faß.example/", "http://-example.com/",
        f"http://{'a' * 64}.example/", "http://a..example/", "http://[::1", "http://[fe80::1%251]/",
        "http://example.com/" + "a" * 8192,
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(NotUsable) as refusal:
        Target.parse(url)

    assert str(refusal.value) == "not a usable URL"


def test_a_target_does_not_show_itself() -> None:
    assert "example.com" not in repr(Target.parse("http://example.com/page"))
