"""What is closed is found by time within its state: an index that begins with the state was passed over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0019_count_todays_work_and_find_what_can_be_undone"),
        ("providers", "0005_say_what_a_contact_is_for"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="notice",
            name="notice_closed",
        ),
        *(
            migrations.AddIndex(
                model_name="notice",
                index=models.Index(
                    condition=models.Q(("state", state)),
                    fields=["received_at", "id"],
                    name=f"notice_{state}",
                ),
            )
            for state in ("removed", "dismissed", "withdrawn")
        ),
    ]
