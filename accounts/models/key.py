"""Keys that machines show, and the writes they name."""

import hashlib
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User, of_a_merged
from accounts.roles import PROVIDER_ROLES
from providers.models import Provider


class Scope(StrEnum):
    """What a key may be used for."""

    REPORTS_WRITE = "reports:write"
    SIGHTINGS_WRITE = "sightings:write"
    NOTICES_READ = "notices:read"
    NOTICES_ANSWER = "notices:answer"


PROVIDER_SCOPES = frozenset({Scope.NOTICES_READ, Scope.NOTICES_ANSWER})


class KeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, *, now: datetime) -> "KeyQuerySet":
        """Neither revoked nor expired, and whoever it belongs to may still do what it does."""
        theirs = Q(
            owner__is_active=True, owner__provider=F("provider"), owner__roles__overlap=sorted(PROVIDER_ROLES)
        )
        return (
            self.filter(Q(owner__isnull=True) | theirs, revoked_at__isnull=True)
            .exclude(expires_at__lte=now)
            .exclude(of_a_merged("provider", now=now))
        )


class ApiKey(models.Model):
    """A machine's key. Only its SHA-256 is stored: 256 random bits need no slow hash.

    A key that a provider's admin made has an `owner`, and ends with them; what the hotline made belongs to nobody.
    """

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=12)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=20, choices=[(s, s) for s in Scope]), verbose_name=_("scopes")
    )
    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, blank=True, related_name="keys", verbose_name=_("provider")
    )
    owner = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="keys", verbose_name=_("owner")
    )
    # The one whose place it takes: both open for a while.
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects = KeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(secret: str) -> bytes:
        """What is stored of a key."""
        return hashlib.sha256(secret.encode()).digest()

    @classmethod
    def mint(
        cls, *, name: str, scopes: list[str], provider: Provider | None, **fields: Any
    ) -> tuple["ApiKey", str]:
        """A new, saved key and its secret, which is shown once. Raises ValidationError."""
        secret = f"td_{secrets.token_urlsafe(32)}"
        key = cls(
            name=name,
            prefix=secret[:8],
            digest=cls.digest_of(secret),
            scopes=scopes,
            provider=provider,
            **fields,
        )
        key.full_clean()
        key.save()
        return key, secret


class IdempotentCall(models.Model):
    """One write that a machine named with an Idempotency-Key, and the answer it got (I11).

    `status` is None until the answer is known: a call that is in flight, or one whose process died and which
    may be made again. `digest` is SHA-256 of method, path and body. The answer holds references, never a URL.
    """

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="calls", verbose_name=_("API key"))
    token = models.CharField(_("Idempotency-Key"), max_length=255)
    digest = models.BinaryField(max_length=32, editable=False)
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    answer = models.BinaryField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("idempotent call")
        verbose_name_plural = _("idempotent calls")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["key", "token"], name="call_once_per_key")]
        indexes = [models.Index(fields=["key", "created_at"], name="call_of_key")]

    def __str__(self) -> str:
        return f"{self.key_id}: {self.token}"
