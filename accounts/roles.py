"""The permission table: role x resource x action, as data.

Every route names its cell as "resource.action"; a cell that is not in the table does not exist, and asking
for it is an error, so a typing mistake opens nothing and hides nothing.
"""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person does here. Staff roles combine; provider roles never mix with them."""

    INTAKE = "intake"
    ANALYST = "analyst"
    LEAD = "lead"
    NOTICE_DESK = "notice_desk"
    CONTACT_MANAGER = "contact_manager"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    FUNCTIONAL_ADMIN = "functional_admin"
    PROVIDER_MEMBER = "provider_member"
    PROVIDER_ADMIN = "provider_admin"


PROVIDER_ROLES: Final = frozenset({Role.PROVIDER_MEMBER, Role.PROVIDER_ADMIN})
STAFF_ROLES: Final = frozenset(Role) - PROVIDER_ROLES

_I, _A, _L = Role.INTAKE, Role.ANALYST, Role.LEAD
_N, _C, _S = Role.NOTICE_DESK, Role.CONTACT_MANAGER, Role.SUPERVISOR
_U, _F = Role.AUDITOR, Role.FUNCTIONAL_ADMIN
_M, _P = Role.PROVIDER_MEMBER, Role.PROVIDER_ADMIN

# Intake brings reports in and decides on doubtful addresses. The lead judges as analysts do, and settles where
# two of them differ. The notice desk sees that messages leave, arrive and are answered: it judges nothing. The
# contact manager keeps who hosts what and where to write, and sees messages, but neither their text nor a notice.
# The supervisor is the manager of the requirements. The auditor reads the record and nothing else. The functional
# admin manages users, keys and settings and sees no case content.
TABLE: Final[dict[str, frozenset[Role]]] = {
    "staff.enter": frozenset({_I, _A, _L, _N, _C, _S, _U, _F}),
    "portal.enter": frozenset({_M, _P}),
    "report.view": frozenset({_I, _A, _L, _S}),
    "report.add": frozenset({_I, _A, _L, _S}),
    "reporter.view": frozenset({_L, _S}),
    "quarantine.view": frozenset({_I, _A, _L, _S}),
    "quarantine.decide": frozenset({_I, _A, _L, _S}),
    "mailbox.view": frozenset({_I, _A, _L, _S}),
    "mailbox.decide": frozenset({_I, _A, _L, _S}),
    "mail_sender.view": frozenset({_I, _A, _L, _S, _F}),
    "mail_sender.add": frozenset({_I, _L, _S, _F}),
    "mail_sender.approve": frozenset({_S, _F}),
    "notice.view": frozenset({_A, _L, _N, _S}),
    "notice.assess": frozenset({_A, _L, _S}),
    "work.lead": frozenset({_L, _S}),
    "notice.hold": frozenset({_A, _L, _S}),
    "notice.reveal": frozenset({_A, _L, _N, _S}),
    "notice.route": frozenset({_A, _L, _S}),
    "second.view": frozenset({_L, _S}),
    "second.settle": frozenset({_L}),
    "words.view": frozenset({_L, _S, _F}),
    "words.change": frozenset({_L, _F}),
    # The words of messages: drafted by one, put in force by another.
    "letter.view": frozenset({_L, _N, _S}),
    "letter.change": frozenset({_L, _N, _S}),
    "letter.approve": frozenset({_L, _S}),
    # Which server is behind a CDN: questions that wait, and what was answered.
    "origin.view": frozenset({_L, _N, _S}),
    "origin.answer": frozenset({_L, _N, _S}),
    "notice.withdraw": frozenset({_S}),
    # Many at once: beside the cell of the act itself. Who has `bulk.all` sees everybody's, and exports more.
    "notice.bulk": frozenset({_A, _L, _S}),
    "notice.export": frozenset({_L, _S}),
    "bulk.all": frozenset({_S}),
    "filter.share": frozenset({_L, _S}),
    "dispatch.view": frozenset({_A, _L, _N, _C, _S}),
    # The text may hold whole addresses.
    "dispatch.read": frozenset({_A, _L, _N, _S}),
    "dispatch.cancel": frozenset({_A, _L, _N, _S}),
    "dispatch.approve": frozenset({_N, _S}),
    "dispatch.retry": frozenset({_A, _L, _N, _S}),
    # The link by which whoever has the mail can answer.
    "link.revoke": frozenset({_L, _N, _S}),
    # What comes back by mail: reading it, and saying what it means.
    "reply.view": frozenset({_A, _L, _N, _S}),
    "reply.decide": frozenset({_L, _N, _S}),
    # Whether somebody looks in time, and a look of one's own or of a file.
    "check.view": frozenset({_L, _N, _S}),
    "sighting.add": frozenset({_L, _N, _S}),
    # Messages about a notice in the portal, and who says that it is not theirs.
    "message.view": frozenset({_A, _L, _N, _S}),
    "message.write": frozenset({_L, _N, _S}),
    "dispute.decide": frozenset({_L, _N, _S}),
    # Claims of removal that our checks contradict, or cannot answer.
    "claim.view": frozenset({_L, _N, _S}),
    "claim.decide": frozenset({_N, _S}),
    "overdue.view": frozenset({_S}),
    "overdue.act": frozenset({_S}),
    # The rungs of the ladder, for whom they are asked of (deadlines.PASSES_TO).
    "step.view": frozenset({_L, _N, _S}),
    "step.act": frozenset({_L, _N, _S}),
    "provider.view": frozenset({_A, _L, _N, _C, _S, _F}),
    "provider.change": frozenset({_C, _S}),
    "contact.view": frozenset({_N, _C, _S}),
    "contact.add": frozenset({_N, _C, _S}),
    "contact.see_to": frozenset({_N, _C, _S}),
    "contact.approve": frozenset({_C, _S}),
    # A stop that anybody who reads a refusal can pull; only who approves lets a contact go on.
    "contact.suspend": frozenset({_N, _C, _S}),
    # The pattern of a rule may be the host of a notice.
    "host_rule.view": frozenset({_A, _L, _N, _C, _S}),
    "rule.view": frozenset({_S, _F}),
    "rule.add": frozenset({_S, _F}),
    "user.view": frozenset({_F}),
    "user.change": frozenset({_F}),
    # Who lost their second factor: one asks, another confirms.
    "user.recover": frozenset({_S, _F}),
    "invitation.view": frozenset({_C, _F}),
    "invitation.change": frozenset({_C, _F}),
    "key.view": frozenset({_F}),
    "key.change": frozenset({_F}),
    "audit.view": frozenset({_S, _U}),
    "own_notice.view": frozenset({_M, _P}),
    "own_notice.answer": frozenset({_M, _P}),
    "own_notice.reveal": frozenset({_M, _P}),
    # How notices are followed: staff reads it with what the provider says of it.
    "scorecard.view": frozenset({_L, _N, _S}),
    "own_scorecard.view": frozenset({_M, _P}),
    "own_scorecard.comment": frozenset({_P}),
    # Where the hotline writes: an admin proposes, the contact manager decides.
    "own_contact.view": frozenset({_M, _P}),
    "own_contact.propose": frozenset({_P}),
    # Which mails somebody wants beside the notices: each for oneself, admins for contacts.
    "own_mail.choose": frozenset({_M, _P}),
    "own_contact.choose": frozenset({_P}),
    # Endpoints of webhooks, and the log of calls to them.
    "own_webhook.view": frozenset({_M, _P}),
    "own_webhook.try": frozenset({_P}),
    "own_webhook.change": frozenset({_P}),
    "member.view": frozenset({_M, _P}),
    "member.change": frozenset({_P}),
    # The links in mails, by which whoever has the mail can answer.
    "own_link.view": frozenset({_P}),
    "own_link.revoke": frozenset({_P}),
    # Keys of their machines; one that leaked is revoked without a detour.
    "own_key.view": frozenset({_P}),
    "own_key.change": frozenset({_P}),
    "own_key.revoke": frozenset({_P}),
}

#: Cells that want a proof of the last minutes (STEP_UP_S) who it is: a session that was left open is not enough.
STEP_UP: Final = frozenset(
    {
        "user.change",
        "user.recover",
        "invitation.change",
        "key.change",
        "notice.export",
        "member.change",
        "own_contact.propose",
        "own_webhook.change",
        "own_key.change",
    }
)


def may(roles: frozenset[str], cell: str) -> bool:
    """Whether one of `roles` has `cell` ("resource.action"). Raises KeyError for a cell that does not exist."""
    return not TABLE[cell].isdisjoint(roles)
