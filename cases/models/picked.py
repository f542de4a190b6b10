"""A list of references that somebody pasted into the search desk."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from vault.sealed import new_id


class Picked(models.Model):
    """The notices of the list. It makes the search an address that can be shared, and is erased after a while."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notice_ids = ArrayField(models.BigIntegerField(), verbose_name=_("notices"))
    by = models.CharField(_("by"), max_length=40)
    created_at = models.DateTimeField(_("created"), db_index=True)

    class Meta:
        verbose_name = _("list of references")
        verbose_name_plural = _("lists of references")
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return str(self.pk)
