"""How fast messages go to one contact and one host, urgent ones first, and more reasons to wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0024_ask_a_role_to_see_to_each_step"),
        ("providers", "0005_say_what_a_contact_is_for"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("name", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("paid_until", models.DateTimeField(null=True)),
                ("served_at", models.DateTimeField(null=True)),
                ("rests_until", models.DateTimeField(null=True)),
                ("asked", models.BooleanField(default=False)),
                ("failures", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name="dispatch",
            name="urgent",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AlterField(
            model_name="dispatch",
            name="approval_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("new_contact", "This is the first message to this contact."),
                    ("many_lines", "So many notices at once go to this contact that somebody looks first."),
                    ("restored", "It may have gone out already, before a backup was put back."),
                ],
                max_length=12,
                verbose_name="needs approval because",
            ),
        ),
        migrations.AlterField(
            model_name="dispatch",
            name="trouble",
            field=models.CharField(
                blank=True,
                choices=[
                    ("refused", "Their server refuses it for good."),
                    ("no_luck", "Their server could not be reached, or put us off, five times in a row."),
                    ("later", "Their server could not be reached or put us off; it will be tried again."),
                    ("contact", "The contact is not approved, or is suspended."),
                    ("ours", "Our own mail server does not take it; it is tried again every minute."),
                    ("restored", "It may have gone out already: a backup was put back after it was made."),
                    ("channel", "There is no way to reach this contact yet."),
                    ("unmade", "The message cannot be made: there is a fault on our side."),
                ],
                max_length=8,
                verbose_name="trouble",
            ),
        ),
        migrations.AlterField(
            model_name="dispatchline",
            name="dropped_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("taken_back", "taken back to the work desk"),
                    ("cancelled", "the message was cancelled"),
                    ("overtaken", "the notice is not in that state any more"),
                    ("moved", "another provider hosts it now"),
                    ("unseen", "nobody has seen it online lately"),
                    ("doubted", "a second person judged otherwise"),
                    ("contact", "another contact of the provider is told instead"),
                ],
                max_length=10,
                verbose_name="left out because",
            ),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["contact", "-urgent", "next_attempt_at", "id"],
                name="dispatch_next_of_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("leased_until__isnull", False), ("state", "pending")),
                fields=["contact", "leased_until"],
                name="dispatch_in_hand",
            ),
        ),
        migrations.AddConstraint(
            model_name="pace",
            constraint=models.CheckConstraint(
                condition=models.Q(("asked", False), ("rests_until__isnull", False), _connector="OR"),
                name="pace_asked_has_a_moment",
            ),
        ),
    ]
