"""Who hosts a host name: what the sources say of it and of all its addresses, weighed in one place.

A person's word on the host beats everything. Else each address goes by the first source that names a provider for it;
addresses that lead to different providers, or into a network of several ASes, lead to nobody: a person decides.
A host at a CDN or proxy leads on to the server behind it, once somebody told us which that is.

What no other source knows is put to the registries. A sweep asks them; here only what they have said counts.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from providers.hosts import host_key, literal
from providers.models import Attribution
from providers.origins import behind, chain, known_origins
from providers.prefixes import Addresses
from providers.rdap.questions import ASK_EVERY, HOLDS_FOR, unsettled, want
from providers.sources import SOURCES
from providers.sources.finding import HOST, MEDIUM, Finding, Source
from providers.sources.resolver import Answer, Resolver

__all__ = ["Heard", "attribute", "explain", "host_key", "look_up"]

_Trouble = Attribution.Trouble
_SEVERAL_ORIGINS = _Trouble.SEVERAL_ORIGINS
#: What a registry's answer may still change.
_REGISTRIES_MATTER = frozenset({Attribution.Source.NONE, Attribution.Source.RDAP})
_NOT_FOUND_YET = frozenset({_Trouble.NO_NETWORK, _Trouble.NO_ASN_RULE, _Trouble.NO_HOLDER_RULE})


def attribute(hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime) -> dict[str, Attribution]:
    """Look up each host (A-label, lower case) and keep one record of it; returns host -> Attribution."""
    inquired = _inquire(hosts, resolver=resolver, by=by, now=now)
    made = {host: inquiry.answer for host, inquiry in inquired.items()}
    # What a place stands behind is kept with it.
    Attribution.objects.bulk_create(
        [place for answer in made.values() for place in chain(answer)], batch_size=1_000
    )
    want((address for inquiry in inquired.values() for address in inquiry.to_ask), now=now)
    return made


def look_up(hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime) -> dict[str, Attribution]:
    """What `attribute` would answer now for each host; nothing is kept. The network is asked with no row locked."""
    inquired = _inquire(hosts, resolver=resolver, by=by, now=now)
    return {host: inquiry.answer for host, inquiry in inquired.items()}


def explain(host: str, *, resolver: Resolver, by: str, now: datetime) -> "Inquiry":
    """What `attribute` would answer now, and all that every source says; nothing is kept."""
    return _inquire([host], resolver=resolver, by=by, now=now, of_all=True)[host]


@dataclass(frozen=True)
class Heard:
    """What a source said of a host, or of one of its addresses. `decides`: the answer rests on it."""

    source: Source
    name: str
    finding: Finding | None
    decides: bool = False

    @property
    def label(self) -> str:
        """The source in words."""
        return str(Attribution.Source(self.source.code).label)


@dataclass(frozen=True)
class Inquiry:
    """An answer, all that was heard for it (the weightiest source first), and the addresses to ask the registries for."""

    answer: Attribution
    heard: list[Heard]
    to_ask: tuple[str, ...]


def _inquire(
    hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime, of_all: bool = False
) -> dict[str, Inquiry]:
    """Where each host leads, and on from a CDN or proxy; each round goes one proxy further."""
    found = _ask(hosts, resolver=resolver, by=by, now=now, of_all=of_all)
    while told := known_origins({host: inquiry.answer for host, inquiry in found.items()}, now=now):
        servers = {origin.server for origin in told.values()}
        there = _ask(servers, resolver=resolver, by=by, now=now, of_all=of_all)
        for host, origin in told.items():
            before, beyond = found[host], there[origin.server]
            found[host] = Inquiry(
                behind(host, before.answer, origin, beyond.answer),
                [*(replace(each, decides=False) for each in before.heard), *beyond.heard],
                beyond.to_ask,
            )
    return found


def _ask(
    hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime, of_all: bool = False
) -> dict[str, Inquiry]:
    """`of_all`: what is only asked about the unknown is asked about everything."""
    names = list(dict.fromkeys(hosts))
    answers = dict(resolver.resolve(names))
    for name in names:
        address = literal(name)
        if address:
            answers[name] = Answer((address,))
    found = list(dict.fromkeys(address for name in names for address in answers[name].addresses))
    addresses = Addresses(found)
    said: list[_Said] = []
    unknown = found
    for source in SOURCES:
        findings: Sequence[Finding | None]
        if source.is_last_resort:
            unknown = [address for address in found if not any(each.names(address) for each in said)]
            asked: Sequence[str] = found if of_all else unknown
            findings = [_in_force(finding, now=now) for finding in source.ask(asked)]
        else:
            asked = names if source.about == HOST else addresses
            findings = source.ask(asked)
        said.append(_Said(source, {name: place for place, name in enumerate(asked)}, findings))
    open_ = _open(unknown, said[-1], now=now)

    def heard(name: str) -> list[Heard]:
        return [
            Heard(each.source, subject, each.of(subject))
            for each in said
            for subject in ([name] if each.source.about == HOST else answers[name].addresses)
        ]

    return {name: _judge(name, answers[name], heard(name), open_, by=by, now=now) for name in names}


@dataclass(frozen=True)
class _Said:
    """All that one source says."""

    source: Source
    places: Mapping[str, int]
    findings: Sequence[Finding | None]

    def of(self, subject: str) -> Finding | None:
        place = self.places.get(subject)
        return None if place is None else self.findings[place]

    def names(self, address: str) -> bool:
        """Whether it settles whose an address is, or that nobody can say."""
        finding = self.of(address) if self.source.about != HOST else None
        return finding is not None and (finding.provider is not None or finding.trouble == _SEVERAL_ORIGINS)


@dataclass(frozen=True)
class _Open:
    """What the registries are still to be asked, by address: `trouble` where they have said nothing that counts."""

    to_ask: frozenset[str] = frozenset()
    trouble: Mapping[str, str] = field(default_factory=dict)


def _in_force(finding: Finding | None, *, now: datetime) -> Finding | None:
    """What a registry said long ago names nobody any more."""
    if finding is None or finding.registration is None or finding.registration.asked_at > now - HOLDS_FOR:
        return finding
    return replace(finding, provider=None, reason="", trouble=_Trouble.ASKING)


def _open(unknown: Sequence[str], said: _Said, *, now: datetime) -> _Open:
    if not unknown or not said.source.is_last_resort or not settings.HOST.rdap:
        return _Open()
    asked_at = {
        address: finding.registration.asked_at
        for address in unknown
        if (finding := said.of(address)) and finding.registration
    }
    old = [address for address in unknown if asked_at.get(address, now - HOLDS_FOR) <= now - ASK_EVERY]
    troubles = unsettled(old, now=now)
    to_ask = frozenset(address for address, trouble in troubles.items() if trouble == _Trouble.ASKING)
    # What is only to be asked again still counts.
    return _Open(
        to_ask, {a: t for a, t in troubles.items() if asked_at.get(a, now - HOLDS_FOR) <= now - HOLDS_FOR}
    )


def _judge(host: str, answer: Answer, heard: list[Heard], open_: _Open, *, by: str, now: datetime) -> Inquiry:
    """The answer, and what was heard with what decided marked."""
    rule = next((each for each in heard if each.source.about == HOST and each.finding), None)
    hits = [hit for address in answer.addresses if (hit := _decisive(address, heard))]
    best = max(hits, key=_weight, default=None)
    named = [hit for hit in hits if hit.finding and hit.finding.provider]
    fields = _evidence(best)
    decided: Sequence[Heard] = ()
    trouble = ""
    if rule is not None:
        decided = [rule]
    elif best is None or best.finding is None:
        trouble = answer.trouble or _Trouble.NO_NETWORK
    elif len({hit.finding.provider.pk for hit in named if hit.finding and hit.finding.provider}) > 1:
        trouble = _Trouble.SEVERAL
    elif any(hit.finding and hit.finding.trouble == _SEVERAL_ORIGINS for hit in hits):
        trouble = _SEVERAL_ORIGINS
    elif named:
        decided = [best]
    else:
        trouble = best.finding.trouble
    fields |= {"source": Attribution.Source.NONE, "trouble": _still(trouble, answer, open_)}
    for each in decided:
        if each.finding:
            fields |= _conclusion(each, each.finding, heard)
    made = Attribution(
        host_key=host_key(host),
        addresses=list(answer.addresses),
        response_digest=_digest(answer, heard),
        at=now,
        by=by,
        **fields,
    )
    made.host = host
    marked = [Heard(h.source, h.name, h.finding, any(h is each for each in decided)) for h in heard]
    wants = made.source in _REGISTRIES_MATTER and trouble in {"", *_NOT_FOUND_YET, _Trouble.ASKING}
    return Inquiry(made, marked, tuple(a for a in answer.addresses if wants and a in open_.to_ask))


def _still(trouble: str, answer: Answer, open_: _Open) -> str:
    """The trouble, or that a registry is still to be asked or has failed."""
    if trouble not in _NOT_FOUND_YET:
        return trouble
    left = {open_.trouble.get(address, "") for address in answer.addresses}
    if _Trouble.ASKING in left:
        return _Trouble.ASKING
    silent = trouble == _Trouble.NO_NETWORK and _Trouble.REGISTRY_SILENT in left
    return _Trouble.REGISTRY_SILENT if silent else trouble


def _decisive(address: str, heard: Iterable[Heard]) -> Heard | None:
    """The first source that names a provider for an address, or that says it is of several; else the first that knows it."""
    known = [each for each in heard if each.source.about != HOST and each.name == address and each.finding]
    settled = (
        each
        for each in known
        if each.finding and (each.finding.provider or each.finding.trouble == _SEVERAL_ORIGINS)
    )
    return next(settled, known[0] if known else None)


def _weight(hit: Heard) -> tuple[bool, int]:
    assert hit.finding is not None
    return hit.finding.provider is not None, hit.finding.specificity


def _evidence(hit: Heard | None) -> dict[str, Any]:
    """What is known of the network, whoever it leads to."""
    if hit is None or hit.finding is None:
        return {}
    found = hit.finding
    return {
        "address": hit.name,
        "prefix": found.prefix,
        "asn": found.asn,
        "origins": list(found.origins),
        "country": found.country,
        "network_name": found.name,
        "table": found.table,
        "registration": found.registration,
    }


def _conclusion(hit: Heard, found: Finding, heard: Iterable[Heard]) -> dict[str, Any]:
    """Who it is, by what, and how sure we are: a list of networks that the routing table contradicts may be old."""
    contradicted = found.prefix is not None and any(
        each.name == hit.name
        and each.finding is not None
        and each.finding.origins
        and not set(found.origins) & set(each.finding.origins)
        for each in heard
    )
    return {
        "provider": found.provider,
        "source": hit.source.code,
        "country": found.country,
        "rule_reason": found.reason,
        "confidence": MEDIUM if contradicted and found.origins else found.confidence,
        "trouble": "",
    }


def _digest(answer: Answer, heard: Iterable[Heard]) -> bytes:
    """Of all that the look-up rests on, as it was said."""
    lines = [" ".join(answer.addresses)]
    for each in heard:
        if each.finding:
            found = each.finding
            provider = found.provider.code if found.provider else ""
            table = found.table.digest.hex() if found.table else ""
            if found.registration:
                table = bytes(found.registration.response_digest).hex()
            lines.append(
                f"{each.source.code} {found.prefix} {found.origins} {provider} {found.country} {table}"
            )
    return hashlib.sha256("\n".join(lines).encode()).digest()
