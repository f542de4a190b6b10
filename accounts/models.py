"""People who log in, keys that machines show, and how often a door is used."""

import hashlib
import secrets
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.roles import PROVIDER_ROLES, STAFF_ROLES, Role, may
from providers.models import Provider

ROLE_CHOICES = [
    (Role.INTAKE, _("intake")),
    (Role.ANALYST, _("analyst")),
    (Role.LEAD, _("lead analyst")),
    (Role.NOTICE_DESK, _("notice desk")),
    (Role.CONTACT_MANAGER, _("contact manager")),
    (Role.SUPERVISOR, _("supervisor")),
    (Role.AUDITOR, _("auditor")),
    (Role.FUNCTIONAL_ADMIN, _("functional admin")),
    (Role.PROVIDER_MEMBER, _("provider contact")),
    (Role.PROVIDER_ADMIN, _("provider admin")),
]


class UserManager(BaseUserManager["User"]):
    """Creates people; there is no superuser, only roles."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Add a person. Without a password nobody can log in as them."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """A person of the hotline, or a contact of one provider."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    roles = ArrayField(models.CharField(max_length=20, choices=ROLE_CHOICES), verbose_name=_("roles"))
    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, blank=True, related_name="users", verbose_name=_("provider")
    )
    language = models.CharField(
        _("language"), max_length=2, choices=[("nl", "Nederlands"), ("en", "English")]
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(
                name="user_is_staff_or_of_a_provider",
                condition=Q(provider__isnull=True, roles__contained_by=sorted(STAFF_ROLES))
                | Q(provider__isnull=False, roles__contained_by=sorted(PROVIDER_ROLES)),
                violation_error_message=_("Staff roles and provider roles do not mix."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Whether the person may enter /staff/."""
        return self.is_active and self.may("staff.enter")

    def may(self, cell: str) -> bool:
        """Whether the permission table gives this person "resource.action"."""
        return self.is_active and may(frozenset(self.roles), cell)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's question, answered by the table. Django's own permission names are never in it: refused."""
        try:
            return self.may(perm)
        except KeyError:
            return False

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """The admin asks this before it lists an app; each model then answers for itself."""
        return self.is_staff


class Scope(StrEnum):
    """What a key may be used for."""

    REPORTS_WRITE = "reports:write"
    SIGHTINGS_WRITE = "sightings:write"
    NOTICES_READ = "notices:read"
    NOTICES_ANSWER = "notices:answer"


PROVIDER_SCOPES = frozenset({Scope.NOTICES_READ, Scope.NOTICES_ANSWER})


class KeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, *, now: datetime) -> "KeyQuerySet":
        """Neither revoked nor expired."""
        return self.filter(revoked_at__isnull=True).exclude(expires_at__lte=now)


class ApiKey(models.Model):
    """A machine's key. Only its SHA-256 is stored: 256 random bits need no slow hash."""

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=12)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=20, choices=[(s, s) for s in Scope]), verbose_name=_("scopes")
    )
    provider = models.ForeignKey(
        Provider, models.PROTECT, null=True, blank=True, related_name="keys", verbose_name=_("provider")
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
    def mint(cls, *, name: str, scopes: list[str], provider: Provider | None) -> tuple["ApiKey", str]:
        """A new, saved key and its secret, which is shown once. Raises ValidationError."""
        secret = f"td_{secrets.token_urlsafe(32)}"
        key = cls(
            name=name, prefix=secret[:8], digest=cls.digest_of(secret), scopes=scopes, provider=provider
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
