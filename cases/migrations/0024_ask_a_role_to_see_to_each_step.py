"""Each step asks a role to see to it, passes on what nobody sees to, and knows the calls that were made for it."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# What the ladder asked of people before it wrote that down; an open hint is for the notice desk from now on.
KNOW_WHAT_WAITS = """
    UPDATE cases_step s SET
        channel = CASE WHEN s.code LIKE 'reminder-%' THEN 'mail' WHEN s.code = 'call' THEN 'call' ELSE 'desk' END,
        owner = CASE WHEN s.owner = 'analyst' THEN 'notice_desk' ELSE s.owner END,
        asked_at = CASE
            WHEN s.acknowledged_at IS NULL AND s.outcome <> 'overtaken' AND n.state = 'escalated'
                AND s.code <> 'hint' AND (s.code = 'reminder-1' OR s.outcome NOT IN ('reminded', 'insisted'))
            THEN coalesce(s.taken_at, CASE WHEN s.waits_for <> '' THEN s.due_at END)
        END,
        outcome = CASE
            WHEN s.code = 'call' AND s.outcome = '' AND s.taken_at IS NOT NULL AND n.state <> 'escalated'
            THEN 'overtaken' ELSE s.outcome
        END
    FROM cases_notice n WHERE n.id = s.notice_id;
    UPDATE cases_step SET pass_at = now() + interval '2 hours' WHERE asked_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0023_add_the_first_words_of_messages"),
        ("providers", "0005_say_what_a_contact_is_for"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=40, verbose_name="by")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("promised", "they will remove it"),
                            ("reached", "reached: they know of it"),
                            ("refused", "they refuse"),
                            ("not_reached", "nobody answered"),
                            ("wrong_number", "the number is wrong"),
                        ],
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                ("note_sealed", models.BinaryField(null=True)),
                ("token", models.UUIDField(editable=False, unique=True)),
            ],
            options={
                "verbose_name": "call",
                "verbose_name_plural": "calls",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.AddField(
            model_name="step",
            name="asked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="asked"),
        ),
        migrations.AddField(
            model_name="step",
            name="channel",
            field=models.CharField(
                choices=[
                    ("desk", "on the desk"),
                    ("mail", "by message to the provider"),
                    ("call", "by telephone"),
                ],
                db_default="desk",
                max_length=4,
                verbose_name="how",
            ),
        ),
        migrations.AddField(
            model_name="step",
            name="pass_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="passed on at"),
        ),
        migrations.AddField(
            model_name="step",
            name="passed",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="passed on"),
        ),
        migrations.AddField(
            model_name="step",
            name="sooner",
            field=models.CharField(
                blank=True,
                choices=[
                    ("refused", "the provider refuses"),
                    ("often", "the provider let several terms end lately"),
                ],
                db_default="",
                max_length=8,
                verbose_name="sooner",
            ),
        ),
        migrations.AlterField(
            model_name="step",
            name="acknowledged_by",
            field=models.CharField(blank=True, db_default="", max_length=40, verbose_name="acknowledged by"),
        ),
        migrations.AlterField(
            model_name="step",
            name="late",
            field=models.BooleanField(db_default=False, default=False, verbose_name="late"),
        ),
        migrations.AlterField(
            model_name="step",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("reminded", "a reminder is in the outbox"),
                    ("insisted", "a reminder is in the outbox because a supervisor said so"),
                    ("no_contact", "there is no contact to remind"),
                    ("called", "the provider was called"),
                    ("overtaken", "nothing was left to do"),
                ],
                db_default="",
                max_length=12,
                verbose_name="outcome",
            ),
        ),
        migrations.AlterField(
            model_name="step",
            name="waits_for",
            field=models.CharField(
                blank=True,
                choices=[("sighting", "Nobody has seen it online lately: a supervisor decides.")],
                db_default="",
                max_length=12,
                verbose_name="waits for",
            ),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(
                condition=models.Q(("acknowledged_at__isnull", True), ("asked_at__isnull", False)),
                fields=["asked_at", "id"],
                name="step_asks",
            ),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(
                condition=models.Q(("acknowledged_at__isnull", True), ("pass_at__isnull", False)),
                fields=["pass_at", "id"],
                name="step_passes",
            ),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(
                condition=models.Q(("acknowledged_by", ""), _negated=True),
                fields=["acknowledged_by", "acknowledged_at", "id"],
                name="step_seen_to",
            ),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(
                condition=models.Q(("code", "call"), ("outcome", ""), ("taken_at__isnull", False)),
                fields=["taken_at", "id"],
                name="step_to_call",
            ),
        ),
        migrations.AddField(
            model_name="call",
            name="provider",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="calls",
                to="providers.provider",
                verbose_name="provider",
            ),
        ),
        migrations.AddField(
            model_name="call",
            name="steps",
            field=models.ManyToManyField(related_name="calls", to="cases.step", verbose_name="steps"),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(fields=["provider", "-at", "-id"], name="call_of_provider"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="call",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="5d3849174ee92f5487754f301517c6e993e52f91",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e31bc",
                    table="cases_call",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(KNOW_WHAT_WAITS, migrations.RunSQL.noop),
    ]
