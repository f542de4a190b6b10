"""What one look makes of an honest, a broken and a hostile site."""

import gzip
import hashlib
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from checker import wire
from checker.exits import Direct, tls_context
from checker.guard import Guard
from checker.look import BLOCKED, CHANGED, GONE, ONLINE, UNKNOWN, Finding, Looker
from tests.hostile import (
    CERTIFICATE,
    Behaviour,
    Site,
    breaks_after,
    drips,
    floods,
    repeats_the_path,
    says,
    secured,
)

PAGE = b"<title>A page</title><p>Something stands here.</p>"
PAGE_DIGEST = hashlib.sha256(PAGE).hexdigest()
LOGIN = b'<title>Welcome</title><form><input name=p type="password"></form>'
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def a_looker(*, total_s: float = 2.0, tls: ssl.SSLContext | None = None) -> Looker:
    """One whose guard lets it reach the site on loopback. Only a constructor can do that."""
    guard = Guard(lambda _: ["127.0.0.1"], lambda _: True)
    return Looker(Direct(guard, tls or tls_context()), total_s=total_s)


def look_at(site: Site, behaviour: Behaviour, *, expect_digest: str | None = None) -> Finding:
    site.behaviours["/a/page"] = behaviour
    return a_looker().look(site.url("/a/page"), expect_digest)


def test_a_page_that_answers_and_differs_from_the_page_for_unknown_paths_is_online(site: Site) -> None:
    finding = look_at(site, says(200, PAGE))

    assert (finding.outcome, finding.http_status, finding.requests) == (ONLINE, 200, 2)


def test_a_file_has_a_digest_and_a_page_that_may_be_another_for_every_visitor_has_none(site: Site) -> None:
    assert look_at(site, says(200, PAGE, Content_Type="image/png")).digest == PAGE_DIGEST
    assert look_at(site, says(200, PAGE, Content_Type="text/html; charset=utf-8")).digest is None
    assert look_at(site, says(200, PAGE)).digest is None


def test_the_request_says_who_asks_and_wants_nothing_compressed(site: Site) -> None:
    look_at(site, says(410))

    head = site.heads[0]
    assert head.startswith("GET /a/page HTTP/1.1\r\n")
    assert f"\r\nHost: site.test:{site.port}\r\n" in head
    assert "\r\nAccept-Encoding: identity\r\n" in head
    assert "Referer" not in head
    assert "Cookie" not in head


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, GONE), (410, GONE), (451, GONE),
        (401, BLOCKED), (403, BLOCKED), (429, BLOCKED),
        (400, UNKNOWN), (405, UNKNOWN), (407, UNKNOWN), (408, UNKNOWN), (204, UNKNOWN), (304, UNKNOWN),
        (500, UNKNOWN), (502, UNKNOWN), (503, UNKNOWN), (504, UNKNOWN), (521, UNKNOWN),
    ],
)  # fmt: skip
def test_the_status_decides_where_it_says_all(site: Site, status: int, outcome: str) -> None:
    finding = look_at(site, says(status))

    assert (finding.outcome, finding.http_status) == (outcome, status)
    assert site.asked() == ["/a/page"]


@pytest.mark.parametrize("hint", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_an_answer_on_the_way_is_not_taken_for_the_answer(site: Site, hint: bytes) -> None:
    def behave(connection: socket.socket, site: Site) -> None:
        connection.sendall(b"HTTP/1.1 %s\r\nLink: </x>\r\n\r\n" % hint * 2)
        says(410)(connection, site)

    assert look_at(site, behave).http_status == 410


def test_of_a_page_that_is_gone_no_body_is_read(site: Site) -> None:
    endless = floods(b"HTTP/1.1 404 Gone\r\n\r\n", b"x" * 65536)

    assert look_at(site, endless).outcome == GONE


@pytest.mark.parametrize(
    "wall",
    [
        says(200, PAGE, cf_mitigated="challenge"),
        says(404, b"", cf_mitigated="challenge"),
        says(202, b"", x_amzn_waf_action="challenge"),
        says(200, b"<title>Just a moment...</title>"),
        says(503, b"<script>window._cf_chl_opt={}</script>"),
        says(200, b"<p>Please solve this CAPTCHA to go on.</p>"),
        says(200, b"<TITLE>Attention Required!</TITLE>"),
    ],
)
def test_a_challenge_for_robots_is_blocked_even_when_it_stands_on_every_path(
    site: Site, wall: Behaviour
) -> None:
    site.otherwise = wall

    assert look_at(site, wall).outcome == BLOCKED


def test_a_long_page_that_speaks_of_captchas_is_no_wall(site: Site) -> None:
    page = b"<script src=recaptcha.js></script><p>Why every captcha fails. " + b"And so on. " * 100

    assert look_at(site, says(200, page)).outcome == ONLINE


def test_a_redirect_to_a_login_page_is_blocked(site: Site) -> None:
    site.behaviours["/login?next=/a/page"] = says(200, LOGIN)

    finding = look_at(site, says(302, Location="/login?next=/a/page"))

    assert (finding.outcome, finding.note) == (BLOCKED, "a login page")


def test_a_login_page_on_every_path_is_blocked_and_not_taken_for_a_not_found_page(site: Site) -> None:
    site.otherwise = says(200, LOGIN)

    assert look_at(site, says(200, LOGIN)).outcome == BLOCKED


def test_a_page_that_also_stands_at_a_random_path_is_gone(site: Site) -> None:
    site.otherwise = says(200, b"<p>This page does not exist.</p>")

    finding = look_at(site, site.otherwise)

    assert (finding.outcome, finding.http_status) == (GONE, 200)
    assert site.asked()[1].startswith("/takedown-probe-")


def test_a_polite_not_found_page_that_repeats_the_path_is_gone(site: Site) -> None:
    site.otherwise = repeats_the_path

    assert look_at(site, repeats_the_path).outcome == GONE


def test_a_site_that_sends_every_unknown_path_to_its_start_page_is_seen_through(site: Site) -> None:
    site.behaviours["/"] = says(200, PAGE)
    site.otherwise = says(302, Location="/")

    assert look_at(site, says(302, Location="/")).outcome == GONE


def test_a_redirect_to_the_start_page_alone_proves_nothing(site: Site) -> None:
    site.behaviours["/"] = says(200, PAGE)

    assert look_at(site, says(302, Location="/")).outcome == UNKNOWN


def test_an_application_that_loads_everything_by_script_proves_nothing(site: Site) -> None:
    shell = b"<title>An app</title><noscript>Scripts!</noscript><div id=a></div><script src=a.js></script>"
    site.otherwise = says(200, shell)

    assert look_at(site, says(200, shell)).outcome == UNKNOWN


def test_the_start_page_of_a_site_is_not_compared_with_unknown_paths(site: Site) -> None:
    site.otherwise = says(200, PAGE)

    assert a_looker().look(site.url("/")).outcome == ONLINE
    assert site.asked() == ["/"]


def test_a_random_path_that_gets_no_answer_leaves_the_question_open(site: Site) -> None:
    site.otherwise = breaks_after(b"")

    finding = look_at(site, says(200, PAGE))

    assert (finding.outcome, finding.http_status) == (UNKNOWN, 200)


def test_a_random_path_is_asked_once_per_site_and_while(site: Site) -> None:
    site.behaviours = {"/1": says(200, PAGE), "/2": says(200, PAGE + b"2")}
    looker = a_looker()

    assert [looker.look(site.url(path)).outcome for path in ("/1", "/2", "/1")] == [ONLINE] * 3
    assert len([path for path in site.asked() if path.startswith("/takedown-probe-")]) == 1


def test_two_long_pages_that_begin_alike_cannot_be_told_apart(site: Site) -> None:
    long = says(200, b"x" * (wire.BODY_CAP_BYTES + 1))
    site.otherwise = long

    assert look_at(site, long).outcome == UNKNOWN


def test_the_expected_content_is_online_without_a_further_question(site: Site) -> None:
    site.otherwise = says(200, PAGE)

    assert look_at(site, says(200, PAGE), expect_digest=PAGE_DIGEST.upper()).outcome == ONLINE
    assert site.asked() == ["/a/page"]


def test_other_content_than_expected_is_changed(site: Site) -> None:
    finding = look_at(site, says(200, b"<p>An advertisement.</p>"), expect_digest=PAGE_DIGEST)

    assert (finding.outcome, finding.http_status) == (CHANGED, 200)


def test_the_not_found_page_instead_of_the_expected_content_is_gone(site: Site) -> None:
    site.otherwise = says(200, b"<p>Nothing here.</p>")

    assert look_at(site, site.otherwise, expect_digest=PAGE_DIGEST).outcome == GONE


@pytest.mark.parametrize(
    "behaviour",
    [
        says(200, b"x" * (wire.BODY_CAP_BYTES + 1), Content_Type="image/png"),
        says(200, gzip.compress(PAGE), Content_Encoding="gzip", Content_Type="image/png"),
        says(206, PAGE, Content_Type="image/png"),
    ],
    ids=["too long to compare", "compressed", "a part"],
)
def test_content_that_cannot_be_compared_as_a_whole_is_never_changed(
    site: Site, behaviour: Behaviour
) -> None:
    finding = look_at(site, behaviour, expect_digest=PAGE_DIGEST)

    assert (finding.outcome, finding.digest) == (ONLINE, None)


def test_a_bomb_is_not_set_off(site: Site) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)

    finding = look_at(site, says(200, bomb, Content_Encoding="gzip", Content_Type="image/png"))

    assert (finding.outcome, finding.digest) == (ONLINE, None)


def test_an_endless_body_is_left_at_the_cap(site: Site) -> None:
    finding = look_at(site, floods(OK + b"Content-Type: image/png\r\n\r\n", b"x" * 65536))

    assert (finding.outcome, finding.digest) == (ONLINE, None)


@pytest.mark.parametrize(
    ("behaviour", "note"),
    [
        (floods(OK + b"X: ", b"x" * 65536), "sends more than is allowed"),
        (floods(OK, b"X: y\r\n" * 1000), "not understood"),
        (floods(b"", b"x" * 65536), "sends more than is allowed"),
        (
            floods(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 60000 + b"\r\nx\r\n"),
            "sends more",
        ),
        (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "sends more than is allowed"),
        (floods(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), "sends more than is allowed"),
        (breaks_after(b""), "connection broken"),
        (breaks_after(OK + b"Content-Length: 9\r\n\r\nx"), "connection broken"),
        (says(200, PAGE, Transfer_Encoding="chunked"), "not understood"),
        (lambda connection, _: connection.sendall(OK + b"Content-Length: 9\r\n\r\nx"), "connection broken"),
        (lambda connection, _: connection.sendall(b"SSH-2.0-nonsense\r\n"), "not understood"),
        (lambda connection, _: None, "connection broken"),
    ],
)
def test_a_broken_or_boundless_answer_is_unknown(site: Site, behaviour: Behaviour, note: str) -> None:
    finding = look_at(site, behaviour)

    assert (finding.outcome, finding.note.startswith(note), finding.http_status) == (UNKNOWN, True, None)


@pytest.mark.parametrize(
    "behaviour",
    [
        drips(OK + b"Content-Length: 60000\r\n\r\n", b"x"),
        drips(OK + b"X: ", b"x"),
        drips(b"", b"H"),
        drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        lambda connection, site: bool(site.closing.wait(2)) and None,
    ],
    ids=["body", "header", "status line", "chunks", "silence"],
)
def test_dripping_bytes_do_not_stretch_the_time(site: Site, behaviour: Behaviour) -> None:
    site.behaviours["/slow"] = behaviour

    start = time.monotonic()
    finding = a_looker(total_s=0.3).look(site.url("/slow"))

    assert (finding.outcome, finding.note) == (UNKNOWN, "timed out")
    assert time.monotonic() - start < 1.5


def test_the_time_is_one_for_all_requests_of_a_look(site: Site) -> None:
    site.behaviours["/1"] = says(302, Location="/2")
    site.behaviours["/2"] = drips(OK, b"x")

    start = time.monotonic()
    assert a_looker(total_s=0.3).look(site.url("/1")).outcome == UNKNOWN

    assert time.monotonic() - start < 1.5


def test_a_page_built_to_make_a_reader_sweat_is_read_in_one_pass(site: Site) -> None:
    for page in (b"<" * 65000, b"<script>" * 8000, b"<!--" * 16000, b"<title" * 10000, b"<\t" * 30000):
        start = time.monotonic()
        assert look_at(site, says(200, page)).outcome == ONLINE
        assert time.monotonic() - start < 1.5


def test_redirects_on_the_same_site_are_followed_three_times(site: Site) -> None:
    site.behaviours = {
        "/1": says(301, Location="/2"),
        "/2": says(302, Location=site.url("/3", host="www.site.test")),
        "/3": says(307, Location="4?x=ä"),
        "/4?x=%E4": says(200, PAGE),
    }
    looker = a_looker()

    finding = looker.look(site.url("/1"))
    assert (finding.outcome, finding.http_status) == (ONLINE, 200)

    site.behaviours["/4?x=%E4"] = says(301, Location="/5")
    site.heads.clear()
    finding = looker.look(site.url("/1"))
    assert (finding.outcome, finding.http_status, finding.note) == (UNKNOWN, 301, "redirects too often")
    assert site.asked() == ["/1", "/2", "/3", "/4?x=%E4"]


def test_a_redirect_to_a_page_that_is_not_there_is_gone(site: Site) -> None:
    assert look_at(site, says(301, Location="/not-here")).outcome == GONE


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.test/", "//elsewhere.test/x", "https://site.test.elsewhere.test/",
        "http://127.0.0.1/", "http://[::1]/", "http://site.test:22/", "http://2130706433/",
    ],
)  # fmt: skip
def test_a_redirect_to_another_site_is_reported_and_not_followed(site: Site, location: str) -> None:
    with Site() as elsewhere:
        finding = look_at(site, says(302, Location=location.replace("2130706433", f"127.1:{elsewhere.port}")))

        assert (finding.outcome, finding.http_status) == (UNKNOWN, 302)
        assert finding.note == "redirects to another site, not followed"
        assert site.connections == 1
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "location",
    [
        "javascript:alert(1)", "file:///etc/passwd", "http://a@site.test/", "http://site.test:99999/",
        "http://site.test\\@127.0.0.1/", "http://[::1", "http://ﬆ.test/",
    ],
)  # fmt: skip
def test_a_redirect_to_no_web_page_is_unknown(site: Site, location: str) -> None:
    finding = look_at(site, says(302, Location=location.encode().decode("latin-1")))

    assert (finding.outcome, finding.note) == (UNKNOWN, "redirects to something that is no web page")


def test_a_certificate_is_verified_for_the_name_of_the_site_and_the_name_is_said(site: Site) -> None:
    site.greets = secured
    site.behaviours["/page"] = says(200, PAGE)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))

    assert a_looker(tls=trusting).look(site.url("/page", scheme="https")).outcome == ONLINE
    assert site.heads[0].splitlines()[1] == f"Host: site.test:{site.port}"

    for looker, host in ((a_looker(tls=trusting), "other.test"), (a_looker(), "site.test")):
        finding = looker.look(site.url("/page", host=host, scheme="https"))
        assert (finding.outcome, finding.note) == (UNKNOWN, "TLS failed")


def test_tls_that_is_none_or_never_ends_is_unknown(site: Site) -> None:
    hellos: list[bytes] = []

    def answers_in_clear(connection: object, site: Site) -> None:
        hellos.append(connection.recv(4096))  # type: ignore[attr-defined]
        says(200, PAGE)(connection, site)  # type: ignore[arg-type]

    site.greets = answers_in_clear
    assert a_looker().look(site.url("/", scheme="https")).note == "TLS failed"
    assert b"site.test" in hellos[0]  # SNI

    site.greets = drips(b"\x16\x03\x03\x40\x00", b"\x02")
    start = time.monotonic()
    assert a_looker(total_s=0.3).look(site.url("/", scheme="https")).note in {"timed out", "TLS failed"}
    assert time.monotonic() - start < 1.5


def test_a_port_where_nobody_listens_is_unknown() -> None:
    with Site() as site:
        url = site.url("/page")

    assert a_looker().look(url).note == "connection refused"


def test_a_name_that_does_not_exist_is_unknown_and_never_gone() -> None:
    finding = Looker(Direct(Guard(lambda _: []), tls_context())).look("http://not-there.test/page")

    assert (finding.outcome, finding.note) == (UNKNOWN, "no public address")


def test_no_part_of_the_url_is_in_what_a_look_says(site: Site) -> None:
    for behaviour in (says(200, PAGE), says(302, Location="http://elsewhere.test/a/page"), breaks_after(b"")):
        said = repr(look_at(site, behaviour))
        assert not any(part in said for part in ("site.test", "elsewhere.test", "a/page", "127.0.0.1"))
