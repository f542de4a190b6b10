"""A provider's own figures, and its right of reply before they are anybody else's."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.formats.scorecard import row
from cases.measures.definitions import VERSION
from cases.measures.measured import Measured
from cases.measures.quarter import Quarter
from cases.models import ScorecardComment
from cases.models.scorecard import LONGEST_COMMENT
from cases.services.measuring import measured
from cases.services.refused import Invalid
from providers.models import Provider

#: So many quarters back from the one that runs (P).
QUARTERS: Final = 8


def scorecard(*, provider_id: int, now: datetime) -> list[Measured]:
    """The figures of the quarter that runs and those before it, the latest first, as they are known now."""
    latest = Quarter.of(now)
    quarters = [latest.back(count) for count in range(QUARTERS)]
    return measured(provider_id=provider_id, quarters=quarters, cut_off=now)


def comments(*, provider_id: int) -> dict[str, list[ScorecardComment]]:
    """Quarter -> what the provider said about it, the latest first."""
    said: dict[str, list[ScorecardComment]] = {}
    for each in ScorecardComment.objects.filter(provider=provider_id).order_by("quarter", "-at", "-pk"):
        said.setdefault(each.quarter, []).append(each)
    return said


def comment(*, provider_id: int, quarter: str, text: str, by: Actor, now: datetime) -> ScorecardComment:
    """Keep the provider's words on one of its quarters, with the figures as they stand; the same again is one.

    Raises Invalid.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_COMMENT:
        raise Invalid(_("A comment has 1 to %(most)d characters.") % {"most": LONGEST_COMMENT})
    shown = {str(each.quarter): each for each in scorecard(provider_id=provider_id, now=now)}
    if quarter not in shown:
        raise Invalid(_("There are no figures of this quarter to comment on."))
    with transaction.atomic():
        # One after the other: a double click keeps one row.
        Provider.objects.select_for_update().get(pk=provider_id)
        before = ScorecardComment.objects.filter(provider=provider_id, quarter=quarter)
        latest = before.order_by("-at", "-pk").first()
        if latest is not None and latest.text == text:
            return latest
        kept = ScorecardComment(
            provider_id=provider_id,
            quarter=quarter,
            figures=row(shown[quarter]),
            version=VERSION,
            at=now,
            by=str(by),
        )
        kept.text = text
        kept.save(force_insert=True)
        record("comment", "provider", provider_id, by=by, at=now, data={"quarter": quarter})
    return kept
