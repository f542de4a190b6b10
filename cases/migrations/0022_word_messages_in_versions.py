"""The words of messages in versions; a message says by which it was written, and there are two more kinds."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0021_let_a_new_ladder_follow_a_voided_one"),
    ]

    operations = [
        migrations.AlterField(
            model_name="dispatch",
            name="kind",
            field=models.CharField(
                choices=[
                    ("first", "first notice"),
                    ("reminder", "reminder"),
                    ("withdrawal", "withdrawal"),
                    ("origin", "question for the origin"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="MessageTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("first", "first notice"),
                            ("reminder", "reminder"),
                            ("withdrawal", "withdrawal"),
                            ("origin", "question for the origin"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("nl", "Dutch"), ("en", "English")], max_length=2, verbose_name="language"
                    ),
                ),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("opening", models.TextField(verbose_name="opening")),
                ("ask", models.TextField(verbose_name="what we ask")),
                ("answer", models.TextField(verbose_name="how to answer")),
                ("objection", models.TextField(verbose_name="objections")),
                ("closing", models.TextField(blank=True, verbose_name="closing")),
                (
                    "restores",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="restores version"),
                ),
                ("drafted_at", models.DateTimeField(verbose_name="drafted")),
                ("drafted_by", models.CharField(max_length=40, verbose_name="drafted by")),
                ("previewed_on", models.CharField(blank=True, max_length=12, verbose_name="previewed on")),
                ("previewed_by", models.CharField(blank=True, max_length=40, verbose_name="previewed by")),
                ("in_force_at", models.DateTimeField(blank=True, null=True, verbose_name="in force since")),
                ("in_force_by", models.CharField(blank=True, max_length=40, verbose_name="put in force by")),
            ],
            options={
                "verbose_name": "template of a message",
                "verbose_name_plural": "templates of messages",
                "ordering": ["kind", "language", "-version"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "language", "version"), name="template_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("in_force_at__isnull", True)),
                        fields=("kind", "language"),
                        name="template_one_draft",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("in_force_at__isnull", True), ("in_force_by", "")),
                            models.Q(
                                ("in_force_at__isnull", False), models.Q(("in_force_by", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="template_in_force_by_somebody",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="messagetemplate",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."in_force_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="d84d78be2f68812f33a12b05d6894b6f2655d2e3",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0e811",
                    table="cases_messagetemplate",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="dispatch",
            name="template",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.messagetemplate",
            ),
        ),
    ]
