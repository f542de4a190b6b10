"""What a newer rule of the canonical form makes of a content, where a person must say what then."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.content import Content


class Rereading(models.Model):
    """Content that keeps its old form, and why. It goes when the content can take the new form after all."""

    class Outcome(models.TextChoices):
        JOINS = "joins", _("the newer rule makes it the same address as another one")
        OTHER_HOST = "other_host", _("the newer rule means another host, and a provider was told already")
        REFUSED = "refused", _("the newer rule refuses it")
        QUARANTINED = "quarantined", _("the newer rule would put it aside for a person")
        SEALED = "sealed", _("its text does not open with the keys at hand")

    content = models.OneToOneField(
        Content, models.PROTECT, related_name="rereading", verbose_name=_("content")
    )
    outcome = models.CharField(_("outcome"), max_length=11, choices=Outcome.choices)
    # A code of cases.url.REASONS.
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    # The content that has the address which the newer rule makes of this one.
    other = models.ForeignKey(
        Content, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("joins")
    )
    rule_version = models.PositiveSmallIntegerField(_("version of the canonical form"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("rereading")
        verbose_name_plural = _("rereadings")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="rereading_joins_another",
                condition=Q(outcome="joins", other__isnull=False)
                | (~Q(outcome="joins") & Q(other__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_id}: {self.outcome}"
