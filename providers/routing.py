"""Who hosts a host name: a person's rule first, then the most specific network of its addresses."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from django.db import connection

from providers.models import Attribution, HostRule, Network
from providers.sources.resolver import Answer, Resolver
from vault.keys import ring


def host_key(host: str) -> bytes:
    """The blind index of a host name."""
    return ring().blind(host, purpose="host")


@dataclass(frozen=True)
class _Hit:
    address: str
    network: Network


def attribute(hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime) -> dict[str, Attribution]:
    """Look up each host (A-label, lower case) and keep one record of it; returns host -> Attribution."""
    made = look_up(hosts, resolver=resolver, by=by, now=now)
    Attribution.objects.bulk_create(made.values(), batch_size=1_000)
    return made


def look_up(hosts: Iterable[str], *, resolver: Resolver, by: str, now: datetime) -> dict[str, Attribution]:
    """What `attribute` would answer now for each host; nothing is kept.

    The network is asked with no row locked. Addresses that lead to different providers lead to nobody: a
    person decides.
    """
    names = list(dict.fromkeys(hosts))
    rules = _rules(names)
    answers = dict(resolver.resolve(names))
    for name in names:
        literal = _literal(name)
        if literal:
            answers[name] = Answer((literal,))
    networks = _networks({address for answer in answers.values() for address in answer.addresses})
    return {name: _judge(name, rules.get(name), answers[name], networks, by=by, now=now) for name in names}


def _literal(host: str) -> str:
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return ""


def _parents(host: str) -> list[str]:
    """The host and every domain above it, longest first; an address has none."""
    if _literal(host):
        return [host]
    labels = host.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]


def _rules(hosts: Sequence[str]) -> dict[str, HostRule]:
    """host -> the longest rule that covers it."""
    keys = {name: [host_key(parent) for parent in _parents(name)] for name in hosts}
    wanted = {key for chain in keys.values() for key in chain}
    found = {
        bytes(rule.pattern_key): rule
        for rule in HostRule.objects.filter(pattern_key__in=wanted).select_related("provider")
    }
    hits = {name: next((found[key] for key in chain if key in found), None) for name, chain in keys.items()}
    return {name: rule for name, rule in hits.items() if rule is not None}


def _networks(addresses: Iterable[str]) -> dict[str, Network]:
    """address -> its most specific network, for all addresses in one query."""
    wanted = sorted(addresses)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.text, n.id
            FROM unnest(%s::text[]) AS a(text)
            CROSS JOIN LATERAL (
                SELECT id FROM providers_network
                WHERE prefix >>= a.text::inet ORDER BY masklen(prefix) DESC LIMIT 1
            ) n
            """,
            [wanted],
        )
        pairs: list[tuple[str, int]] = cursor.fetchall()
    rows = Network.objects.select_related("provider").in_bulk({pk for _text, pk in pairs})
    return {text: rows[pk] for text, pk in pairs}


def _judge(
    host: str,
    rule: HostRule | None,
    answer: Answer,
    networks: Mapping[str, Network],
    *,
    by: str,
    now: datetime,
) -> Attribution:
    hits = [_Hit(address, networks[address]) for address in answer.addresses if address in networks]
    best = max(hits, key=lambda hit: _specificity(hit.network), default=None)
    providers = {hit.network.provider_id for hit in hits}
    fields: dict[str, Any] = {}
    if best is not None:
        network = best.network
        fields = {
            "address": best.address,
            "prefix": network.prefix,
            "asn": network.asn,
            "country": network.country,
            "network_name": network.name,
        }
    if rule is not None:
        fields |= {"provider": rule.provider, "source": Attribution.Source.HOST_RULE, "country": rule.country}
        fields["rule_reason"] = rule.reason
    elif best is None:
        trouble = answer.trouble or Attribution.Trouble.NO_NETWORK
        fields |= {"source": Attribution.Source.NONE, "trouble": trouble}
    elif len(providers) > 1:
        fields |= {"source": Attribution.Source.NONE, "trouble": Attribution.Trouble.SEVERAL}
    else:
        fields |= {"provider": best.network.provider, "source": Attribution.Source.NETWORK}
    made = Attribution(
        host_key=host_key(host),
        addresses=list(answer.addresses),
        response_digest=hashlib.sha256(" ".join(answer.addresses).encode()).digest(),
        at=now,
        by=by,
        **fields,
    )
    made.host = host
    return made


def _specificity(network: Network) -> int:
    """Length of the prefix as a share of its family's, so that IPv4 and IPv6 compare."""
    prefix: Any = network.prefix
    return int(prefix.prefixlen * 128 / prefix.max_prefixlen)
