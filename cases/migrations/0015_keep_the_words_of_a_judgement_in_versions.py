"""The vocabulary of judgements: versions that never change once they are in force, and their terms."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0014_read_the_mail_of_partners")]

    operations = [
        migrations.CreateModel(
            name="Vocabulary",
            fields=[
                (
                    "version",
                    models.PositiveIntegerField(primary_key=True, serialize=False, verbose_name="version"),
                ),
                ("in_force_at", models.DateTimeField(blank=True, null=True, verbose_name="in force since")),
                ("by", models.CharField(max_length=40, verbose_name="by")),
            ],
            options={
                "verbose_name": "vocabulary",
                "verbose_name_plural": "vocabularies",
                "ordering": ["-version"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("in_force_at__isnull", True)),
                        fields=("in_force_at",),
                        name="vocabulary_one_draft",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "question",
                    models.CharField(
                        choices=[
                            ("reason", "why not, or why not to be judged"),
                            ("age_group", "age group"),
                            ("sex", "sex"),
                            ("content_type", "content type"),
                            ("site_type", "site type"),
                            ("commercial", "commercial"),
                            ("ai_generated", "AI-generated"),
                            ("self_generated", "self-generated"),
                            ("victim", "victim"),
                        ],
                        max_length=16,
                        verbose_name="question",
                    ),
                ),
                ("code", models.CharField(max_length=24, verbose_name="code")),
                ("label_nl", models.CharField(max_length=60, verbose_name="in Dutch")),
                ("label_en", models.CharField(max_length=60, verbose_name="in English")),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("retired", models.BooleanField(default=False, verbose_name="retired")),
                ("police_first", models.BooleanField(default=False, verbose_name="suggests police first")),
                (
                    "vocabulary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terms",
                        to="cases.vocabulary",
                    ),
                ),
            ],
            options={
                "verbose_name": "term",
                "verbose_name_plural": "terms",
                "ordering": ["vocabulary", "question", "position", "pk"],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="vocabulary",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."in_force_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="597e9706cbbede496d0429026e673afbfe4d574e",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_68c7f",
                    table="cases_vocabulary",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.UniqueConstraint(fields=("vocabulary", "question", "code"), name="term_once"),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("label_nl", ""), _negated=True),
                    models.Q(("label_en", ""), _negated=True),
                    models.Q(("code", ""), _negated=True),
                ),
                name="term_has_words",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="term",
            trigger=pgtrigger.compiler.Trigger(
                name="only_in_a_draft",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE book integer;",
                    func="\n                    IF TG_OP = 'DELETE' THEN book := OLD.vocabulary_id; ELSE book := NEW.vocabulary_id; END IF;\n                    IF EXISTS (SELECT 1 FROM cases_vocabulary WHERE version = book AND in_force_at IS NOT NULL)\n                    OR (TG_OP = 'UPDATE' AND NEW.vocabulary_id <> OLD.vocabulary_id) THEN\n                        RAISE EXCEPTION 'vocabulary % is in force: its terms never change', book\n                            USING ERRCODE = 'integrity_constraint_violation';\n                    END IF;\n                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n                    RETURN NEW;\n                ",
                    hash="1b4d41b302b09450b6f00ddd8c5df7ff35b936d8",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_only_in_a_draft_42f54",
                    table="cases_term",
                    when="BEFORE",
                ),
            ),
        ),
    ]
