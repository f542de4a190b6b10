"""What was judged and is not known to have arrived is found by how long that takes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0031_know_a_database_that_was_put_back"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("assessed_at__isnull", False), ("state", "received")),
                fields=["assessed_at", "id"],
                name="notice_to_arrive",
            ),
        ),
    ]
