"""The contact managers' desk: providers with their contacts, networks and rules, and "why this provider?"."""

from providers.admin import provider, registry

__all__ = ["provider", "registry"]
