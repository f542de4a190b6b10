"""Log-ins and what becomes of them: each is one line in the audit."""

from datetime import datetime

from accounts.models import User
from audit.record import Actor, record


def logged_in(*, user_id: int, how: str, now: datetime) -> None:
    """A person came in. `how`: "webauthn", "totp", "recovery_codes", or "password" where that is enough."""
    record("log_in", "user", user_id, by=Actor("user", str(user_id)), at=now, data={"how": how})


def not_logged_in(*, user_id: int, step: str, now: datetime) -> None:
    """Somebody tried to come in as this person. `step`: what was not right, or "too_often"."""
    record("log_in_failed", "user", user_id, by=Actor.system("log_in"), at=now, data={"step": step})


def tried_as(*, email: str, step: str, now: datetime) -> None:
    """The same, by address; an address that nobody has leaves no line."""
    user = User.objects.filter(email=email.lower()).only("pk").first() if "\0" not in email else None
    if user is not None:
        not_logged_in(user_id=user.pk, step=step, now=now)


def logged_out(*, user_id: int, now: datetime) -> None:
    """A person left."""
    record("log_out", "user", user_id, by=Actor("user", str(user_id)), at=now)


def proved_again(*, user_id: int, how: str, now: datetime) -> None:
    """A person who was in proved again who they are, before something weighty."""
    record("step_up", "user", user_id, by=Actor("user", str(user_id)), at=now, data={"how": how})
