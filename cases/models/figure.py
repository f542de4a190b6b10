"""Figures that are too large to count while somebody waits: kept by a sweep, with the moment they were counted."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from providers.models import Provider


class Figure(models.Model):
    """How many rows wait in a queue, and since when the oldest does."""

    code = models.CharField(max_length=40, primary_key=True)
    count = models.PositiveIntegerField(_("count"))
    oldest_at = models.DateTimeField(_("oldest"), null=True)
    counted_at = models.DateTimeField(_("counted"))

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class ProviderFigure(models.Model):
    """What is open with a provider that has something overdue."""

    provider = models.OneToOneField(Provider, models.CASCADE, primary_key=True, related_name="+")
    open = models.PositiveIntegerField(_("open"))
    overdue = models.PositiveIntegerField(_("overdue"))
    oldest_at = models.DateTimeField(_("oldest"), null=True)
    silent = models.PositiveIntegerField(_("no answer"))
    online = models.PositiveIntegerField(_("seen online after the term"))
    disputed = models.PositiveIntegerField(_("disputed"))
    counted_at = models.DateTimeField(_("counted"))

    class Meta:
        verbose_name = _("figure of a provider")
        verbose_name_plural = _("figures of providers")
        ordering = ["oldest_at", "pk"]

    def __str__(self) -> str:
        return str(self.provider_id)


class SavedFilter(models.Model):
    """A filter of the search desk under a name: somebody's own, or shared with everybody of a role."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("by"))
    # A role of accounts.roles; "" for its owner alone.
    role = models.CharField(_("shared with"), max_length=20, blank=True)
    name = models.CharField(_("name"), max_length=60)
    # As SearchForm.query spells it: only what it knows, never an address.
    query = models.CharField(_("filter"), max_length=1_000)
    position = models.PositiveIntegerField(default=0, editable=False)
    # Whether the search desk begins with it, for its owner.
    opens = models.BooleanField(_("the desk begins with it"), default=False)
    # Up to audit.counting.COUNTED + 1; None before the first count, and when it is no filter any more.
    count = models.PositiveIntegerField(null=True, editable=False)
    counted_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_filter_name_once"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(opens=True), name="saved_filter_opens_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
