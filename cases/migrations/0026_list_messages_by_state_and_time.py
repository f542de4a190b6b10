"""The notice desk lists each state in order of time, however many messages there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0025_pace_what_is_handed_over"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(fields=["state", "created_at", "id"], name="dispatch_by_state"),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("state", "accepted")),
                fields=["accepted_at", "id"],
                name="dispatch_accepted",
            ),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(fields=["created_at", "id"], name="dispatch_by_time"),
        ),
    ]
