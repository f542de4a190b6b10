"""Keep what lately became of the messages to each contact."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0011_let_a_contact_be_a_telephone_number"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactHealth",
            fields=[
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="health",
                        serialize=False,
                        to="providers.contact",
                        verbose_name="contact",
                    ),
                ),
                ("messages", models.PositiveSmallIntegerField(default=0, verbose_name="messages looked at")),
                ("failing", models.PositiveSmallIntegerField(default=0, verbose_name="not handed over")),
                (
                    "bounced_hard",
                    models.PositiveSmallIntegerField(default=0, verbose_name="refused for good"),
                ),
                ("bounced_soft", models.PositiveSmallIntegerField(default=0, verbose_name="put off")),
                ("last_bounced_at", models.DateTimeField(null=True, verbose_name="last refused")),
                (
                    "unanswered",
                    models.PositiveSmallIntegerField(default=0, verbose_name="unanswered in a row"),
                ),
                ("last_sent_at", models.DateTimeField(null=True, verbose_name="last handed over")),
                ("last_accepted_at", models.DateTimeField(null=True, verbose_name="last accepted")),
                ("last_answered_at", models.DateTimeField(null=True, verbose_name="last answered")),
                (
                    "median_answer",
                    models.DurationField(null=True, verbose_name="median time to the first answer"),
                ),
                ("portal_opened_at", models.DateTimeField(null=True, verbose_name="portal last opened")),
                ("counted_at", models.DateTimeField(verbose_name="counted")),
                (
                    "word",
                    models.CharField(
                        choices=[
                            ("good", "good"),
                            ("doubtful", "doubtful"),
                            ("bad", "bad"),
                            ("unknown", "unknown"),
                        ],
                        default="unknown",
                        max_length=8,
                        verbose_name="health",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
            ],
            options={
                "verbose_name": "health of a contact",
                "verbose_name_plural": "health of contacts",
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["word"], name="contact_by_health")],
            },
        ),
    ]
