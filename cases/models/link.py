"""The link in a mail that opens the page of its message, without a log-in."""

import base64
import hmac
import secrets
from datetime import datetime
from typing import Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models.dispatch import Dispatch
from vault.keys import ring

#: What a token looks like: 80 bits that find the row, 120 that prove it, in letters that mail programs leave alone.
LINK_TOKEN: Final = "[a-z2-7]{40}"  # noqa: S105 - a shape, and no secret
_FINDS_BYTES: Final = 10
_PROVES_BYTES: Final = 15
_FINDS: Final = 16  # characters


class LinkQuerySet(models.QuerySet["Link"]):
    def of(self, provider_id: int) -> "LinkQuerySet":
        """Those in mails to contacts of this provider."""
        return self.filter(dispatch__contact__provider=provider_id)

    def live(self, *, now: datetime) -> "LinkQuerySet":
        """Not revoked, not expired, and in a mail to a contact that is in use."""
        return self.filter(
            revoked_at__isnull=True,
            expires_at__gt=now,
            dispatch__contact__approved_at__isnull=False,
            dispatch__contact__suspended_at__isnull=True,
        )

    def by_token(self, token: str) -> "Link | None":
        """The link that this token opens, whether or not it still does; None for every other text."""
        try:
            nonce = base64.b32decode(token[:_FINDS].upper())
        except ValueError:
            return None
        found = self.select_related("dispatch__contact").defer("dispatch__body_sealed").filter(nonce=nonce)
        link = found.first()
        if link is None or not hmac.compare_digest(link.token.encode(), token.encode()):
            return None
        return link


class Link(models.Model):
    """Opens the page of one dispatch to whoever has the mail: bound to it and to its contact.

    The token is not kept. It is the nonce and a keyed proof over nonce, dispatch and contact, so that every copy of
    a message on the wire has the same one, and a stolen dump has none (docs/adr/0027).
    """

    dispatch = models.OneToOneField(
        Dispatch, models.PROTECT, primary_key=True, related_name="link", verbose_name=_("dispatch")
    )
    nonce = models.BinaryField(max_length=_FINDS_BYTES, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    revoked_by = models.CharField(_("revoked by"), max_length=40, blank=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link to a message's page")
        verbose_name_plural = _("links to messages' pages")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="link_revoked_by_somebody",
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="link_expires", condition=Q(revoked_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"link of {self.dispatch_id}"

    @staticmethod
    def new_nonce() -> bytes:
        """What finds the row; random, and no secret by itself."""
        return secrets.token_bytes(_FINDS_BYTES)

    @property
    def token(self) -> str:
        """The secret part of the address. Reads the dispatch: have it selected."""
        nonce = bytes(self.nonce)
        place = f"{nonce.hex()}\0{self.dispatch_id}\0{self.dispatch.contact_id}"
        proof = ring().blind(place, purpose="notice page")[:_PROVES_BYTES]
        return base64.b32encode(nonce + proof).decode().lower()
