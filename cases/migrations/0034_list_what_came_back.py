"""The notice desk lists what came back, the latest first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0033_say_who_sees_to_a_task"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("state", "bounced")), fields=["bounced_at", "id"], name="dispatch_bounced"
            ),
        ),
    ]
