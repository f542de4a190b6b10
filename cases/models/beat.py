"""When the sweeps last came to their end."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Beat(models.Model):
    """The last time a sweep came to its end: one row each, no history, kept where FLUSHALL does not reach."""

    name = models.CharField(_("sweep"), max_length=40, primary_key=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("beat")
        verbose_name_plural = _("beats")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
