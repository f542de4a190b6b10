from django.db import migrations, models
from django.db.models import Q


def attach_csv(apps, schema_editor):
    """What had its addresses in an attachment had them in a CSV file."""
    apps.get_model("providers", "Contact").objects.filter(mode="attachment").update(formats="csv")


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0005_say_what_a_contact_is_for"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="formats",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "nothing attached"),
                    ("csv", "CSV"),
                    ("xarf", "XARF v4 (JSON)"),
                    ("both", "CSV and XARF v4 (JSON)"),
                ],
                default="",
                max_length=4,
                verbose_name="attachments",
            ),
        ),
        # Going back drops the column.
        migrations.RunPython(attach_csv, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                name="contact_attaches_by_its_mode",
                condition=Q(mode="attachment", formats__in=["csv", "xarf", "both"])
                | (~Q(mode="attachment") & Q(formats__in=["", "csv"])),
                violation_error_message="Addresses in an attachment need a CSV file, XARF reports, or both; an XARF report has the address in it, so it goes with no other way of giving addresses.",
            ),
        ),
    ]
