"""Who a mail says it is from, and whether our own mail server found that proven.

Only what our server wrote counts: the Authentication-Results (RFC 8601) in its name that stand above the first
`Received` below them. What a sender wrote in our server's name lies under that line; should it stand beside the
true one, the two verdicts make neither count.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

#: characters; a longer header is nobody's.
_LONGEST: Final = 10_000
_LONGEST_FROM: Final = 1_000
_ADDRESS: Final = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
# A bare address, or a name and an address in angle brackets. What else RFC 5322 allows (groups, comments, routes,
# several addresses) is read differently by different programs, and no partner's program writes it.
_FROM: Final = re.compile(
    rf"""(?P<bare>{_ADDRESS})|(?:"(?:[^"\\]|\\.)*" ?|[^"<>()@,:;\\]*)<(?P<named>{_ADDRESS})>"""
)


class Sender(NamedTuple):
    """A mail address in lower case, and its domain."""

    address: str
    domain: str


def sender(values: list[str]) -> Sender | None:
    """The one sender that the From headers name; None when there is none, several, or one that is unclear."""
    if len(values) != 1 or len(values[0]) > _LONGEST_FROM:
        return None
    found = _FROM.fullmatch(" ".join(values[0].split()))
    if found is None:
        return None
    address = (found["bare"] or found["named"]).lower()
    return Sender(address, address.rpartition("@")[2])


def is_proven(headers: Iterable[tuple[str, str]], *, authserv_id: str, domain: str) -> bool:
    """Whether our server `authserv_id` says DMARC passed for `domain` as the domain of From.

    `headers`: from the top down.
    """
    verdicts: list[tuple[str, str]] = []
    is_ours = False
    for name, value in headers:
        if name.lower() == "received" and is_ours:
            break
        if name.lower() == "authentication-results":
            by, results = results_of(value)
            if by == authserv_id.lower():
                is_ours = True
                verdicts += [(result, aligned) for method, result, aligned in results if method == "dmarc"]
    return verdicts == [("pass", domain.lower())]


class Result(NamedTuple):
    """One method's result. `aligned`: its header.from, or "" when it has none or two."""

    method: str
    result: str
    aligned: str


def results_of(value: str) -> tuple[str, list[Result]]:
    """The server's name and its results, all in lower case; ("", []) for what is not well formed."""
    plain = _plain(value)
    if plain is None:
        return "", []
    first, *rest = plain.lower().split(";")
    by = first.split()
    if not by or len(by) > 2 or (len(by) == 2 and not by[1].isdecimal()):
        return "", []
    found = []
    for part in rest:
        words = re.sub(r"\s*=\s*", "=", part.strip()).split()
        if not words or words == ["none"]:
            continue
        method, is_said, result = words[0].partition("=")
        if not is_said:
            return "", []
        said = [word.removeprefix("header.from=") for word in words[1:] if word.startswith("header.from=")]
        found.append(Result(method.partition("/")[0].strip(), result, said[0] if len(said) == 1 else ""))
    return by[0], found


def _plain(value: str) -> str | None:
    """`value` without comments (RFC 5322: they nest), what is quoted made one word. None when one never ends."""
    if len(value) > _LONGEST:
        return None
    out: list[str] = []
    depth, is_quoted, is_escaped = 0, False, False
    for character in value:
        if is_escaped:
            is_escaped = False
            if is_quoted:
                out.append("_")
        elif character == "\\" and (depth or is_quoted):
            is_escaped = True
        elif is_quoted:
            if character == '"':
                is_quoted = False
            else:
                out.append("_" if character in ";=()" or character.isspace() else character)
        elif character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
            out.append(" ")
        elif depth:
            continue
        elif character == '"':
            is_quoted = True
        else:
            out.append(character)
    return None if depth or is_quoted or is_escaped else "".join(out)
