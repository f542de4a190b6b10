"""Filters under a name: keep, reorder, begin with, forget."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.roles import STAFF_ROLES
from audit.record import Actor, record
from cases.filters import parsed
from cases.models import SavedFilter
from cases.services.refused import Invalid, NotFound


def save(*, name: str, query: str, role: str = "", by: Actor, now: datetime) -> SavedFilter:
    """Keep what `query` means, for this person or for everybody of a role; the same name takes its place.

    Raises Invalid without a name, for a filter that is none, and for a role that is none.
    """
    form = parsed(query)
    if by.user_id is None or not name.strip() or not name.isprintable():
        raise Invalid(_("Give it a name."))
    if not form.is_valid() or not form.query:
        raise Invalid(_("There is no filter to save."))
    if role and role not in STAFF_ROLES:
        raise Invalid(_("There is no such role."))
    with transaction.atomic():
        last = SavedFilter.objects.filter(user_id=by.user_id or 0).aggregate(last=Max("position"))["last"]
        saved, _created = SavedFilter.objects.update_or_create(
            user_id=by.user_id,
            name=name.strip()[:60],
            defaults={"query": form.query, "role": role, "count": None, "counted_at": None},
            create_defaults={
                "query": form.query, "role": role, "position": (last or 0) + 1, "created_at": now,
            },
        )  # fmt: skip
        if role:
            record(
                "share_filter", "filter", saved.pk, by=by, at=now, data={"role": role, "filter": form.query}
            )
    return saved


def begin_with(*, saved_id: int, by: Actor) -> None:
    """The search desk begins with this one, or with none of them if it did already. Raises NotFound."""
    with transaction.atomic():
        saved = _own(saved_id, by)
        opens = not saved.opens
        SavedFilter.objects.filter(user_id=by.user_id or 0, opens=True).update(opens=False)
        SavedFilter.objects.filter(pk=saved.pk).update(opens=opens)


def move_up(*, saved_id: int, by: Actor) -> None:
    """One place further to the front. Raises NotFound."""
    with transaction.atomic():
        saved = _own(saved_id, by)
        mine = list(SavedFilter.objects.filter(user_id=by.user_id or 0).order_by("position", "pk"))
        at = next(number for number, row in enumerate(mine) if row.pk == saved.pk)
        if at:
            mine[at - 1], mine[at] = mine[at], mine[at - 1]
        for number, row in enumerate(mine, start=1):
            row.position = number
        SavedFilter.objects.bulk_update(mine, ["position"])


def forget(*, saved_id: int, by: Actor) -> None:
    """It is gone, for whom it was shared with too. Raises NotFound."""
    with transaction.atomic():
        _own(saved_id, by).delete()


def _own(saved_id: int, by: Actor) -> SavedFilter:
    saved = SavedFilter.objects.select_for_update().filter(pk=saved_id, user_id=by.user_id or 0).first()
    if saved is None:
        raise NotFound(_("There is no such filter."))
    return saved
