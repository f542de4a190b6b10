"""How parties in the hosting chain stand to each other, and since when."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.models.provider import Provider

_AMSTERDAM: Final = ZoneInfo("Europe/Amsterdam")


class RelationQuerySet(models.QuerySet["Relation"]):
    def valid_on(self, day: date) -> "RelationQuerySet":
        """Those that held on a day: the first day counts, the last one does not."""
        return self.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=day), valid_from__lte=day)

    def mergers(self, *, now: datetime) -> "RelationQuerySet":
        """Of providers that have gone up in another by now: the day begins in Amsterdam, where it was said."""
        return self.filter(kind=Relation.Kind.MERGED_INTO).valid_on(now.astimezone(_AMSTERDAM).date())

    def of(self, provider: Provider) -> "RelationQuerySet":
        """Those that a provider has a part in, on either side."""
        return self.filter(Q(provider=provider) | Q(other=provider))


class Relation(models.Model):
    """`provider` is a reseller of `other`, a customer of it, or went up in it, from a day until a day.

    It is never corrected in place: what held when a clock started must be found again. A mistake is ended, on the day
    that it began if it never held.
    """

    class Kind(models.TextChoices):
        RESELLER_OF = "reseller_of", _("reseller of")
        CUSTOMER_OF = "customer_of", _("customer of")
        MERGED_INTO = "merged_into", _("merged into")

    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="relations", verbose_name=_("provider")
    )
    kind = models.CharField(_("kind"), max_length=11, choices=Kind.choices)
    other = models.ForeignKey(Provider, models.PROTECT, related_name="+", verbose_name=_("other provider"))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    by = models.CharField(_("by"), max_length=40, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = RelationQuerySet.as_manager()

    class Meta:
        verbose_name = _("relation")
        verbose_name_plural = _("relations")
        ordering = ["-valid_from", "pk"]
        constraints = [
            models.CheckConstraint(name="relation_is_with_another", condition=~Q(provider=F("other"))),
            models.CheckConstraint(
                name="relation_ends_after_it_began",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
            ),
            models.UniqueConstraint(
                fields=["provider", "kind", "other"],
                name="relation_goes_on_once",
                condition=Q(valid_until__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.get_kind_display()} {self.other}"
