"""The series of dispatch numbers, the first deadline rule (24 hours), the first sources, room on hot pages."""

from datetime import UTC, datetime, timedelta

from django.db import migrations

# The addendum to the Notice-and-Take-Down code took effect at the end of 2018.
ADDENDUM = datetime(2018, 12, 1, tzinfo=UTC)

SOURCES = {
    "staff": "Meldpunt (medewerkers)",
    "public": "Publiek formulier",
    "partner": "Partner-hotline",
}


def add(apps, schema_editor):
    apps.get_model("cases", "DeadlineRule").objects.create(
        version=1, term=timedelta(hours=24), valid_from=ADDENDUM, by="system:migration"
    )
    source = apps.get_model("cases", "Source")
    for code, name in SOURCES.items():
        source.objects.create(code=code, name=name)


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE cases_dispatch_number", "DROP SEQUENCE cases_dispatch_number"),
        # A state moves on the page it stands on, without touching every index (HOT updates).
        migrations.RunSQL(
            "ALTER TABLE cases_notice SET (fillfactor = 85)", "ALTER TABLE cases_notice RESET (fillfactor)"
        ),
        # Going back drops the tables with their rows.
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
