"""The provider's own reference for a notice: its ticket, its customer."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import Notice
from cases.services.moving import moving
from cases.services.refused import Invalid, Refused

#: characters
LONGEST: Final = 100


class ChangedMeanwhile(Refused):
    """A colleague wrote another reference since the caller looked. `current` is what stands there now."""

    code = "stale"

    def __init__(self, current: str) -> None:
        self.current = current
        super().__init__(
            _("A colleague has changed this since you opened the page. It now says “%(current)s”.")
            % {"current": current}
        )


def set_customer_reference(*, notice_id: int, text: str, seen: str, by: Actor, now: datetime) -> Notice:
    """Keep the provider's own reference. `seen`: what stood there when the caller looked.

    The notice's version is not asked: it moves with each sighting, and none of those touches this.
    Raises Invalid, NotFound, ChangedMeanwhile.
    """
    text = text.strip()
    if len(text) > LONGEST or not text.isprintable():
        raise Invalid(_("A reference is one line of at most %(most)d characters.") % {"most": LONGEST})
    with moving(notice_id, "set_customer_reference", by=by, now=now) as notice:
        if notice.customer_reference not in {seen, text}:
            raise ChangedMeanwhile(notice.customer_reference)
        notice.customer_reference = text
    return notice
