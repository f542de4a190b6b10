"""A clock that a bounce voided may start again: its rungs stay, and a new ladder begins beside them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0020_index_each_closed_state_by_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="step",
            name="voided",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.RemoveConstraint(model_name="step", name="step_once"),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.UniqueConstraint(fields=("notice", "voided", "code"), name="step_once"),
        ),
    ]
