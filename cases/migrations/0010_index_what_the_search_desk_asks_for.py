"""The orders and filters of the search desk find their rows by an index; lists of references are kept for a day."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

import vault.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0009_keep_the_digests_of_what_is_reported_and_seen"),
        ("providers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Picked",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vault.sealed.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "notice_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="notices"
                    ),
                ),
                ("by", models.CharField(max_length=40, verbose_name="by")),
                ("created_at", models.DateTimeField(db_index=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "list of references",
                "verbose_name_plural": "lists of references",
                "ordering": ["created_at", "pk"],
            },
        ),
        migrations.RemoveIndex(
            model_name="notice",
            name="notice_escalated",
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state__in", ["notified", "escalated"])),
                fields=["due_at", "id"],
                name="notice_open",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["received_at", "id"], name="notice_received"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("provider__isnull", False)),
                fields=["provider", "received_at", "id"],
                name="notice_provider_received",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state", "received")), fields=["received_at", "id"], name="notice_with_us"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state__in", ["notified", "escalated"])),
                fields=["received_at", "id"],
                name="notice_open_received",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state", "withdrawn")),
                fields=["received_at", "id"],
                name="notice_withdrawn",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("legal_class__in", ["", "baseline", "not_illegal"]), _negated=True),
                fields=["legal_class", "received_at", "id"],
                name="notice_rare_class",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("urgent", True)), fields=["received_at", "id"], name="notice_urgent"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state", "received"), models.Q(("hold", ""), _negated=True)),
                fields=["hold", "received_at", "id"],
                name="notice_held",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("disputed_at__isnull", False), ("state__in", ["notified", "escalated"])),
                fields=["disputed_at", "id"],
                name="notice_disputed",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(
                    ("claimed_removed_at__lt", models.F("last_seen_online_at")),
                    ("state__in", ["notified", "escalated"]),
                ),
                fields=["claimed_removed_at", "id"],
                name="notice_contradicted",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["assessed_at"], name="notice_assessed"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["notified_at"], name="notice_notified"
            ),
        ),
    ]
