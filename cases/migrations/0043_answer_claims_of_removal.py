"""A claim of removal has an answer of its own: what a look since then says, with its signed receipt."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import cases.models.verdict

# What was claimed before: seen online since, or still to be looked at.
CLAIMS = """
    UPDATE cases_notice
    SET claim_answer = CASE WHEN claimed_removed_at < last_seen_online_at THEN 'still_reachable' ELSE 'waiting' END
    WHERE state IN ('notified', 'escalated') AND claimed_removed_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0042_warn_of_a_key_that_ends"),
        ("providers", "0012_keep_the_health_of_contacts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Verdict",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        default=cases.models.verdict.new_receipt_reference,
                        editable=False,
                        max_length=12,
                        unique=True,
                        verbose_name="reference",
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("", "no claim"),
                            ("waiting", "a check is on its way"),
                            ("confirmed", "confirmed: our check no longer finds it"),
                            ("still_reachable", "still reachable: our check sees it"),
                            ("cannot_tell", "our check cannot tell"),
                            ("accepted", "cannot be told: one of us has looked"),
                            ("proven", "removal is proven"),
                        ],
                        max_length=15,
                        verbose_name="answer",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=40, verbose_name="by")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("notified", "notified"),
                            ("removed", "removed"),
                            ("escalated", "escalated"),
                            ("dismissed", "dismissed"),
                            ("withdrawn", "withdrawn"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("gone_since", models.DateTimeField(null=True, verbose_name="gone since")),
            ],
            options={
                "verbose_name": "answer to a claim",
                "verbose_name_plural": "answers to claims",
                "ordering": ["pk"],
            },
        ),
        migrations.RemoveIndex(
            model_name="notice",
            name="notice_contradicted",
        ),
        migrations.AddField(
            model_name="notice",
            name="claim_answer",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "no claim"),
                    ("waiting", "a check is on its way"),
                    ("confirmed", "confirmed: our check no longer finds it"),
                    ("still_reachable", "still reachable: our check sees it"),
                    ("cannot_tell", "our check cannot tell"),
                    ("accepted", "cannot be told: one of us has looked"),
                    ("proven", "removal is proven"),
                ],
                db_default="",
                default="",
                max_length=15,
                verbose_name="answer to the claim",
            ),
        ),
        migrations.RunSQL(CLAIMS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(
                    ("claim_answer__in", ["waiting", "still_reachable", "cannot_tell", "accepted"]),
                    ("state__in", ["notified", "escalated"]),
                ),
                fields=["claim_answer", "claimed_removed_at", "id"],
                name="notice_claim_unsettled",
            ),
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "verdict",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="receipt",
                        serialize=False,
                        to="cases.verdict",
                    ),
                ),
                ("key_id", models.CharField(max_length=43, verbose_name="key")),
                ("signed", models.TextField(verbose_name="signed text")),
            ],
            options={
                "verbose_name": "signed receipt",
                "verbose_name_plural": "signed receipts",
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="verdict",
            name="look",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.sighting",
            ),
        ),
        migrations.AddField(
            model_name="verdict",
            name="notice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="verdicts",
                to="cases.notice",
                verbose_name="notice",
            ),
        ),
        migrations.AddField(
            model_name="verdict",
            name="provider",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="providers.provider",
            ),
        ),
        migrations.AddField(
            model_name="verdict",
            name="reply",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.reply",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="receipt",
            trigger=pgtrigger.compiler.Trigger(
                name="never_changed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="8bb29399ea300aa919eb5b5b7e89c573ac4fde92",
                    operation="UPDATE",
                    pgid="pgtrigger_never_changed_02b15",
                    table="cases_receipt",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["provider", "at", "reference"], name="verdict_of_provider"),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answer__in", ["confirmed", "still_reachable", "cannot_tell", "accepted", "proven"])
                ),
                name="verdict_says_something",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="verdict",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="f7f7ffad1957172432a763d0f21d6b1d8c6cf329",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_dc1fc",
                    table="cases_verdict",
                    when="BEFORE",
                ),
            ),
        ),
    ]
