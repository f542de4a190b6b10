"""What is done with accounts, each with its line in the audit: one verb each, one noun per file."""

from accounts.services.coming_in import logged_in, logged_out, not_logged_in, proved_again, tried_as
from accounts.services.ending import end_session, end_sessions, forget_ended
from accounts.services.keys import create_key, revoke_key
from accounts.services.people import add_user, change_user, set_password
from accounts.services.second_factors import (
    enrol_app,
    enrol_passkey,
    note_use,
    remove_factor,
    renew_codes,
    use_code,
)
from accounts.services.unfit import Unfit

__all__ = [
    "Unfit",
    "add_user",
    "change_user",
    "create_key",
    "end_session",
    "end_sessions",
    "enrol_app",
    "enrol_passkey",
    "forget_ended",
    "logged_in",
    "logged_out",
    "not_logged_in",
    "note_use",
    "proved_again",
    "remove_factor",
    "renew_codes",
    "revoke_key",
    "set_password",
    "tried_as",
    "use_code",
]
