"""Codes to follow a report by, reporters who may be reached, and the public form as a way in."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0007_mark_what_a_newer_rule_leaves"),
    ]

    operations = [
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                (
                    "report",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="follow_up",
                        serialize=False,
                        to="cases.report",
                        verbose_name="report",
                    ),
                ),
                ("code_digest", models.BinaryField(max_length=32)),
            ],
            options={
                "verbose_name": "follow-up code",
                "verbose_name_plural": "follow-up codes",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Reporter",
            fields=[
                (
                    "report",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="reporter",
                        serialize=False,
                        to="cases.report",
                        verbose_name="report",
                    ),
                ),
                ("name_sealed", models.BinaryField(null=True)),
                ("email_sealed", models.BinaryField(null=True)),
            ],
            options={
                "verbose_name": "reporter",
                "verbose_name_plural": "reporters",
                "ordering": ["pk"],
            },
        ),
        migrations.AlterField(
            model_name="report",
            name="way",
            field=models.CharField(
                choices=[("file", "file"), ("form", "form"), ("api", "API"), ("public", "public form")],
                max_length=6,
                verbose_name="way in",
            ),
        ),
        migrations.AddIndex(
            model_name="reportline",
            index=models.Index(
                condition=models.Q(
                    ("notice__isnull", True),
                    models.Q(
                        ("raw_sealed__isnull", False),
                        ("referrer_sealed__isnull", False),
                        ("note_sealed__isnull", False),
                        _connector="OR",
                    ),
                ),
                fields=["report"],
                name="line_refused_with_text",
            ),
        ),
        migrations.AddConstraint(
            model_name="reporter",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("name_sealed__isnull", False), ("email_sealed__isnull", False), _connector="OR"
                ),
                name="reporter_can_be_reached",
            ),
        ),
    ]
