"""A provider can be telephoned: a number is a contact like any other, and no notice goes there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0010_keep_keys_and_secrets_of_contacts"),
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
