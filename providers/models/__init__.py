"""Parties in the hosting chain, their addresses, their networks, and what we found out about hosts."""

from providers.models.attribution import Attribution
from providers.models.health import ContactHealth
from providers.models.key import ContactKey, ContactKeyQuerySet
from providers.models.network import AsnRule, HostRule, Network
from providers.models.origin import Origin
from providers.models.prefix import Prefix, PrefixField
from providers.models.proposal import Proposal, ProposalQuerySet
from providers.models.provider import Contact, ContactQuerySet, Provider
from providers.models.registry import HolderRule, Registration, RegistryIndex, RegistryQuestion
from providers.models.relation import Relation, RelationQuerySet
from providers.models.routes import RoutingPart, RoutingTable
from providers.models.secret import ContactSecret, ContactSecretQuerySet

__all__ = [
    "AsnRule",
    "Attribution",
    "Contact",
    "ContactHealth",
    "ContactKey",
    "ContactKeyQuerySet",
    "ContactQuerySet",
    "ContactSecret",
    "ContactSecretQuerySet",
    "HolderRule",
    "HostRule",
    "Network",
    "Origin",
    "Prefix",
    "PrefixField",
    "Proposal",
    "ProposalQuerySet",
    "Provider",
    "Registration",
    "RegistryIndex",
    "RegistryQuestion",
    "Relation",
    "RelationQuerySet",
    "RoutingPart",
    "RoutingTable",
]
