"""Lists of references that somebody pasted: kept for a day, so that the search desk can page through them."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from audit.record import Actor
from cases.models import Notice, Picked
from cases.models.notice import NOTICE_REFERENCE
from cases.services.refused import Invalid

#: References in one list.
LONGEST: Final = 500
#: How long a list is kept (P).
KEPT: Final = timedelta(hours=24)

_REFERENCE: Final = re.compile(NOTICE_REFERENCE)
_BETWEEN: Final = re.compile(r"[\s,;]*")


def references_in(text: str) -> list[str]:
    """The references that `text` is a list of, each once; none when it holds anything else.

    A browser may have joined the lines of what was pasted, so nothing need stand between two.
    """
    text = text.upper()
    if _BETWEEN.fullmatch(_REFERENCE.sub("", text)) is None:
        return []
    return list(dict.fromkeys(_REFERENCE.findall(text)))


def pick(*, references: Sequence[str], by: Actor, now: datetime) -> tuple[Picked, list[str]]:
    """Keep the notices of a list; with the references that nothing is known of. Raises Invalid for too long."""
    if len(references) > LONGEST:
        raise Invalid(_("That is a list of more than %(longest)s references.") % {"longest": LONGEST})
    found = dict(Notice.objects.filter(reference__in=references).values_list("reference", "pk"))
    kept = Picked.objects.create(notice_ids=sorted(found.values()), by=str(by), created_at=now)
    return kept, [reference for reference in references if reference not in found]


def erase_old(*, now: datetime) -> None:
    """Erase the lists that are a day old."""
    Picked.objects.filter(created_at__lte=now - KEPT).delete()
