"""What registries have said of networks (RDAP), and a person's rules on whose their holders are.

It names a provider only by such a rule. Here nobody is asked: a sweep does that (providers/services/registry.py).
"""

from collections.abc import Sequence

from django.conf import settings

from providers.models import Attribution, HolderRule, Registration
from providers.sources.finding import ADDRESS, LOW, Finding

# The most specific network of each address, of those that are newest.
_NEWEST = """
    SELECT DISTINCT ON (asked.place) registration.*, asked.place
    FROM unnest(%s::inet[]) WITH ORDINALITY AS asked (address, place)
    JOIN providers_registration registration
      ON registration.prefix >>= asked.address AND registration.is_newest
    ORDER BY asked.place, masklen(registration.prefix) DESC
"""


class Registries:
    """The last to be asked, and only about addresses of which no other source names a provider."""

    code: str = Attribution.Source.RDAP
    about: str = ADDRESS
    is_last_resort: bool = True

    def ask(self, names: Sequence[str]) -> Sequence[Finding | None]:
        if not settings.HOST.rdap or not names:
            return [None] * len(names)
        found = {row.place - 1: row for row in Registration.objects.raw(_NEWEST, [list(names)])}
        handles = {row.holder_handle for row in found.values() if row.holder_handle}
        rules = {
            rule.handle: rule
            for rule in HolderRule.objects.filter(handle__in=handles).select_related("provider")
        }
        return [
            self._said(row, rules.get(row.holder_handle)) if (row := found.get(place)) else None
            for place in range(len(names))
        ]

    def _said(self, row: Registration, rule: HolderRule | None) -> Finding:
        return Finding(
            self.code,
            LOW,
            provider=rule.provider if rule else None,
            trouble="" if rule else Attribution.Trouble.NO_HOLDER_RULE,
            prefix=row.prefix,
            country=rule.country if rule else row.country,
            name=row.name,
            reason=rule.reason if rule else "",
            registration=row,
        )
