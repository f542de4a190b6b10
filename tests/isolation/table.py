"""Every route and every operation: what its parameters name, who may enter, and what else to ask it.

A new route gets a line here; `test_walk` says which one is missing. Write its name into the group that fits:

    **routes("portal:notice portal:answer", "reference", bodies=[...])

After the names come the kinds of row that its parameters name, in the order of its address (tests/isolation/
world.py makes a row of each kind for both providers: `Side.rows`). Who may enter is read from the view: its cell
of the permission table, or its scope; a route that has neither says `enter=`. `queries` and `bodies` are asked as
well; `{reference}` and the like in them become the row of the provider that is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

#: For anybody at all, logged in or not.
ANYBODY: Final = "anybody"
#: For whoever is logged in.
PEOPLE: Final = "people"
#: For whoever may enter /staff/.
STAFF: Final = "staff"
#: Why some answers vary.
SECRET: Final = "holds a secret that was made for it"
#: By the view's cell or scope.
BY_CELL: Final = ""


@dataclass(frozen=True)
class Route:
    """What the walk needs to know of one route."""

    kinds: tuple[str, ...] = ()
    enter: str = BY_CELL
    queries: Sequence[str] = ()
    bodies: Sequence[Any] = ()
    #: Why no two answers are the same; then only their status is compared.
    varies: str = ""


def routes(
    names: str,
    *kinds: str,
    enter: str = BY_CELL,
    queries: Sequence[str] = (),
    bodies: Sequence[Any] = (),
    varies: str = "",
) -> dict[str, Route]:
    """The routes with these names, which are alike."""
    return {name: Route(kinds, enter, queries, bodies, varies) for name in names.split()}


ROUTES: Final[dict[str, Route]] = {
    # -- For anybody
    **routes("start home report api_schema api_docs healthz styleguide set_language logout", enter=ANYBODY),
    # How old the oldest of all that waits is, whoever it is of: for who watches over the programs.
    **routes("readyz metrics", enter=ANYBODY, varies="says how the house does"),
    **routes(
        "report_follow",
        enter=ANYBODY,
        bodies=[{"code": "{report_reference}"}, {"code": "{reference}"}],
    ),
    **routes(
        "login login_passkey login_second login_enrol join",
        enter=ANYBODY,
        queries=["next=/portal/notices/{reference}/"],
        bodies=[{"username": "member@{name}.example", "password": "wrong"}],
    ),
    **routes("login_passkey_options login_enrol_options join_options", enter=ANYBODY, varies=SECRET),
    **routes("receipt_keys", enter=ANYBODY),
    **routes("invitation", "token", enter=ANYBODY),
    **routes(
        "message_page", "link_token", enter=ANYBODY, bodies=[{"notice": ["{reference}"], "answer": "removed"}]
    ),
    # -- For whoever is logged in
    **routes(
        "security_enrol security_enrol_options security_codes security_confirm_options",
        enter=PEOPLE,
        varies=SECRET,
    ),
    **routes("security security_end_all security_confirm", enter=PEOPLE),
    **routes("security_remove", "factor", enter=PEOPLE),
    **routes("security_end", "session", enter=PEOPLE),
    # -- The portal
    **routes(
        "portal:notices",
        queries=[
            "tab=all",
            "tab=removed",
            "tab=answered",
            "tab=open&due=over",
            "only=contradicted",
            "tab=all&q={reference}",
            "tab=all&q={name}-customer-1",
            "tab=all&q={addresses}.11",
            "tab=all&after={reference}",
            "tab=all&before={reference}",
            "tab=all&by=ip",
            "tab=all&ip={addresses}.0/25",
            "tab=all&customer={name}-customer-1",
        ],
    ),
    **routes(
        "portal:answers",
        bodies=[
            {"notice": ["{reference}"], "answer": "acknowledged"},
            {"notice": ["{reference}"], "answer": "removed", "confirmed": "yes"},
            {"references": "{reference}", "answer": "dispute", "reason": "it is ours", "confirmed": "yes"},
            {"notice": ["{reference}"]},
            {"everything": "yes", "back": "q={reference}", "answer": "acknowledged"},
            {"group": ["{addresses}.11"], "back": "by=ip&tab=all", "answer": "acknowledged"},
        ],
    ),
    **routes("portal:sheet portal:sheet_csv portal:sheet_record", "sheet"),
    **routes("portal:to_fill_in", bodies=[{"back": "tab=all&q={reference}"}, {"back": "tab=all"}]),
    **routes("portal:upload", varies=SECRET),
    **routes("portal:notice portal:address", "reference"),
    **routes(
        "portal:answer",
        "reference",
        bodies=[{"answer": "acknowledged"}, {"answer": "dispute", "reason": "it is ours"}],
    ),
    **routes("portal:customer_reference", "reference", bodies=[{"text": "ours", "seen": ""}]),
    **routes("portal:colleagues"),
    **routes(
        "portal:invite",
        bodies=[
            {"email": "member@{name}.example", "role": "provider_member"},
            {"email": "invited@{name}.example", "role": "provider_admin"},
        ],
    ),
    **routes("portal:invitation_revoke", "invitation"),
    **routes("portal:colleague_role", "user", bodies=[{"admin": "yes"}, {"admin": "no"}]),
    **routes("portal:colleague_end", "user"),
    **routes("portal:message", "reference", bodies=[{"text": "a question"}]),
    **routes("portal:message_read", "reference"),
    **routes("portal:claims", queries=["notice={reference}", "notice={reference}&as=cell"]),
    **routes("portal:receipt", "reference", "receipt"),
    **routes("portal:keys"),
    **routes("portal:key_new", varies=SECRET),
    **routes("portal:key_replace", "key", varies=SECRET),
    **routes("portal:key_revoke portal:key_take_over", "key"),
    **routes("portal:links portal:links_revoke"),
    **routes("portal:link_revoke", "link"),
    **routes("portal:scorecard", queries=["quarter={quarter}"]),
    **routes("portal:scorecard_export", "file_kind"),
    **routes("portal:scorecard_comment", "quarter", bodies=[{"text": "our view"}]),
    **routes("portal:webhooks", queries=["after={delivery}", "before={delivery}", "endpoint={webhook}"]),
    **routes("portal:webhook_secret", "webhook", varies=SECRET),
    **routes("portal:webhook_test", "webhook"),
    **routes("portal:webhook_replay", "delivery"),
    **routes("portal:contacts portal:notifications"),
    **routes("portal:propose", "proposal_kind"),
    **routes("portal:proposal_code portal:proposal_prove portal:proposal_take_back", "proposal"),
    **routes("portal:notifications_of_contact", "contact", bodies=[{"kinds": "weekly"}]),
    # -- The API (what it is asked: OPERATIONS)
    **routes("api_reports api_notices api_answers api_receipts api_checks_due api_sightings"),
    **routes("api_report", "report_reference"),
    **routes("api_notice api_notice_receipts", "reference"),
    **routes("api/v1/<path:rest>", "reference", enter=ANYBODY),
    # -- The staff: the frame of Django's admin
    **routes("admin:login admin:logout", enter=ANYBODY),
    **routes(
        "admin:index admin:password_change admin:password_change_done admin:autocomplete admin:jsi18n"
        " admin:app_list staff/(?P<url>.*)$",
        enter=STAFF,
    ),
    **routes("admin:view_on_site", "event", "notice", enter=STAFF),
    # -- The staff: desks
    **routes(
        "admin:why admin:outbox admin:outbox_retry admin:outbox_pressed admin:replies admin:contacts"
        " admin:contact_see_to admin:work admin:work_hint admin:work_keys admin:work_team admin:overdue"
        " admin:overdue_steps admin:step_acknowledge admin:overdue_calls admin:bulk admin:bulk_prepare"
        " admin:filters admin:filter_save admin:report_add admin:quarantine admin:quarantine_decide admin:mailbox"
        " admin:checks admin:checks_file admin:disagreements admin:cases_message_changelist"
        " admin:mail_senders admin:mail_sender_add admin:audit_event_changelist admin:provider_new"
        " admin:providers_provider_changelist admin:holder_take_up admin:holder_assign admin:holder_pass_over"
        " admin:providers_registration_changelist admin:invitation_new admin:accounts_invitation_changelist"
        " admin:key_new admin:accounts_apikey_changelist admin:recovery_ask admin:accounts_recovery_changelist"
        " admin:user_new admin:accounts_user_changelist admin:cases_dispatch_changelist"
        " admin:cases_messagetemplate_changelist admin:find admin:notice_providers admin:cases_notice_changelist"
        " admin:cases_originrequest_changelist admin:reports_reading admin:cases_report_changelist admin:rule_set"
        " admin:cases_deadlinerule_changelist admin:second_agreement admin:cases_secondlook_changelist"
        " admin:words_draft admin:words_discard admin:words_term_new admin:cases_vocabulary_changelist"
    ),
    **routes(
        "admin:work_reveal admin:work_copy admin:work_assess admin:work_undo admin:work_again admin:work_known"
        " admin:work_hold admin:work_skip admin:work_hand_over admin:work_beat admin:work_close admin:reveal"
        " admin:notice_assess admin:notice_hold admin:notice_prolong admin:notice_release admin:notice_dismiss"
        " admin:notice_take_back admin:notice_withdraw admin:notice_look"
        " admin:cases_notice_change",
        "notice",
    ),
    **routes(
        "admin:reply_mail admin:reply_mail_read admin:reply_mail_answer admin:reply_mail_set_aside"
        " admin:reply_mail_attach admin:reply_mail_bounce admin:reply_mail_bring_back",
        "reply_mail",
    ),
    **routes("admin:desk_approve admin:desk_suspend admin:desk_resume", "contact"),
    **routes("admin:proposals"),
    **routes("admin:proposal_accept admin:proposal_decline", "proposal"),
    **routes("admin:work_lift admin:user_save admin:user_password admin:accounts_user_change", "user"),
    **routes("admin:step_send", "step"),
    **routes("admin:claim_accept admin:claim_check", "notice"),
    **routes(
        "admin:message_read admin:message_write admin:message_no_answer admin:dispute_uphold admin:dispute_reject"
        " admin:cases_message_change",
        "message",
    ),
    **routes(
        "admin:bulk_one admin:bulk_progress admin:bulk_results admin:bulk_start admin:bulk_stop admin:bulk_retry"
        " admin:bulk_undo admin:bulk_fetch",
        "bulk",
    ),
    **routes("admin:filter_up admin:filter_begin admin:filter_forget", "filter"),
    **routes("admin:quarantine_accept admin:quarantine_reject admin:quarantine_reveal", "quarantined"),
    **routes("admin:mail_sender_approve admin:mail_sender_stop", "mail_sender"),
    **routes(
        "admin:mailbox_mail admin:mailbox_read admin:mailbox_accept admin:mailbox_set_aside admin:mailbox_retry",
        "mail",
    ),
    **routes(
        "admin:reporter admin:report_receipt admin:report_progress admin:report_nudge admin:cases_report_change",
        "report",
    ),
    **routes(
        "admin:overdue_called admin:provider_ask_registries admin:provider_edit admin:contact_add"
        " admin:network_keep admin:relation_add admin:provider_merge admin:asn_rule_add admin:holder_rule_add"
        " admin:host_rule_add admin:providers_provider_change admin:scorecard",
        "provider",
    ),
    **routes(
        "admin:contact admin:contact_change admin:contact_secret_mint admin:contact_webhook_try"
        " admin:contact_key_add admin:contact_replace admin:contact_approve admin:contact_suspend"
        " admin:contact_resume",
        "provider",
        "contact",
    ),
    **routes("admin:contact_key_approve admin:contact_key_retire", "provider", "contact", "contact_key"),
    **routes("admin:network_remove", "provider", "network"),
    **routes("admin:relation_end", "provider", "relation"),
    **routes("admin:asn_rule_remove", "provider", "asn_rule"),
    **routes("admin:holder_rule_remove", "provider", "holder_rule"),
    **routes("admin:host_rule_remove", "provider", "host_rule"),
    **routes("admin:providers_registration_change", "registration"),
    **routes("admin:invitation_revoke admin:accounts_invitation_change", "invitation"),
    **routes("admin:key_revoke admin:accounts_apikey_change", "key"),
    **routes("admin:recovery_confirm admin:recovery_refuse admin:accounts_recovery_change", "recovery"),
    **routes(
        "admin:dispatch_approve admin:dispatch_cancel admin:dispatch_retry admin:dispatch_text"
        " admin:cases_dispatch_change admin:dispatch_revoke_link",
        "dispatch",
    ),
    **routes("admin:letter_draft", "letter_kind", "language"),
    **routes(
        "admin:letter_save admin:letter_discard admin:letter_preview admin:letter_in_force admin:letter_go_back"
        " admin:cases_messagetemplate_change",
        "template",
    ),
    **routes("admin:origin_answer admin:origin_ask admin:cases_originrequest_change", "origin_request"),
    **routes("admin:cases_deadlinerule_change", "rule"),
    **routes("admin:second_settle admin:cases_secondlook_change", "second"),
    **routes("admin:words_term admin:words_move", "term"),
    **routes("admin:words_in_force admin:cases_vocabulary_change", "vocabulary"),
}


@dataclass(frozen=True)
class Operation:
    """What the walk asks an operation of the API with a provider's key; `kind` of row its path names."""

    kind: str = ""
    queries: Sequence[str] = ("",)
    bodies: Sequence[Any] = ()
    #: Only a provider's key opens it, also where one of ours has its scope.
    of_providers: bool = False


#: By operationId of the description.
OPERATIONS: Final[dict[str, Operation]] = {
    "reports_create": Operation(
        bodies=[{"source": "partner", "reference": "{reference}", "lines": [{"url": "https://a.example/1"}]}]
    ),
    "reports_retrieve": Operation("report_reference"),
    "notices_list": Operation(
        queries=["", "state=escalated", "acknowledged=true", "due_before=2030-01-01T00:00:00Z", "page_size=2",
                 "provider={name}"]
    ),
    "notices_read": Operation("reference"),
    "receipts_list": Operation(queries=["", "page_size=1"], of_providers=True),
    "receipts_of_notice": Operation("reference", of_providers=True),
    "notices_answer": Operation(
        bodies=[
            {"answers": [{"reference": "{reference}", "answer": answer, "reason": "so"}]}
            for answer in ("acknowledged", "removed", "dispute")
        ]
    ),
    "checks_due": Operation(queries=["", "limit=1"]),
    "sightings_report": Operation(
        bodies=[
            {
                "sightings": [
                    {"notice": "{reference}", "seen_at": "2026-06-02T10:00:00Z", "outcome": "gone", "vantage": "v"}
                ]
            }
        ]
    ),
}  # fmt: skip
