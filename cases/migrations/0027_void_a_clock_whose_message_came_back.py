"""A message that was taken may come back: its clock is void, and its notices are routed again."""

import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0026_list_messages_by_state_and_time"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="dispatch",
            name="moved_with_event",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="notice",
            name="moved_with_event",
        ),
        migrations.AddField(
            model_name="dispatch",
            name="bounced_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="came back"),
        ),
        migrations.AlterField(
            model_name="dispatch",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "waiting to be sent"),
                    ("relayed", "with our relay; their server's answer is not known"),
                    ("accepted", "accepted by their server"),
                    ("parked", "needs attention"),
                    ("cancelled", "cancelled"),
                    ("bounced", "came back undelivered"),
                ],
                default="pending",
                max_length=9,
                verbose_name="state",
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
                    ("bounced", "It was taken, and came back undelivered."),
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
                    ("bounced", "the message came back undelivered"),
                    ("suspended", "the contact was suspended first"),
                ],
                max_length=10,
                verbose_name="left out because",
            ),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(django.db.models.functions.text.Lower("token"), name="dispatch_return_path"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dispatch",
            trigger=pgtrigger.compiler.Trigger(
                name="moved_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))',
                    constraint="CONSTRAINT",
                    func="\n        IF (OLD.state, NEW.state) NOT IN (('pending', 'relayed'), ('pending', 'accepted'), ('pending', 'parked'), ('pending', 'cancelled'), ('parked', 'pending'), ('parked', 'cancelled'), ('relayed', 'accepted'), ('relayed', 'bounced'), ('accepted', 'bounced')) THEN\n            RAISE EXCEPTION 'dispatch %: % -> % is no transition', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'dispatch' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND was = OLD.state AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'dispatch %: moved from % to % without an audit event', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="8fcf2bb3bdbfc7c9ecf4f26163b9760ed343f658",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_moved_with_event_5ffc0",
                    table="cases_dispatch",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="notice",
            trigger=pgtrigger.compiler.Trigger(
                name="moved_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))',
                    constraint="CONSTRAINT",
                    func="\n        IF (OLD.state, NEW.state) NOT IN (('received', 'notified'), ('received', 'dismissed'), ('received', 'withdrawn'), ('notified', 'escalated'), ('notified', 'removed'), ('notified', 'withdrawn'), ('escalated', 'removed'), ('escalated', 'withdrawn'), ('notified', 'received'), ('escalated', 'received')) THEN\n            RAISE EXCEPTION 'notice %: % -> % is no transition', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'notice' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND was = OLD.state AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'notice %: moved from % to % without an audit event', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="9ad82e3f1f7326fc6ec96fe1ed276f21dbb1b99f",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_moved_with_event_becdf",
                    table="cases_notice",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "bounced"), _negated=True),
                    ("bounced_at__isnull", False),
                    _connector="OR",
                ),
                name="dispatch_bounced_is_dated",
            ),
        ),
    ]
