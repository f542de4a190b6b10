"""What is too much to count while somebody waits, and the filters that people keep under a name."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0012_do_one_act_to_many_notices"),
        ("providers", "0002_keep_routing_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Figure",
            fields=[
                ("code", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField(verbose_name="count")),
                ("oldest_at", models.DateTimeField(null=True, verbose_name="oldest")),
                ("counted_at", models.DateTimeField(verbose_name="counted")),
            ],
            options={
                "verbose_name": "figure",
                "verbose_name_plural": "figures",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="ProviderFigure",
            fields=[
                (
                    "provider",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="providers.provider",
                    ),
                ),
                ("open", models.PositiveIntegerField(verbose_name="open")),
                ("overdue", models.PositiveIntegerField(verbose_name="overdue")),
                ("oldest_at", models.DateTimeField(null=True, verbose_name="oldest")),
                ("silent", models.PositiveIntegerField(verbose_name="no answer")),
                ("online", models.PositiveIntegerField(verbose_name="seen online after the term")),
                ("disputed", models.PositiveIntegerField(verbose_name="disputed")),
                ("counted_at", models.DateTimeField(verbose_name="counted")),
            ],
            options={
                "verbose_name": "figure of a provider",
                "verbose_name_plural": "figures of providers",
                "ordering": ["oldest_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("role", models.CharField(blank=True, max_length=20, verbose_name="shared with")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("query", models.CharField(max_length=1000, verbose_name="filter")),
                ("position", models.PositiveIntegerField(default=0, editable=False)),
                ("opens", models.BooleanField(default=False, verbose_name="the desk begins with it")),
                ("count", models.PositiveIntegerField(editable=False, null=True)),
                ("counted_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(verbose_name="created")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "saved filter",
                "verbose_name_plural": "saved filters",
                "ordering": ["position", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "name"), name="saved_filter_name_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("opens", True)), fields=("user",), name="saved_filter_opens_once"
                    ),
                ],
            },
        ),
    ]
