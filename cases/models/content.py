"""One canonical URL: the unit of deduplication. Written once, never in clear."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases import url as urls
from providers.routing import host_key
from vault.keys import ring
from vault.sealed import Sealed, new_id


class Content(models.Model):
    """Material at an address.

    `url` is the canonical form, `raw` the text as it first came in. Both, and the host, are sealed; the keys
    beside them are blind indexes, so that equality can be asked without reading.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    url_sealed = models.BinaryField(editable=False)
    raw_sealed = models.BinaryField(editable=False)
    host_sealed = models.BinaryField(editable=False)
    url_key = models.BinaryField(max_length=32, unique=True, editable=False)
    host_key = models.BinaryField(max_length=32, editable=False)
    rule_version = models.PositiveSmallIntegerField(_("version of the canonical form"), editable=False)
    created_at = models.DateTimeField(_("created"))

    url = Sealed("url_sealed")
    raw = Sealed("raw_sealed")
    host = Sealed("host_sealed")

    class Meta:
        verbose_name = _("content")
        verbose_name_plural = _("content")
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["host_key"], name="content_of_host")]

    def __str__(self) -> str:
        return str(self.pk)

    @staticmethod
    def key_of(canonical: str) -> bytes:
        """The blind index of a canonical URL: what `url_key` holds."""
        return ring().blind(canonical, purpose="url")

    @classmethod
    def of(cls, parsed: urls.Parsed, *, now: datetime) -> "Content":
        """The content at an address, not saved yet."""
        content = cls(
            url_key=cls.key_of(parsed.canonical),
            host_key=host_key(parsed.host),
            rule_version=parsed.rule_version,
            created_at=now,
        )
        content.url, content.raw, content.host = parsed.canonical, parsed.raw, parsed.host
        return content

    @property
    def masked_url(self) -> str:
        """`host/…` and the last six characters: all that a screen shows without a recorded reveal."""
        return urls.masked(self.url)

    @classmethod
    def masked_url_of(cls, identity: object, sealed: bytes) -> str:
        """The same of a row that was read without a model."""
        return urls.masked(cls.url.opened(identity, sealed))
