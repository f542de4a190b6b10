"""Claims and skips of the work desk come into tables; the order of the queue becomes an index."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: What waits already gets its class; what is done with is never asked for it.
CLASSES = """
    UPDATE cases_notice n SET
        came_back = EXISTS (SELECT 1 FROM cases_notice p WHERE p.id = n.previous_id AND p.state = 'removed'),
        corroborated = (SELECT count(DISTINCT r.source_id) > 1 FROM cases_reportline l
                        JOIN cases_report r ON r.id = l.report_id WHERE l.notice_id = n.id)
    WHERE n.state = 'received';
    UPDATE cases_notice SET priority = CASE
            WHEN hold <> '' THEN 1 WHEN urgent THEN 2 WHEN came_back THEN 3 WHEN corroborated THEN 4 ELSE 5 END
    WHERE state = 'received' AND (hold <> '' OR urgent OR came_back OR corroborated);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_index_what_a_provider_still_has_to_do"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Claim",
            fields=[
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="claim",
                        serialize=False,
                        to="cases.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="claims",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("work", models.CharField(editable=False, max_length=8)),
                ("page", models.CharField(blank=True, editable=False, max_length=16)),
                ("claimed_at", models.DateTimeField(verbose_name="claimed")),
                ("active_at", models.DateTimeField(verbose_name="last active")),
                ("until", models.DateTimeField(verbose_name="until")),
            ],
            options={
                "verbose_name": "claim",
                "verbose_name_plural": "claims",
                "ordering": ["claimed_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="PassedOn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="passed_on",
                        to="cases.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("day", models.DateField(verbose_name="day")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("language", "it needs a language that I do not read"),
                            ("technical", "I cannot open it, for a technical reason"),
                            ("conflict", "I know somebody who is involved"),
                            ("context", "it needs a colleague who knows this kind of material"),
                        ],
                        max_length=9,
                        verbose_name="reason",
                    ),
                ),
            ],
            options={
                "verbose_name": "notice left for a colleague",
                "verbose_name_plural": "notices left for a colleague",
                "ordering": ["at", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "day", "notice"), name="passed_on_once_a_day")
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("reason", ""), _negated=True),
                        fields=["at"],
                        name="passed_on_skipped",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="notice",
            name="came_back",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, verbose_name="came back"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="corroborated",
            field=models.BooleanField(
                db_default=False, default=False, editable=False, verbose_name="several sources"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="priority",
            field=models.PositiveSmallIntegerField(
                db_default=5, default=5, editable=False, verbose_name="priority"
            ),
        ),
        migrations.RunSQL(CLASSES, migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name="notice", name="notice_to_assess"),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("assessed_at__isnull", True), ("state", "received")),
                fields=["priority", "received_at", "id"],
                name="notice_to_judge",
            ),
        ),
    ]
