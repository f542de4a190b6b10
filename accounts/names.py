"""Who an actor of the audit is, in words for the staff. Nothing outside the staff's pages may say it."""

from functools import cached_property

from django.utils.translation import gettext as _

from accounts.models import ApiKey, User

# Parts of the system that people meet in a history; other parts are named as they are.
_PARTS = {
    "sweep_routes": "routing",
    "sweep_dispatches": "outbox",
    "sweep_deadlines": "clock",
    "sweep_steps": "ladder",
    "public_form": "public form",
    "sweep_bulk": "bulk acts",
    "sweep_figures": "figures",
    "sweep_mailbox": "mailbox",
    "sweep_receipts": "receipts",
}


class Names:
    """Names of people and keys by actor. Reads each table once, when first asked: both are small."""

    def of(self, actor: str) -> str:
        """The name behind "user:12", "key:3" or "system:sweep_routes"; what is unknown stays as it is."""
        kind, _colon, name = actor.partition(":")
        match kind:
            case "user":
                return self._people.get(name, actor)
            case "key":
                return self._keys.get(name, actor)
            case "link":
                return _("whoever has the link of %(number)s") % {"number": name}
            case "system":
                return _("the system (%(part)s)") % {"part": _PARTS.get(name, name)}
        return actor

    @cached_property
    def _people(self) -> dict[str, str]:
        people = User.objects.select_related("provider").only("name", "email", "provider__name")
        return {str(user.pk): f"{user} ({user.provider})" if user.provider else str(user) for user in people}

    @cached_property
    def _keys(self) -> dict[str, str]:
        return {str(key.pk): str(key) for key in ApiKey.objects.only("name", "prefix")}
