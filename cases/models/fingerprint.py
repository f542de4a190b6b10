"""The digest of what stood at an address: the same material somewhere else is known by it."""

import re
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from cases.models.content import Content

_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
#: They are said of no material: nothing, and the digest of nothing.
TRIVIAL: Final = frozenset(
    {bytes(32), bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")}
)


class Fingerprint(models.Model):
    """That a source said of this content, or a look saw at its address, a file with this SHA-256.

    One address may have had several files, and one file stand at many addresses.
    """

    class Source(models.TextChoices):
        REPORT = "report", _("a report")
        SIGHTING = "sighting", _("a sighting")

    # db_index=False: `fingerprint_once` begins with it.
    content = models.ForeignKey(
        Content, models.PROTECT, related_name="fingerprints", verbose_name=_("content"), db_index=False
    )
    sha256 = models.BinaryField("SHA-256", max_length=32, editable=False)
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("fingerprint")
        verbose_name_plural = _("fingerprints")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["content", "sha256"], name="fingerprint_once"),
        ]
        indexes = [models.Index(fields=["sha256", "content"], name="fingerprint_elsewhere")]

    def __str__(self) -> str:
        return f"{self.content_id}: {self.source}"


def sha256_of(text: str) -> bytes | None:
    """The 32 bytes of a SHA-256 in hexadecimal of either case; None when it is none."""
    text = text.strip()
    return bytes.fromhex(text) if _SHA256.fullmatch(text) else None
