"""Invitations: made, revoked, and taken up, each with its line in the audit. The link is shown once, to who makes it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Invitation, User
from accounts.services.ending import end_links
from accounts.services.unfit import Unfit
from audit.record import Actor, record


class NotOpen(Unfit):
    """The link was used, revoked, is too old, or never was: all look the same."""

    code = "not_open"

    def __init__(self) -> None:
        super().__init__(_("This link does not open anything any more. Ask for a new one."))


def invite(*, email: str, role: str, provider_id: int, by: Actor, now: datetime) -> tuple[Invitation, str]:
    """Let somebody set up an account at this provider; returns the secret of the link as well.

    Earlier links for the same address at this provider open nothing any more. Whether the address has an account
    elsewhere is not told. Raises Unfit when they are a colleague already.
    """
    email = email.lower()
    if User.objects.filter(email=email, provider_id=provider_id, is_active=True).exists():
        raise Unfit(_("This colleague has an account already."))
    with transaction.atomic():
        end_links(Q(email=email, provider_id=provider_id), by=by, now=now)
        return make(email=email, role=role, provider_id=provider_id, by=by, now=now)


def make(*, by: Actor, now: datetime, **fields: Any) -> tuple[Invitation, str]:
    """A link and its secret; call it in the transaction of what it is made for."""
    token = Invitation.new_token()
    invitation = Invitation(
        digest=Invitation.digest_of(token),
        invited_by=User.objects.get(pk=by.name),
        created_at=now,
        expires_at=now + settings.HOST.invitation_valid,
        **fields,
    )
    invitation.save()
    data = {"role": invitation.role, "provider": invitation.provider and invitation.provider.code}
    record("invite", "invitation", invitation.pk, by=by, at=now, data=data)
    return invitation, token


def revoke(*, invitation_id: int, provider_id: int | None, by: Actor, now: datetime) -> None:
    """Let the link open nothing any more. `provider_id`: whose it must be; None for staff. Raises Unfit."""
    with transaction.atomic():
        mine = Invitation.objects.open(now=now).select_for_update(of=["self"])
        if provider_id is not None:
            mine = mine.filter(provider_id=provider_id)
        if not mine.filter(pk=invitation_id).update(revoked_at=now):
            raise Unfit(_("This invitation is not open any more."))
        record("revoke", "invitation", invitation_id, by=by, at=now)


def of_token(token: str, *, now: datetime) -> Invitation | None:
    """The open invitation that a link names; looking changes nothing."""
    found = Invitation.objects.open(now=now).select_related("provider", "invited_by", "person")
    return found.filter(digest=Invitation.digest_of(token)).first()


def next_person() -> int:
    """The id of a person who is not there yet: a passkey is made for an id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_user', 'id'))")
        return int(cursor.fetchone()[0])


def take_up(
    *, invitation_id: int, person_id: int, name: str, language: str, password: str, now: datetime
) -> User:
    """Make the account of an invitation, or open the one it is for. Call it with the keeping of a second factor.

    Without `password` only a passkey opens it. Raises NotOpen; and Unfit when the address has an account by now.
    """
    with transaction.atomic():
        found = Invitation.objects.open(now=now).select_for_update(of=["self"])
        invitation = found.filter(pk=invitation_id).first()
        if invitation is None:
            raise NotOpen
        user = invitation.person
        if user is None:
            if User.objects.filter(email=invitation.email).exists():
                raise _taken()
            user = User(
                pk=person_id, email=invitation.email, name=name, language=language,
                roles=[invitation.role], provider=invitation.provider,
            )  # fmt: skip
        user.set_password(password or None)
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            # Invited twice, and both are taken up at this moment.
            raise _taken() from None
        Invitation.objects.filter(pk=invitation.pk).update(used_at=now, person=user)
        record("take_up", "invitation", invitation.pk, by=Actor.of(user), at=now, data={"person": user.pk})
    return user


def _taken() -> Unfit:
    return Unfit(_("This address cannot be used. Ask for an invitation to another one."))
