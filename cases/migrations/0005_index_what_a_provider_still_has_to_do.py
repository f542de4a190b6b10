"""The list of what a provider still has to do no longer reads what is done: 392 -> 2 ms beside 500,000."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0004_keep_the_last_beat_of_each_sweep"),
        ("providers", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(
                    ("sent_at__isnull", False), ("state__in", ["received", "notified", "escalated"])
                ),
                fields=["provider", "due_at", "id"],
                name="notice_unfinished",
            ),
        ),
    ]
