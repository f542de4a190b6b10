"""When each sweep last came to its end; for health."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_say_more_reasons_and_take_back_what_only_our_relay_took"),
    ]

    operations = [
        migrations.CreateModel(
            name="Beat",
            fields=[
                (
                    "name",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="sweep"),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
            ],
            options={
                "verbose_name": "beat",
                "verbose_name_plural": "beats",
                "ordering": ["name"],
            },
        ),
    ]
