"""Deadline rules: which term counts from when."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import DeadlineRule
from cases.services.refused import Invalid


def rule_at(at: datetime) -> DeadlineRule:
    """The rule for a clock that starts at `at`: the latest that is valid by then."""
    return DeadlineRule.objects.filter(valid_from__lte=at).order_by("-valid_from")[:1].get()


def set_term(*, term: timedelta, valid_from: datetime, by: Actor, now: datetime) -> DeadlineRule:
    """Add a rule. Clocks that run keep theirs. Raises Invalid when it would rewrite the past."""
    if term <= timedelta(0):
        raise Invalid(_("The term must be longer than nothing."))
    if valid_from < now - timedelta(minutes=1):
        raise Invalid(
            _("A rule cannot begin in the past: clocks that run would no longer explain themselves.")
        )
    with transaction.atomic():
        # One writer at a time, so that versions count up without a gap.
        newest = DeadlineRule.objects.select_for_update().order_by("-version")[:1].get()
        if DeadlineRule.objects.filter(valid_from=valid_from).exists():
            raise Invalid(_("There is a rule that begins at that very moment."))
        version = (DeadlineRule.objects.aggregate(top=Max("version"))["top"] or newest.version) + 1
        rule = DeadlineRule.objects.create(version=version, term=term, valid_from=valid_from, by=str(by))
        record(
            "set_term",
            "rule",
            rule.pk,
            by=by,
            at=now,
            data={"term_s": term.total_seconds(), "from": valid_from.isoformat(), "version": version},
        )
    return rule
