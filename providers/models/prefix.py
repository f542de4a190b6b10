"""A prefix as a column."""

from ipaddress import IPv4Network, IPv6Network, ip_network

from django.db import models

Prefix = IPv4Network | IPv6Network


class PrefixField(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's cidr: an IPv4 or IPv6 prefix, as `ipaddress.ip_network`."""

    def db_type(self, connection: object) -> str:
        return "cidr"

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Prefix | None:
        """Django's driver settings give inet and cidr as text."""
        return None if value is None else ip_network(value)

    def to_python(self, value: object) -> Prefix | None:
        return None if value in (None, "") else ip_network(str(value))

    def get_prep_value(self, value: object) -> str | None:
        return None if value is None else str(value)
