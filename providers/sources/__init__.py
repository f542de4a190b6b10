"""Ways to learn who hosts something, in the order of their weight: what people say before what is looked up."""

from typing import Final

from providers.sources.finding import Source
from providers.sources.host_rules import HostRules
from providers.sources.networks import Networks
from providers.sources.registries import Registries
from providers.sources.routing_table import RoutingTables

#: The first that names a provider decides; of two of its answers for one host, see providers/routing.py.
SOURCES: Final[tuple[Source, ...]] = (HostRules(), Networks(), RoutingTables(), Registries())
