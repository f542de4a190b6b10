"""Parties in the hosting chain: known, and known better."""

from datetime import datetime
from typing import Any

from django.db import transaction

from audit.record import Actor, record
from providers.models import Provider


def add_provider(*, by: Actor, now: datetime, **fields: Any) -> Provider:
    """A new provider; `fields` are those of the model."""
    with transaction.atomic():
        provider = Provider.objects.create(**fields)
        record("add", "provider", provider.pk, by=by, at=now, data={"code": provider.code})
    return provider


def change_provider(*, provider_id: int, by: Actor, now: datetime, **fields: Any) -> Provider:
    """Correct what is known of a provider. Its code stays: files and keys call it by that."""
    with transaction.atomic():
        provider = Provider.objects.select_for_update().get(pk=provider_id)
        changed = [name for name, value in fields.items() if getattr(provider, name) != value]
        for name in changed:
            setattr(provider, name, fields[name])
        if changed:
            provider.save(update_fields=changed)
            record("change", "provider", provider.pk, by=by, at=now, data={"fields": sorted(changed)})
    return provider
