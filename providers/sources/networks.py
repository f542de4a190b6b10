"""A person's word, or a file's that a person brought, on whose a prefix is; the most specific one."""

from collections.abc import Sequence

from providers.models import Attribution, Network
from providers.prefixes import PrefixTable
from providers.sources.finding import ADDRESS, HIGH, Finding, Findings
from providers.sources.held import Held


class Networks:
    """Rules by prefix: our own list of networks."""

    code: str = Attribution.Source.NETWORK
    about: str = ADDRESS
    is_last_resort: bool = False

    def __init__(self) -> None:
        self._held = Held(Network, _load)

    def ask(self, names: Sequence[str]) -> Sequence[Finding | None]:
        prefixes, networks = self._held.get()

        def tell(place: int) -> Finding:
            network = networks[place]
            return Finding(
                self.code,
                HIGH,
                provider=network.provider,
                prefix=network.prefix,
                origins=(network.asn,),
                country=network.country,
                name=network.name,
            )

        return Findings(prefixes.find(names), tell)


def _load() -> tuple[PrefixTable, list[Network]]:
    networks = list(Network.objects.select_related("provider").order_by("pk"))
    prefixes, order = PrefixTable.of([str(network.prefix) for network in networks])
    return prefixes, [networks[place] for place in order]
