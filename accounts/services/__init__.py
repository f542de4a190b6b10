"""What is done with accounts, each with its line in the audit: one verb each, one noun per file."""

from accounts.services.coming_in import logged_in, logged_out, not_logged_in, proved_again, tried_as
from accounts.services.ending import end_session, end_sessions, forget_ended
from accounts.services.invitations import NotOpen, invite, next_person, take_up
from accounts.services.invitations import of_token as invitation_of
from accounts.services.invitations import revoke as revoke_invitation
from accounts.services.keys import create_key, make_key, replace_key, revoke_key, take_over_key
from accounts.services.members import change_role, end_membership
from accounts.services.people import add_user, change_user, set_password
from accounts.services.recovery import ask_recovery, confirm_recovery, refuse_recovery
from accounts.services.second_factors import (
    check_first_factor,
    enrol_app,
    enrol_passkey,
    note_use,
    remove_factor,
    renew_codes,
    use_code,
)
from accounts.services.unfit import Unfit

__all__ = [
    "NotOpen",
    "Unfit",
    "add_user",
    "ask_recovery",
    "change_role",
    "change_user",
    "check_first_factor",
    "confirm_recovery",
    "create_key",
    "end_membership",
    "end_session",
    "end_sessions",
    "enrol_app",
    "enrol_passkey",
    "forget_ended",
    "invitation_of",
    "invite",
    "logged_in",
    "logged_out",
    "make_key",
    "next_person",
    "not_logged_in",
    "note_use",
    "proved_again",
    "refuse_recovery",
    "remove_factor",
    "renew_codes",
    "replace_key",
    "revoke_invitation",
    "revoke_key",
    "set_password",
    "take_over_key",
    "take_up",
    "tried_as",
    "use_code",
]
