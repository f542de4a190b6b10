"""`{% load staff %}`: what only the staff's pages say."""

from typing import Any

from django import template

from accounts.models import ROLE_CHOICES
from accounts.names import Names
from cases.models import LegalClass, Report
from providers.health import reasons
from providers.models import Contact

register = template.Library()


@register.simple_tag(takes_context=True)
def who(context: template.Context, actor: str) -> str:
    """The name behind an actor of the audit; "" for nobody. One look-up for the whole page."""
    request = context["request"]
    if not hasattr(request, "names"):
        request.names = Names()
    return str(request.names.of(actor)) if actor else ""


@register.inclusion_tag("staff/health.html")
def health(contact: Contact, whole: bool = False) -> dict[str, Any]:
    """How well a contact can be reached, and why we say so; its figures as well when `whole`."""
    figures = getattr(contact, "health", None)
    return {
        "figures": figures,
        "reasons": reasons(figures, mode=contact.mode) if figures else [],
        "whole": whole,
    }


@register.filter
def class_words(code: str) -> str:
    """A legal class in words."""
    return str(LegalClass(code).label) if code in LegalClass.values else code


@register.filter
def role_words(roles: list[str]) -> str:
    """Roles in words, in the order of the table."""
    return ", ".join(str(label) for role, label in ROLE_CHOICES if role in roles)


@register.filter
def only_public(reports: list[dict[str, Any]]) -> bool:
    """Whether all that named an address came by the public form, where anybody may say anything."""
    return bool(reports) and all(each["line"].report.way == Report.Way.PUBLIC for each in reports)
