"""Which server stands behind a CDN or proxy, for one host name, as somebody told us."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from providers.models.provider import Provider
from vault.sealed import Sealed, new_id


class Origin(models.Model):
    """Written once; the newest of a host and proxy counts, as long as it is not too old to trust.

    `server` is an address or a host name in canonical form. It stands sealed like the host: it says what is where.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    proxy = models.ForeignKey(
        Provider, models.PROTECT, related_name="origins", verbose_name=_("CDN or proxy"), db_index=False
    )
    host_key = models.BinaryField(max_length=32, editable=False)
    host_sealed = models.BinaryField(editable=False)
    server_sealed = models.BinaryField(editable=False)
    host = Sealed("host_sealed")
    server = Sealed("server_sealed")
    reason = models.CharField(_("how we know"), max_length=300)
    at = models.DateTimeField(_("at"))
    by = models.CharField(_("by"), max_length=40)

    class Meta:
        verbose_name = _("origin")
        verbose_name_plural = _("origins")
        ordering = ["-at", "pk"]
        indexes: ClassVar = [models.Index(fields=["proxy", "host_key", "-at"], name="origin_of_host")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return str(self.pk)
