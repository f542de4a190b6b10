"""An imported routing table: which AS says that it is the origin of which prefix."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RoutingTable(models.Model):
    """One generation. The newest is in use; of the older ones the row stays, because attributions name it."""

    source = models.CharField(_("source"), max_length=100)
    digest = models.BinaryField(max_length=32, editable=False)  # SHA-256 of its files, one after the other
    imported_at = models.DateTimeField(_("imported"))
    by = models.CharField(_("by"), max_length=40)
    prefixes_v4 = models.PositiveIntegerField(_("IPv4 prefixes"))
    prefixes_v6 = models.PositiveIntegerField(_("IPv6 prefixes"))
    several_origins = models.PositiveIntegerField(_("prefixes of more than one AS"))
    left_out = models.PositiveBigIntegerField(_("lines left out"))

    class Meta:
        verbose_name = _("routing table")
        verbose_name_plural = _("routing tables")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.source} {self.imported_at:%Y-%m-%d}"


class RoutingPart(models.Model):
    """A piece of one of its arrays (providers/routes.py), in the order of `number`; only the newest table has them."""

    table = models.ForeignKey(RoutingTable, models.CASCADE, related_name="parts")
    array = models.CharField(max_length=20)
    number = models.PositiveSmallIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("part of a routing table")
        verbose_name_plural = _("parts of routing tables")
        ordering = ["table", "array", "number", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["table", "array", "number"], name="routing_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.array} {self.number}"
