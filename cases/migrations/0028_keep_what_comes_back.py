"""What comes back by mail: bounces, delivery reports, automatic answers, and what people write."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0027_void_a_clock_whose_message_came_back"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReplyMail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reference",
                    models.CharField(editable=False, max_length=16, unique=True, verbose_name="reference"),
                ),
                ("message_key", models.BinaryField(max_length=32)),
                ("content_key", models.BinaryField(max_length=32)),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("size_bytes", models.PositiveBigIntegerField(verbose_name="size in bytes")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("answer", "written by a person"),
                            ("receipt", "receipt of their machine"),
                            ("away", "note of absence"),
                            ("auto", "another automatic answer"),
                            ("failed", "could not be delivered"),
                            ("delayed", "delivery is delayed"),
                            ("delivered", "delivery report"),
                            ("other", "a mailing list, or another machine"),
                            ("own", "our own mail, come back"),
                        ],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for a person"),
                            ("filed", "filed"),
                            ("answered", "became answers"),
                            ("set_aside", "read, without effect"),
                        ],
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("answer", "A person wrote it: say what it means for the notices."),
                            (
                                "stranger",
                                "A person wrote it, but nothing proves that it comes from the provider. Take care.",
                            ),
                            ("unmatched", "It names no message of ours that can be told with certainty."),
                            (
                                "machine",
                                "A machine sent it, but it may hold what a person wrote, as mail of ticket systems does.",
                            ),
                            (
                                "no_secret",
                                "It says that a message failed, and does not know that message's return path: perhaps forged.",
                            ),
                            (
                                "other_address",
                                "It says that a message failed for another address than the one that we wrote to.",
                            ),
                            ("too_large", "It is too large to be read here; it lies in the mailbox."),
                            ("parts", "It is built of too many parts to be read safely."),
                            ("charset", "Its text is not in the character set that it claims."),
                            ("html_only", "It has no plain text: only HTML, which is not read."),
                            ("unreadable", "It is no mail that can be read."),
                            ("brought", "A colleague brought it to the tray."),
                        ],
                        max_length=13,
                        verbose_name="reason",
                    ),
                ),
                (
                    "matched_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("return_path", "its return path has the message's secret"),
                            ("reply_path", "it was sent to the message's reply address"),
                            ("thread", "it answers the message's Message-ID"),
                            ("person", "a colleague put it there"),
                        ],
                        max_length=11,
                        verbose_name="matched by",
                    ),
                ),
                ("number", models.CharField(blank=True, max_length=20, verbose_name="number")),
                ("proven", models.BooleanField(default=False, verbose_name="DMARC pass")),
                ("from_provider", models.BooleanField(default=False, verbose_name="from the provider")),
                ("ticket", models.CharField(blank=True, max_length=60, verbose_name="their number")),
                ("status", models.CharField(blank=True, max_length=11, verbose_name="status")),
                ("words", models.CharField(blank=True, max_length=500, verbose_name="their server's words")),
                ("dropped", models.PositiveIntegerField(default=0, verbose_name="attachments left out")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("decided_by", models.CharField(blank=True, max_length=40, verbose_name="decided by")),
                ("message_id_sealed", models.BinaryField(null=True)),
                ("sender_sealed", models.BinaryField(null=True)),
                ("subject_sealed", models.BinaryField(null=True)),
                ("text_sealed", models.BinaryField(null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True, verbose_name="erased")),
            ],
            options={
                "verbose_name": "mail that came back",
                "verbose_name_plural": "mails that came back",
                "ordering": ["-received_at", "-pk"],
            },
        ),
        migrations.AddField(
            model_name="replymail",
            name="dispatch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="came_back",
                to="cases.dispatch",
                verbose_name="message",
            ),
        ),
        migrations.AddField(
            model_name="mailcopy",
            name="reply_mail",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="copies",
                to="cases.replymail",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="mail",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="answers",
                to="cases.replymail",
                verbose_name="mail",
            ),
        ),
        migrations.AddIndex(
            model_name="replymail",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["received_at", "id"],
                name="reply_mail_waits",
            ),
        ),
        migrations.AddIndex(
            model_name="replymail",
            index=models.Index(fields=["state", "-received_at", "-id"], name="reply_mail_by_state"),
        ),
        migrations.AddIndex(
            model_name="replymail",
            index=models.Index(
                condition=models.Q(
                    ("erased_at__isnull", True), models.Q(("state", "waiting"), _negated=True)
                ),
                fields=["received_at"],
                name="reply_mail_to_erase",
            ),
        ),
        migrations.AddConstraint(
            model_name="replymail",
            constraint=models.UniqueConstraint(fields=("message_key", "content_key"), name="reply_mail_once"),
        ),
        migrations.AddConstraint(
            model_name="replymail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "waiting"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="reply_mail_waits_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="replymail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("dispatch__isnull", True), ("matched_by", "")),
                    models.Q(("dispatch__isnull", False), models.Q(("matched_by", ""), _negated=True)),
                    _connector="OR",
                ),
                name="reply_mail_matched_somehow",
            ),
        ),
        migrations.AddConstraint(
            model_name="replymail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "answered"), _negated=True),
                    ("dispatch__isnull", False),
                    _connector="OR",
                ),
                name="reply_mail_answered_has_message",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="replymail",
            trigger=pgtrigger.compiler.Trigger(
                name="moved_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))',
                    constraint="CONSTRAINT",
                    func="\n        IF (OLD.state, NEW.state) NOT IN (('waiting', 'answered'), ('waiting', 'set_aside'), ('waiting', 'filed'), ('filed', 'waiting')) THEN\n            RAISE EXCEPTION 'reply_mail %: % -> % is no transition', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'reply_mail' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND was = OLD.state AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'reply_mail %: moved from % to % without an audit event', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="f6a2d069065481513ac0128ca05213d788c1979e",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_moved_with_event_398a2",
                    table="cases_replymail",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="replymail",
            trigger=pgtrigger.compiler.Trigger(
                name="born_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    func="\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'reply_mail' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'reply_mail %: added as % without an audit event', NEW.id, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="642e5b4764715516c178ea619d263164094aa3c1",
                    operation="INSERT",
                    pgid="pgtrigger_born_with_event_02b88",
                    table="cases_replymail",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="replymail",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="02763889a297151c5771606724359b2c700a16f3",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_7550d",
                    table="cases_replymail",
                    when="BEFORE",
                ),
            ),
        ),
    ]
