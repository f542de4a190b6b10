"""What somebody of a provider is told by mail beside the notices themselves."""

from typing import Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models import Contact


class MailChoice(models.Model):
    """The choice of one reader: a person of a provider, or one of its contacts by mail.

    The notices, reminders and withdrawals that go to contacts are a duty of ours and no choice of anybody's.
    `told_at`: what happened up to then was told, or was before the reader chose; `week_told_at` of the summary.
    """

    class Kind(models.TextChoices):
        NOTICES = "notices", _("new notices")
        OVERDUE = "overdue", _("notices whose term has passed")
        CLAIMS = "claims", _("what our check says of the removals that you told us of")
        DISPUTES = "disputes", _("objections that are decided")
        MESSAGES = "messages", _("messages of the hotline that wait")
        EXPIRING = "expiring", _("keys that expire within two weeks")
        CONTACTS = "contacts", _("contacts that came back or were suspended")
        WEEKLY = "weekly", _("a summary each Monday")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="mail_choice",
        verbose_name=_("person"),
    )
    contact = models.OneToOneField(
        Contact, models.CASCADE, null=True, related_name="mail_choice", verbose_name=_("contact")
    )
    kinds = ArrayField(models.CharField(max_length=9, choices=Kind.choices), verbose_name=_("told of"))
    told_at = models.DateTimeField(_("told up to"))
    week_told_at = models.DateTimeField(_("summary told"))

    #: What who has not chosen is told of: people of a provider; its admins besides. Contacts: nothing.
    DEFAULT: Final = (Kind.DISPUTES, Kind.MESSAGES)
    DEFAULT_OF_ADMINS: Final = (Kind.DISPUTES, Kind.MESSAGES, Kind.EXPIRING, Kind.CONTACTS)

    class Meta:
        verbose_name = _("choice of mails")
        verbose_name_plural = _("choices of mails")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="mail_choice_of_one_reader",
                condition=Q(user__isnull=False, contact__isnull=True)
                | Q(user__isnull=True, contact__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"user:{self.user_id}" if self.user_id else f"contact:{self.contact_id}"

    @property
    def reader(self) -> tuple[str, str] | None:
        """The address and the language; None when nobody is there to get a mail, or must not any more."""
        if self.user is not None:
            is_in = self.user.is_active and self.user.provider_id is not None
            return (self.user.email, self.user.language) if is_in else None
        if self.contact is not None and self.contact.usable:
            return self.contact.address, self.contact.provider.language
        return None
