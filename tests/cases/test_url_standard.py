"""The public WHATWG URL test data, every case of it, against the canonical form.

Where it comes from stands in tests/data/wpt/README.md. What we add to the standard is said here:

- A case is read as a report brings it: the text alone. What only has a meaning beside its base ("/a", "?b", "")
  is refused or put aside, whatever the base; what a browser makes of it is then read as a text of its own.
- An address with another scheme than http and https is refused, whether the standard can parse it or not.
- The rest differs only where OURS says so, with the reason.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from cases.url import Parsed, Quarantine, Refusal, parse

DATA: Final = Path(__file__).parent.parent / "data" / "wpt" / "urltestdata.json"
CASES: Final[list[dict[str, Any]]] = [case for case in json.loads(DATA.read_text()) if isinstance(case, dict)]
WEB: Final = frozenset({"http:", "https:"})

_CONTROL: Final = "a control character inside: whoever sends one did not copy an address (trust.md, 5)"
_NO_NAME: Final = "only dots, or two at the end: the DNS knows no such name, so no provider"
_PORT_0: Final = "nobody listens on port 0"
_RELATIVE: Final = "the scheme of its base and no //: a path beside the base, a host without it; put aside"

#: Number of the case in the file (from 0) -> why we refuse what the standard parses. The texts themselves hold
#: names of third parties and stay in the file.
OURS: Final[dict[int, str]] = {
    **dict.fromkeys((0, 18, 152, 156, 265, 416, 417, 418, 476, 482, 690, 704, 705, 755, 756, 757), _CONTROL),
    264: "invisible characters in the host: a name that hides another",
    365: "half characters (lone surrogates): no encoding can write them down",
    **dict.fromkeys((13, 14), _PORT_0),
    **dict.fromkeys((296, 297, 749), _NO_NAME),
    **dict.fromkeys((64, 479), _RELATIVE),
}
#: Number of the case -> why it is put aside with another host than the standard has, which knows the base.
OTHER_HOST: Final[dict[int, str]] = dict.fromkeys((6, 46, 74, 90), _RELATIVE)
#: Number of the case -> why it is put aside although the standard makes no web address of it.
OTHER_SCHEME: Final = {693: "a path beside a file:; alone it is a host with a port, so a person looks"}


def read(text: str) -> tuple[str, Parsed | None]:
    """The code of a refusal or of a quarantine, or ""; and what the text means."""
    try:
        return "", parse(text)
    except Quarantine as quarantine:
        return quarantine.code, quarantine.parsed
    except Refusal as refusal:
        return refusal.code, None


def is_web(case: dict[str, Any]) -> bool:
    """Whether a browser makes an http or https address of it."""
    return case.get("protocol") in WEB


def stands_alone(case: dict[str, Any]) -> bool:
    """Whether the text says http or https itself; the standard drops blanks around and breaks within."""
    return re.match(r"[\x00-\x20]*https?:", re.sub(r"[\t\n\r]", "", case["input"]), re.IGNORECASE) is not None


def canonical_of(href: str) -> str:
    """What our rule adds to the standard's `href`: no credentials, no fragment, no dot at the end of the host,
    and no %-code that needs none."""
    scheme, rest = href.partition("#")[0].split("://", 1)
    authority, slash, tail = rest.partition("/")
    host = re.sub(r"\.(?=$|:\d+$)", "", authority.rpartition("@")[2])
    tail = re.sub(r"%[0-9A-Fa-f]{2}", lambda code: code[0].upper(), tail)
    tail = re.sub(
        r"(?<!%)(?<!%[0-9A-Fa-f])%(2D|2E|5F|7E|3[0-9]|[46][1-9A-F]|[57][0-9A])",
        lambda code: chr(int(code[1], 16)),
        tail,
    )
    return f"{scheme}://{host}{slash}{tail}"


def test_what_the_standard_cannot_parse_is_refused() -> None:
    accepted = [n for n, case in enumerate(CASES) if case.get("failure") and read(case["input"])[1]]

    assert accepted == []


def test_an_address_with_another_scheme_is_refused_though_the_standard_can_parse_it() -> None:
    others = {n: case for n, case in enumerate(CASES) if not case.get("failure") and not is_web(case)}
    not_refused = {n for n, case in others.items() if read(case["input"])[1] is not None}

    assert not_refused == OTHER_SCHEME.keys()
    assert all(read(CASES[n]["input"])[0] for n in not_refused)


def test_what_has_a_meaning_only_beside_its_base_is_never_accepted() -> None:
    relative = [case for case in CASES if is_web(case) and not stands_alone(case)]

    assert [case["href"] for case in relative if read(case["input"])[0] == ""] == []


def test_what_the_standard_parses_has_the_same_host_here() -> None:
    refused, other_host = set(), set()
    for number, case in enumerate(CASES):
        if not is_web(case) or not stands_alone(case):
            continue
        code, parsed = read(case["input"])
        if parsed is None:
            refused.add(number)
        elif parsed.host != case["hostname"].removesuffix("."):
            other_host.add(number)
            assert code == "odd_slashes"

    assert refused == OURS.keys()
    assert other_host == OTHER_HOST.keys()


def test_what_a_browser_makes_of_a_case_has_the_same_host_here() -> None:
    """Also of what stands beside a base; nothing relative, no control and no half character is left then."""
    refused = set()
    for number, case in enumerate(CASES):
        if is_web(case):
            _code, parsed = read(case["href"])
            if parsed is None:
                refused.add(number)
            else:
                assert parsed.host == case["hostname"].removesuffix("."), number

    assert refused == {number for number, reason in OURS.items() if reason in {_PORT_0, _NO_NAME}}


def test_the_canonical_form_is_the_standards_but_for_what_our_rule_adds() -> None:
    different = []
    for number, case in enumerate(CASES):
        if not is_web(case):
            continue
        texts = [case["href"]]
        if stands_alone(case) and number not in OTHER_HOST:
            texts.append(case["input"])
        for text in texts:
            _code, parsed = read(text)
            if parsed is not None and parsed.canonical != canonical_of(case["href"]):
                different.append(number)

    assert different == []


def test_every_case_is_accounted_for() -> None:
    kinds = [
        "failure" if case.get("failure") else "other scheme" if not is_web(case)
        else "alone" if stands_alone(case) else "relative"
        for case in CASES
    ]  # fmt: skip

    assert {kind: kinds.count(kind) for kind in kinds} == {
        "failure": 272, "other scheme": 328, "alone": 173, "relative": 47,
    }  # fmt: skip
