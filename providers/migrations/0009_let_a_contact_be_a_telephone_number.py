"""A provider can be telephoned: a number is a contact like any other, and no notice goes there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0008_say_who_added_a_contact_and_what_a_provider_takes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="channel",
            field=models.CharField(
                choices=[("smtp", "e-mail"), ("webhook", "webhook"), ("phone", "telephone")],
                max_length=8,
                verbose_name="channel",
            ),
        ),
    ]
