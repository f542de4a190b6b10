"""Who hosts a host name: what the sources say of it and of all its addresses, weighed in one place.

A person's word on the host beats everything. Else each address goes by the first source that names a provider for it;
addresses that lead to different providers, or into a network of several ASes, lead to nobody: a person decides.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from providers.hosts import host_key, literal
from providers.models import Attribution
from providers.prefixes import Addresses
from providers.sources import SOURCES
from providers.sources.finding import HOST, MEDIUM, Finding, Source
from providers.sources.resolver import Answer, Resolver

__all__ = ["Heard", "attribute", "explain", "host_key", "look_up"]

_SEVERAL_ORIGINS = Attribution.Trouble.SEVERAL_ORIGINS


def attribute(hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime) -> dict[str, Attribution]:
    """Look up each host (A-label, lower case) and keep one record of it; returns host -> Attribution."""
    made = look_up(hosts, resolver=resolver, by=by, now=now)
    Attribution.objects.bulk_create(made.values(), batch_size=1_000)
    return made


def look_up(hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime) -> dict[str, Attribution]:
    """What `attribute` would answer now for each host; nothing is kept. The network is asked with no row locked."""
    return {
        host: answer for host, (answer, _heard) in _inquire(hosts, resolver=resolver, by=by, now=now).items()
    }


def explain(host: str, *, resolver: Resolver, by: str, now: datetime) -> "tuple[Attribution, list[Heard]]":
    """What `attribute` would answer now, and all that every source says, the weightiest first; nothing is kept."""
    return _inquire([host], resolver=resolver, by=by, now=now)[host]


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


def _inquire(
    hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime
) -> dict[str, tuple[Attribution, list[Heard]]]:
    names = list(dict.fromkeys(hosts))
    answers = dict(resolver.resolve(names))
    for name in names:
        address = literal(name)
        if address:
            answers[name] = Answer((address,))
    found = list(dict.fromkeys(address for name in names for address in answers[name].addresses))
    addresses = Addresses(found)
    said = []
    for source in SOURCES:
        asked: Sequence[str] = names if source.about == HOST else addresses
        said.append((source, {name: i for i, name in enumerate(asked)}, source.ask(asked)))

    def heard(name: str) -> list[Heard]:
        return [
            Heard(source, subject, findings[places[subject]])
            for source, places, findings in said
            for subject in ([name] if source.about == HOST else answers[name].addresses)
        ]

    return {name: _judge(name, answers[name], heard(name), by=by, now=now) for name in names}


def _judge(
    host: str, answer: Answer, heard: list[Heard], *, by: str, now: datetime
) -> tuple[Attribution, list[Heard]]:
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
        trouble = answer.trouble or Attribution.Trouble.NO_NETWORK
    elif len({hit.finding.provider.pk for hit in named if hit.finding and hit.finding.provider}) > 1:
        trouble = Attribution.Trouble.SEVERAL
    elif any(hit.finding and hit.finding.trouble == _SEVERAL_ORIGINS for hit in hits):
        trouble = _SEVERAL_ORIGINS
    elif named:
        decided = [best]
    else:
        trouble = best.finding.trouble
    fields |= {"source": Attribution.Source.NONE, "trouble": trouble}
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
    return made, [Heard(h.source, h.name, h.finding, any(h is each for each in decided)) for h in heard]


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
    }


def _conclusion(hit: Heard, found: Finding, heard: Iterable[Heard]) -> dict[str, Any]:
    """Who it is, by what, and how sure we are: a list of networks that the routing table contradicts may be old."""
    contradicted = found.prefix is not None and any(
        each.name == hit.name
        and each.finding is not None
        and not set(found.origins) & set(each.finding.origins)
        for each in heard
    )
    return {
        "provider": found.provider,
        "source": hit.source.code,
        "country": found.country,
        "rule_reason": found.reason,
        "confidence": MEDIUM if contradicted else found.confidence,
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
            lines.append(
                f"{each.source.code} {found.prefix} {found.origins} {provider} {found.country} {table}"
            )
    return hashlib.sha256("\n".join(lines).encode()).digest()
