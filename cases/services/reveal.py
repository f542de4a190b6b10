"""Showing whole addresses. Whoever is shown one is written down, in the transaction that reads it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import Notice
from cases.services.refused import NotFound


def reveal(*, notice_id: int, by: Actor, now: datetime, reason: str = "", defanged: bool = False) -> str:
    """The canonical URL of one notice. `reason`: why the staff looks, as a code. Raises NotFound.

    `defanged`: it is shown defanged, to be copied.
    """
    with transaction.atomic():
        notice = Notice.objects.select_related("content").filter(pk=notice_id).first()
        if notice is None:
            raise NotFound(_("There is no such notice."))
        data = {"reason": reason} if reason else {}
        if defanged:
            data["form"] = "defanged"
        record("reveal", "notice", notice.pk, by=by, at=now, data=data or None)
        return str(notice.content.url)


def reveal_many(*, provider_id: int, notices: Sequence[Notice], by: Actor, now: datetime) -> dict[int, str]:
    """The canonical URLs of `notices` (read with their content) for a provider's machine, by id.

    One event for the whole list, with its references: a machine that polls would otherwise drown the audit.
    """
    if not notices:
        return {}
    with transaction.atomic():
        record(
            "reveal",
            "provider",
            provider_id,
            by=by,
            at=now,
            data={"notices": [notice.reference for notice in notices]},
        )
        return {notice.pk: notice.content.url for notice in notices}
