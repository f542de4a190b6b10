"""Which mails somebody of a provider wants beside the notices."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import PROVIDER_ROLES, Role
from audit.record import Actor, record
from cases.models import MailChoice
from cases.services.refused import Invalid, NotFound
from providers.models import Contact

Kind = MailChoice.Kind


def chosen(*, user: User) -> list[str]:
    """What a person is told of: what they chose, or else what people of providers are."""
    own = MailChoice.objects.filter(user=user).first()
    return list(own.kinds if own else default(user))


def chosen_for(*, contact_ids: Sequence[int]) -> dict[int, list[str]]:
    """Contact -> what it is told of; those that are told of nothing are left out."""
    rows = MailChoice.objects.filter(contact__in=contact_ids).exclude(kinds=[])
    return {row.contact_id: list(row.kinds) for row in rows if row.contact_id is not None}


def default(user: User) -> tuple[str, ...]:
    """What somebody who has not chosen is told of."""
    is_admin = Role.PROVIDER_ADMIN in user.roles
    return tuple(MailChoice.DEFAULT_OF_ADMINS if is_admin else MailChoice.DEFAULT)


def choose(*, user: User, kinds: Sequence[str], language: str, now: datetime) -> None:
    """A person chooses for themselves, and the language of all that they read here. Raises Invalid."""
    _known(kinds)
    with transaction.atomic():
        MailChoice.objects.update_or_create(
            user=user,
            defaults={"kinds": list(kinds)},
            create_defaults={"kinds": list(kinds), "told_at": now, "week_told_at": now},
        )
        User.objects.filter(pk=user.pk).update(language=language)


def choose_for(*, provider_id: int, contact_id: int, kinds: Sequence[str], by: Actor, now: datetime) -> None:
    """An admin chooses for a contact by mail of its provider. Raises NotFound, Invalid."""
    _known(kinds)
    own = Contact.objects.filter(
        provider=provider_id, channel=Contact.Channel.SMTP, approved_at__isnull=False
    )
    contact = own.filter(pk=contact_id).first()
    if contact is None:
        raise NotFound(_("There is no such contact."))
    with transaction.atomic():
        MailChoice.objects.update_or_create(
            contact=contact,
            defaults={"kinds": list(kinds)},
            create_defaults={"kinds": list(kinds), "told_at": now, "week_told_at": now},
        )
        record("choose_mails", "contact", contact.pk, by=by, at=now, data={"kinds": sorted(kinds)})


def begin(*, now: datetime) -> None:
    """Who came in since gets the choice of who has not chosen; what was before them is not told."""
    people = User.objects.filter(is_active=True, provider__isnull=False, mail_choice__isnull=True)
    new = [person for person in people if set(person.roles) & PROVIDER_ROLES]
    MailChoice.objects.bulk_create(
        [
            MailChoice(user=person, kinds=list(default(person)), told_at=now, week_told_at=now)
            for person in new
        ],
        ignore_conflicts=True,
    )


def _known(kinds: Sequence[str]) -> None:
    if not set(kinds) <= set(Kind.values):
        raise Invalid(_("This is none of the mails that can be chosen."))
