"""The imported routing table says which AS is the origin of a prefix; a person's rule says whose that AS is."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network

from providers.models import AsnRule, Attribution
from providers.routes import Routes, routes
from providers.sources.finding import ADDRESS, MEDIUM, Finding, Findings
from providers.sources.held import Held


class RoutingTables:
    """The most specific route, and the rules for the ASes that announce it. Several ASes answer only when they agree."""

    code: str = Attribution.Source.ROUTES
    about: str = ADDRESS
    is_last_resort: bool = False

    def __init__(self) -> None:
        self._rules = Held(AsnRule, _load)

    def ask(self, names: Sequence[str]) -> Sequence[Finding | None]:
        table = routes()
        if table is None:
            return [None] * len(names)
        rules = self._rules.get()
        return Findings(table.prefixes.find(names), lambda place: self._said(table, rules, place))

    def _said(self, table: Routes, rules: Mapping[int, AsnRule], place: int) -> Finding:
        route = table.route(place)
        known = [rules[asn] for asn in route.origins if asn in rules]
        same = len({(rule.provider_id, rule.country) for rule in known}) == 1
        trouble = ""
        if not known:
            trouble = Attribution.Trouble.NO_ASN_RULE
        elif not same or len(known) < len(route.origins):
            trouble = Attribution.Trouble.SEVERAL_ORIGINS
        rule = None if trouble else known[0]
        return Finding(
            self.code,
            MEDIUM,
            provider=rule.provider if rule else None,
            trouble=trouble,
            prefix=ip_network(route.prefix),
            origins=route.origins,
            country=rule.country if rule else "",
            reason=rule.reason if rule else "",
            table=table.row,
        )


def _load() -> dict[int, AsnRule]:
    return {rule.asn: rule for rule in AsnRule.objects.select_related("provider")}
