"""A person's word on a host and all under it; the longest rule that covers the host."""

from collections.abc import Sequence

from providers.hosts import host_key, parents
from providers.models import Attribution, HostRule
from providers.sources.finding import HIGH, HOST, Finding


class HostRules:
    """Rules by host name, and by registrable domain: a rule covers all that is under its pattern."""

    code: str = Attribution.Source.HOST_RULE
    about: str = HOST
    is_last_resort: bool = False

    def ask(self, names: Sequence[str]) -> Sequence[Finding | None]:
        keys = {name: [(host_key(parent), parent) for parent in parents(name)] for name in names}
        wanted = {key for chain in keys.values() for key, _parent in chain}
        rules = {
            bytes(rule.pattern_key): rule
            for rule in HostRule.objects.filter(pattern_key__in=wanted).select_related("provider")
        }
        return [
            next((self._said(rules[key], parent) for key, parent in keys[name] if key in rules), None)
            for name in names
        ]

    def _said(self, rule: HostRule, covers: str) -> Finding:
        return Finding(
            self.code, HIGH, provider=rule.provider, country=rule.country, reason=rule.reason, covers=covers
        )
