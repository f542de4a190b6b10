"""Which contacts and providers need somebody: each a question to the facts, asked alike by its list and its counter."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Exists, Min, OuterRef, QuerySet, Subquery

from cases.models import Notice
from providers.models import Contact, ContactHealth, Provider

#: Within so long after a suspension the provider has another contact, or it is late (P).
FALLBACK_WITHIN: Final = timedelta(hours=1)


def suspended() -> QuerySet[Contact]:
    """Contacts to which nothing goes until somebody has seen to it."""
    return Contact.objects.filter(suspended_at__isnull=False)


def without_fallback(*, now: datetime) -> QuerySet[Contact]:
    """Suspended for so long that the provider should have another contact by now, and it has none."""
    late = suspended().filter(suspended_at__lte=now - FALLBACK_WITHIN, role=Contact.Role.ABUSE)
    return late.exclude(Exists(_fallback()))


def proposed() -> QuerySet[Contact]:
    """Contacts that wait for a person's yes."""
    return Contact.objects.filter(approved_at__isnull=True, suspended_at__isnull=True)


def unreachable() -> QuerySet[Contact]:
    """Contacts in use at which hardly anything works."""
    return Contact.objects.usable().filter(health__word=ContactHealth.Word.BAD)


def unheard(*, now: datetime) -> QuerySet[Provider]:
    """Providers of whom notices wait because they have no contact in use. `waits`, `waits_since`: how many, the oldest."""
    waiting = waiting_for_contact(now=now).filter(provider=OuterRef("pk")).order_by().values("provider")
    return Provider.objects.filter(
        pk__in=waiting_for_contact(now=now).exclude(provider=None).values("provider")
    ).annotate(
        waits=Subquery(waiting.annotate(count=Count("pk")).values("count")),
        waits_since=Subquery(waiting.annotate(oldest=Min("assessed_at")).values("oldest")),
    )


def waiting_for_contact(*, now: datetime) -> QuerySet[Notice]:
    """Notices that routing held because their provider has no contact in use."""
    return Notice.objects.held(now=now).filter(
        hold=Notice.Hold.CONTACT_REVIEW, hold_review=Notice.Review.NO_CONTACT
    )


def waits_of(provider_ids: Sequence[int], *, now: datetime) -> dict[int, int]:
    """Provider -> how many of its notices wait for a contact."""
    found = waiting_for_contact(now=now).filter(provider__in=provider_ids).order_by().values("provider")
    return {each["provider"]: each["count"] for each in found.annotate(count=Count("pk"))}


def fallbacks(contacts: Sequence[Contact]) -> dict[int, Contact]:
    """Provider -> the contact that gets its notices now."""
    in_use: QuerySet[Any] = Contact.objects.for_notices().filter(
        provider__in=[contact.provider_id for contact in contacts]
    )
    return {contact.provider_id: contact for contact in in_use.order_by("-pk")}


def _fallback() -> QuerySet[Contact]:
    return Contact.objects.for_notices().filter(provider=OuterRef("provider")).exclude(pk=OuterRef("pk"))
