"""The index of what is open holds the state as well, so that the planner takes the narrower one for the sweep."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0034_list_what_came_back"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="notice", name="notice_open"),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state__in", ["notified", "escalated"])),
                fields=["due_at", "id"],
                include=("state",),
                name="notice_open",
            ),
        ),
    ]
