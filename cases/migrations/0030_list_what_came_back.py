"""The notice desk lists what came back, the latest first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0029_say_who_sees_to_a_task"),
        ("providers", "0009_keep_the_health_of_contacts"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("state", "bounced")), fields=["bounced_at", "id"], name="dispatch_bounced"
            ),
        ),
    ]
