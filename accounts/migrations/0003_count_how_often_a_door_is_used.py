"""Buckets that count how often a door is used, by nobody's name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_add_intake_and_lead"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bucket",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("door", models.CharField(max_length=20, verbose_name="door")),
                ("key", models.BinaryField(max_length=32)),
                ("empty_at", models.DateTimeField(verbose_name="empty at")),
            ],
            options={
                "verbose_name": "bucket",
                "verbose_name_plural": "buckets",
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["empty_at"], name="bucket_empty")],
                "constraints": [models.UniqueConstraint(fields=("door", "key"), name="bucket_once_per_door")],
            },
        ),
    ]
