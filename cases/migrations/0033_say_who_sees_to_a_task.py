"""Say who sees to a contact or provider that needs somebody."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0032_index_what_has_not_arrived"),
    ]

    operations = [
        migrations.CreateModel(
            name="SeenTo",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "task",
                    models.CharField(
                        choices=[
                            ("suspended", "suspended contact"),
                            ("unreachable", "contact that cannot be reached"),
                            ("no_contact", "provider without a contact in use"),
                        ],
                        max_length=12,
                        verbose_name="task",
                    ),
                ),
                ("subject_id", models.BigIntegerField()),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=40, verbose_name="by")),
            ],
            options={
                "verbose_name": "seen to",
                "verbose_name_plural": "seen to",
                "ordering": ["at", "pk"],
                "indexes": [models.Index(fields=["task", "subject_id", "-at"], name="seen_to_latest")],
            },
        ),
    ]
