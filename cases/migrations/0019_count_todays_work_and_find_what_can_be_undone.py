"""How long somebody is at it today; and the index by which one finds one's own last judgements."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0018_index_what_is_closed_by_its_state"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AtWork",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="at_work",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("worked", models.DurationField(verbose_name="worked")),
                ("items", models.PositiveIntegerField(default=0, verbose_name="notices")),
                ("active_at", models.DateTimeField(verbose_name="last active")),
                ("since_at", models.DateTimeField(verbose_name="without a break since")),
                ("hint_read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "lifted_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("asked", "they asked for it themselves"),
                            ("ongoing", "abuse that goes on cannot wait"),
                            ("nobody", "nobody else is there today"),
                        ],
                        max_length=7,
                        verbose_name="may go on because",
                    ),
                ),
                ("single_keys", models.BooleanField(default=True, verbose_name="single keys")),
            ],
            options={
                "verbose_name": "person at work",
                "verbose_name_plural": "people at work",
                "ordering": ["pk"],
            },
        ),
        migrations.AlterField(
            model_name="assessment",
            name="assessor",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assessments",
                to=settings.AUTH_USER_MODEL,
                verbose_name="assessor",
            ),
        ),
        migrations.AddIndex(
            model_name="assessment",
            index=models.Index(fields=["assessor", "-at"], name="assessment_of_assessor"),
        ),
        migrations.AddIndex(
            model_name="atwork",
            index=models.Index(fields=["day", "worked"], name="at_work_long"),
        ),
    ]
