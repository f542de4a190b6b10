"""What comes in is kept, sealed, until it is read; and a report says when lines of it were last read."""

import django.db.models.deletion
from django.db import migrations, models

import vault.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_index_what_the_search_desk_asks_for"),
    ]

    operations = [
        migrations.CreateModel(
            name="Unread",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vault.sealed.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("first", models.PositiveIntegerField()),
                ("last", models.PositiveIntegerField()),
                ("lines_sealed", models.BinaryField()),
            ],
            options={
                "verbose_name": "lines not read yet",
                "verbose_name_plural": "lines not read yet",
                "ordering": ["first", "pk"],
            },
        ),
        migrations.AddField(
            model_name="report",
            name="moved_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last read"),
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)),
                fields=["received_at"],
                name="report_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="reportline",
            index=models.Index(
                condition=models.Q(("outcome__in", ["rejected", "quarantined"])),
                fields=["report", "outcome", "number"],
                name="line_not_taken",
            ),
        ),
        migrations.AddField(
            model_name="unread",
            name="report",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="unread",
                to="cases.report",
                verbose_name="report",
            ),
        ),
        migrations.AddConstraint(
            model_name="unread",
            constraint=models.UniqueConstraint(fields=("report", "first"), name="unread_once"),
        ),
        migrations.AddConstraint(
            model_name="unread",
            constraint=models.CheckConstraint(
                condition=models.Q(("last__gte", models.F("first"))), name="unread_in_order"
            ),
        ),
    ]
