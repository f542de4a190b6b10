"""What is closed is found by its state, not by walking past all that is open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0017_want_second_judgements"),
        ("providers", "0003_say_whose_an_as_is_and_how_sure_we_are"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="notice",
            name="notice_withdrawn",
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("state__in", ["removed", "dismissed", "withdrawn"])),
                fields=["state", "received_at", "id"],
                name="notice_closed",
            ),
        ),
    ]
