# ruff: noqa: S608 - statements of names of our own
"""The second layer: what a provider's people and keys ask for is kept among its own rows by the database too."""

from django.db import migrations

from accounts.row_security import MINE, Anybodys, Own, close_rows, through


def _of_notice(table: str, rights: str = "SELECT") -> Own:
    return Own(through(table, "notice_id", "cases_notice"), rights)


def _of_contact(table: str, rights: str = "SELECT") -> Own:
    return Own(through(table, "contact_id", "providers_contact"), rights)


def _of_dispatch(table: str, rights: str = "SELECT") -> Own:
    return Own(through(table, "dispatch_id", "cases_dispatch"), rights)


def _mine(rights: str = "SELECT") -> Own:
    return Own(f"provider_id = {MINE}", rights)


def _reads(column: str, of: str, table: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} other WHERE other.{column} = {of})"


_ADDS = "SELECT, INSERT"
_WRITES = "SELECT, INSERT, UPDATE"
#: Enough to lock a row.
_LOCKS = "SELECT, UPDATE (id)"

TABLES = {
    # Whoever is related to them by a dated relation, and the CDNs, whose names stand in why a notice came to them.
    "providers_relation": Own(f"provider_id = {MINE} OR other_id = {MINE}"),
    "providers_provider": Own(
        f"id = {MINE} OR kind = 'cdn_proxy' OR EXISTS (SELECT 1 FROM providers_relation r"
        " WHERE providers_provider.id IN (r.provider_id, r.other_id))",
        _LOCKS,
    ),
    "providers_contact": _mine(_WRITES),
    "providers_contacthealth": _of_contact("providers_contacthealth"),
    "providers_contactsecret": _of_contact("providers_contactsecret", _WRITES),
    "providers_contactkey": _of_contact("providers_contactkey", _WRITES),
    # Which addresses lead to a CDN tells nothing of whose site stands behind it: its host is sealed.
    "providers_attribution": Own(
        f"provider_id = {MINE} OR EXISTS (SELECT 1 FROM providers_provider p"
        " WHERE p.id = providers_attribution.provider_id AND p.kind = 'cdn_proxy')"
    ),
    "providers_origin": Own(
        "EXISTS (SELECT 1 FROM providers_attribution a"
        f" WHERE a.origin_id = providers_origin.id AND a.provider_id = {MINE})"
    ),
    "providers_proposal": _mine(_WRITES),
    "accounts_user": _mine(_WRITES),
    "accounts_session": Own(through("accounts_session", "user_id", "accounts_user"), "SELECT, DELETE"),
    "accounts_invitation": _mine(_WRITES),
    "accounts_apikey": _mine(_WRITES),
    "cases_notice": Own(f"provider_id = {MINE} AND sent_at IS NOT NULL", "SELECT, UPDATE"),
    "cases_content": Own(_reads("content_id", "cases_content.id", "cases_notice")),
    "cases_fingerprint": Own(_reads("content_id", "cases_fingerprint.content_id", "cases_notice")),
    "cases_assessment": _of_notice("cases_assessment"),
    "cases_secondlook": _of_notice("cases_secondlook", _WRITES),
    "cases_dispute": _of_notice("cases_dispute", _WRITES),
    "cases_forwarding": _of_notice("cases_forwarding", _WRITES),
    "cases_message": _of_notice("cases_message", _WRITES),
    "cases_reply": _of_notice("cases_reply", _ADDS),
    "cases_sighting": _of_notice("cases_sighting"),
    "cases_step": _of_notice("cases_step", _WRITES),
    "cases_verdict": _of_notice("cases_verdict"),
    "cases_receipt": Own(through("cases_receipt", "verdict_id", "cases_verdict")),
    "cases_dispatch": _of_contact("cases_dispatch"),
    "cases_dispatchline": _of_contact("cases_dispatchline"),
    "cases_attempt": _of_dispatch("cases_attempt"),
    "cases_link": _of_dispatch("cases_link", "SELECT, UPDATE"),
    "cases_replymail": _of_dispatch("cases_replymail"),
    "cases_systemmail": Own(
        f"{through('cases_systemmail', 'dispatch_id', 'cases_dispatch')}"
        f" OR {through('cases_systemmail', 'key_id', 'accounts_apikey')}"
        f" OR {through('cases_systemmail', 'proposal_id', 'providers_proposal')}"
        f" OR {through('cases_systemmail', 'choice_id', 'cases_mailchoice')}",
        _WRITES,
    ),
    "cases_mailchoice": Own(
        f"{through('cases_mailchoice', 'user_id', 'accounts_user')}"
        f" OR {through('cases_mailchoice', 'contact_id', 'providers_contact')}",
        _WRITES,
    ),
    "cases_delivery": _mine(_WRITES),
    "cases_answersheet": _mine(f"{_WRITES}, DELETE"),
    "cases_scorecardcomment": _mine(_ADDS),
    # What they did themselves a moment ago, and what happened to their notices.
    "audit_event": Own(
        "txid = pg_current_xact_id_if_assigned() OR (subject = 'notice'"
        f" AND {through('audit_event', 'subject_id', 'cases_notice')})",
        _ADDS,
    ),
    "cases_deadlinerule": Anybodys("terms are published"),
    "accounts_bucket": Anybodys("counts under keyed digests, of doors", _WRITES),
}


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0044_tell_people_of_providers_what_they_ask_for"),
        ("accounts", "0007_let_providers_make_keys_of_their_own"),
        ("providers", "0013_keep_what_providers_propose"),
        ("audit", "0001_initial"),
    ]

    operations = [close_rows(TABLES)]
