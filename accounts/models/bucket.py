"""How often a door is used."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Bucket(models.Model):
    """How much a door was used by an address, a network or everybody: full until it has leaked (throttle.py).

    `key` is a keyed hash. `empty_at`: when nothing of it counts any more.
    """

    door = models.CharField(_("door"), max_length=20)
    key = models.BinaryField(max_length=32, editable=False)
    empty_at = models.DateTimeField(_("empty at"))

    class Meta:
        verbose_name = _("bucket")
        verbose_name_plural = _("buckets")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["door", "key"], name="bucket_once_per_door")]
        indexes = [models.Index(fields=["empty_at"], name="bucket_empty")]

    def __str__(self) -> str:
        return f"{self.door} {self.pk}"
