"""People who log in."""

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.roles import PROVIDER_ROLES, STAFF_ROLES, Role, may
from providers.models import Provider, Relation

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


def of_a_merged(provider: str, *, now: datetime) -> Exists:
    """Whether the provider in this column has gone up in another: its people, keys and invitations end with it."""
    return Exists(Relation.objects.mergers(now=now).filter(provider=OuterRef(provider)))


class UserManager(BaseUserManager["User"]):
    """Creates people; there is no superuser, only roles."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Add a person. Without a password nobody can log in as them."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def present(self, *, now: datetime) -> models.QuerySet["User"]:
        """Who may come in: active, and not of a provider that is none any more."""
        return self.filter(~of_a_merged("provider", now=now), is_active=True)

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
