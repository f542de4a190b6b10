"""The objections and questions that were there before, and the first words of the mail that a message waits."""

from django.db import migrations
from django.utils import timezone

#: language -> part -> words. Never changed here: a later version is drafted at the desk.
WORDS = {
    "en": {
        "opening": (
            "{organisation} has written to you in the portal about the notices below. What it says stands there only,"
            " so that it does not travel by mail."
        ),
        "ask": "Please read it. Your terms run on, whether you do or not.",
        "answer": "Log in to the portal ({portal}), open the notice and read or answer there.",
        "objection": "",
        "closing": "You get no second mail about a notice while a message about it is unread. Questions? Call {phone}.",
    },
    "nl": {
        "opening": (
            "{organisation} heeft u in het portaal geschreven over de onderstaande verzoeken. Wat er staat, staat"
            " alleen daar, zodat het niet per mail reist."
        ),
        "ask": "Lees het alstublieft. Uw termijnen lopen door, of u het leest of niet.",
        "answer": "Log in op het portaal ({portal}), open het verzoek en lees of antwoord daar.",
        "objection": "",
        "closing": (
            "Zolang een bericht over een verzoek ongelezen is, krijgt u daarover geen tweede mail. Vragen? Bel"
            " {phone}."
        ),
    },
}

#: The last objection to each notice, as far as its outcome can be told from the notice.
OBJECTIONS = """
    INSERT INTO cases_dispute (notice_id, reply_id, ground, at, due_at, outcome, decided_at, decided_by, why)
    SELECT notice_id, reply_id, ground, at, at + interval '1 day', outcome,
        CASE WHEN outcome <> '' THEN greatest(at, coalesce(rejected_at, ended_at, at)) END,
        CASE WHEN outcome <> '' THEN 'system:migration' ELSE '' END, ''
    FROM (
        SELECT DISTINCT ON (r.notice_id) r.notice_id, r.id AS reply_id, r.at,
            CASE r.answer WHEN 'not_ours' THEN 'not_ours' ELSE 'other' END AS ground,
            n.objection_rejected_at AS rejected_at, coalesce(n.closed_at, n.removed_at) AS ended_at,
            CASE
                WHEN n.closed_because IN ('objection_upheld', 'wrong_provider') THEN 'upheld'
                WHEN n.objection_rejected_at >= r.at THEN 'rejected'
                WHEN n.state IN ('received', 'notified', 'escalated') THEN ''
                ELSE 'overtaken'
            END AS outcome
        FROM cases_reply r JOIN cases_notice n ON n.id = r.notice_id
        WHERE r.answer IN ('dispute', 'not_ours') AND NOT r.late
        ORDER BY r.notice_id, r.at DESC, r.id DESC
    ) last
"""

#: What was asked about notices that are still open, and may not have been answered.
QUESTIONS = """
    INSERT INTO cases_message (notice_id, side, at, by, token, reply_id, handled_by, read_by)
    SELECT r.notice_id, 'provider', r.at, r.by, gen_random_uuid(), r.id, '', ''
    FROM cases_reply r JOIN cases_notice n ON n.id = r.notice_id
    WHERE r.answer = 'need_information' AND NOT r.late AND n.state IN ('received', 'notified', 'escalated')
"""


def add_first_words(templates):
    """Version 1, unless it is there."""
    now = timezone.now()
    templates.objects.bulk_create(
        (
            templates(
                kind="message",
                language=language,
                version=1,
                drafted_at=now,
                drafted_by="system:migration",
                in_force_at=now,
                in_force_by="system:migration",
                **words,
            )
            for language, words in WORDS.items()
        ),
        ignore_conflicts=True,
    )


def add(apps, schema_editor):
    add_first_words(apps.get_model("cases", "MessageTemplate"))


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0038_write_both_ways_and_keep_objections"),
    ]

    operations = [
        migrations.RunSQL(OBJECTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(QUESTIONS, migrations.RunSQL.noop),
        # What is in force is never deleted: going back leaves words that nothing uses.
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
