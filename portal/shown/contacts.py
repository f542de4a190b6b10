"""What a provider should know of how its contacts fare."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from providers.health import SILENT, UNUSED
from providers.models import Contact, ContactHealth


def troubles(contact: Contact, health: ContactHealth | None) -> list[str]:
    """What asks for another contact, in words; nothing when it fares well."""
    return list(_troubles(contact, health))


def _troubles(contact: Contact, health: ContactHealth | None) -> Iterator[str]:
    if contact.suspended_at is not None:
        yield _("Suspended: nothing goes there. Propose another address.")
    if health is None:
        return
    worked_at, bounced_at = health.last_success_at, health.last_bounced_at
    if bounced_at is not None and (worked_at is None or worked_at <= bounced_at):
        yield _("Our last message there came back. Is the address still right?")
    if health.unanswered >= SILENT[0]:
        yield _("Nobody has answered what we lately sent there. Does anybody read it?")
    since = worked_at or health.last_sent_at
    if since is not None and health.counted_at - since > UNUSED:
        yield _("It has not been used for a year. Is it still right?")
