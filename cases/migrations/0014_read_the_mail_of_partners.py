"""Reports by mail from partners: who may, what came in, where it lies, and the receipts that go back."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0013_keep_figures_and_saved_filters"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mailbox",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=400, unique=True, verbose_name="name")),
                ("uid_validity", models.BigIntegerField(editable=False, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read")),
            ],
            options={
                "verbose_name": "mailbox",
                "verbose_name_plural": "mailboxes",
                "ordering": ["name", "pk"],
            },
        ),
        migrations.AlterField(
            model_name="report",
            name="way",
            field=models.CharField(
                choices=[
                    ("file", "file"),
                    ("form", "form"),
                    ("api", "API"),
                    ("public", "public form"),
                    ("mail", "mail"),
                ],
                max_length=6,
                verbose_name="way in",
            ),
        ),
        migrations.CreateModel(
            name="MailSender",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("pattern", models.CharField(max_length=254, verbose_name="address or domain")),
                (
                    "language",
                    models.CharField(
                        choices=[("nl", "Nederlands"), ("en", "English")],
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("added_at", models.DateTimeField(verbose_name="added")),
                ("added_by", models.CharField(max_length=40, verbose_name="added by")),
                ("approved_at", models.DateTimeField(blank=True, null=True, verbose_name="approved")),
                ("approved_by", models.CharField(blank=True, max_length=40, verbose_name="approved by")),
                ("stopped_at", models.DateTimeField(blank=True, null=True, verbose_name="stopped")),
                ("stopped_by", models.CharField(blank=True, max_length=40, verbose_name="stopped by")),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mail_senders",
                        to="cases.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "partner by mail",
                "verbose_name_plural": "partners by mail",
                "ordering": ["pattern", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Mail",
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
                ("sender_key", models.BinaryField(max_length=32)),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("size_bytes", models.PositiveBigIntegerField(verbose_name="size in bytes")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for a person"),
                            ("accepted", "being taken in"),
                            ("taken", "became a report"),
                            ("set_aside", "set aside"),
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
                            ("bad_from", "It names no sender, several, or one that cannot be read."),
                            (
                                "machine",
                                "A machine sent it: an automatic answer, a bounce or a mailing list.",
                            ),
                            ("stranger", "The sender is not on the list of partners."),
                            (
                                "not_proven",
                                "The sender is on the list, but nothing proves that the mail comes from there (no DMARC pass).",
                            ),
                            ("same_id", "A mail with the same Message-ID and other contents came before."),
                            ("too_large", "It is too large to be read here; it lies in the mailbox."),
                            ("parts", "It is built of too many parts to be read safely."),
                            ("charset", "Its text is not in the character set that it claims."),
                            ("bad_file", "A list attached to it cannot be read."),
                            ("html_only", "It has no plain text: only HTML, which is not read."),
                            (
                                "no_lines",
                                "There is no address in it, on a line of its own or in a list attached to it.",
                            ),
                            ("many_lines", "It has more than 10,000 lines."),
                            ("unreadable", "It is no mail that can be read."),
                            (
                                "fault",
                                "Taking it in failed. Tell who runs this system; its log names this mail.",
                            ),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                ("proven", models.BooleanField(default=False, verbose_name="DMARC pass")),
                ("by_machine", models.BooleanField(default=False, verbose_name="sent by a machine")),
                ("total", models.PositiveIntegerField(default=0, verbose_name="lines")),
                ("dropped", models.PositiveIntegerField(default=0, verbose_name="attachments left out")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("decided_by", models.CharField(blank=True, max_length=40, verbose_name="decided by")),
                ("message_id_sealed", models.BinaryField(null=True)),
                ("sender_sealed", models.BinaryField(null=True)),
                ("subject_sealed", models.BinaryField(null=True)),
                ("texts_sealed", models.BinaryField(null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True, verbose_name="erased")),
                (
                    "report",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="cases.report",
                        verbose_name="report",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.source",
                        verbose_name="source",
                    ),
                ),
                (
                    "listed_as",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="cases.mailsender",
                        verbose_name="partner",
                    ),
                ),
            ],
            options={
                "verbose_name": "mail",
                "verbose_name_plural": "mails",
                "ordering": ["-received_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="MailCopy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid_validity", models.BigIntegerField()),
                ("uid", models.BigIntegerField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "mail",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="copies",
                        to="cases.mail",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="copies", to="cases.mailbox"
                    ),
                ),
            ],
            options={
                "ordering": ["mailbox", "uid_validity", "uid"],
                "constraints": [
                    models.UniqueConstraint(fields=("mailbox", "uid_validity", "uid"), name="mail_copy_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="MailReceipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waiting to be sent"),
                            ("sent", "sent"),
                            ("parked", "needs attention"),
                        ],
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                (
                    "message_id",
                    models.CharField(editable=False, max_length=200, unique=True, verbose_name="Message-ID"),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("next_attempt_at", models.DateTimeField(verbose_name="next attempt")),
                ("attempt", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures in a row")),
                ("leased_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                (
                    "trouble",
                    models.CharField(
                        blank=True,
                        choices=[
                            (
                                "later",
                                "Their server could not be reached or put us off; it will be tried again.",
                            ),
                            ("refused", "Their server refuses it for good."),
                            (
                                "no_luck",
                                "Their server could not be reached, or put us off, five times in a row.",
                            ),
                            (
                                "capped",
                                "This sender got too many receipts within the hour; two machines may be talking.",
                            ),
                            ("sender", "The sender is not a partner any more, or its address is erased."),
                        ],
                        max_length=7,
                        verbose_name="trouble",
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=500, verbose_name="their server's words")),
                (
                    "mail",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt",
                        to="cases.mail",
                        verbose_name="mail",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt by mail",
                "verbose_name_plural": "receipts by mail",
                "ordering": ["-created_at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["next_attempt_at", "id"],
                        name="mail_receipt_waits",
                    ),
                    models.Index(
                        condition=models.Q(("state", "parked")),
                        fields=["created_at"],
                        name="mail_receipt_parked",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "sent"), _negated=True),
                            models.Q(("sent_at__isnull", False), models.Q(("answer", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="mail_receipt_sent_has_answer",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mailreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="moved_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))',
                    constraint="CONSTRAINT",
                    func="\n        IF (OLD.state, NEW.state) NOT IN (('pending', 'sent'), ('pending', 'parked'), ('parked', 'pending')) THEN\n            RAISE EXCEPTION 'mail_receipt %: % -> % is no transition', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'mail_receipt' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND was = OLD.state AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'mail_receipt %: moved from % to % without an audit event', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="8dafebc5fbbc0ec520b2acf687eb03363ae0198e",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_moved_with_event_494eb",
                    table="cases_mailreceipt",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mailreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="born_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    func="\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'mail_receipt' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'mail_receipt %: added as % without an audit event', NEW.id, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="380299f7278aa2926b0c29c84b89e08a7f66462f",
                    operation="INSERT",
                    pgid="pgtrigger_born_with_event_a7e26",
                    table="cases_mailreceipt",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mailreceipt",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="d8394892ecbea03c993e8e1e7d61bf8a3c5edbc3",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_dccb3",
                    table="cases_mailreceipt",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="mailsender",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stopped_at__isnull", True)), fields=("pattern",), name="mail_sender_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="mailsender",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", ""),
                    models.Q(("approved_by", models.F("added_by")), _negated=True),
                    _connector="OR",
                ),
                name="mail_sender_approved_by_another",
            ),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "accepted"])),
                fields=["received_at", "id"],
                name="mail_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(fields=["state", "-decided_at", "-id"], name="mail_decided"),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("erased_at__isnull", True), ("state__in", ["taken", "set_aside"])),
                fields=["decided_at"],
                name="mail_to_erase",
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.UniqueConstraint(fields=("message_key", "content_key"), name="mail_once"),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "taken"), _negated=True), ("report__isnull", False), _connector="OR"
                ),
                name="mail_taken_has_report",
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "accepted"), _negated=True), ("source__isnull", False), _connector="OR"
                ),
                name="mail_accepted_has_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "waiting"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="mail_waits_for_a_reason",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mail",
            trigger=pgtrigger.compiler.Trigger(
                name="moved_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."state" IS DISTINCT FROM (NEW."state"))',
                    constraint="CONSTRAINT",
                    func="\n        IF (OLD.state, NEW.state) NOT IN (('waiting', 'accepted'), ('waiting', 'set_aside'), ('accepted', 'waiting'), ('accepted', 'taken')) THEN\n            RAISE EXCEPTION 'mail %: % -> % is no transition', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'mail' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND was = OLD.state AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'mail %: moved from % to % without an audit event', NEW.id, OLD.state, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="9148b919ae86ecbdf96bf9c9f3ab03e670fda769",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_moved_with_event_6eb86",
                    table="cases_mail",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mail",
            trigger=pgtrigger.compiler.Trigger(
                name="born_with_event",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    func="\n        IF NOT EXISTS (\n            SELECT 1 FROM audit_event\n            WHERE subject = 'mail' AND subject_id = NEW.id AND txid = pg_current_xact_id()\n                AND became = NEW.state\n        ) THEN\n            RAISE EXCEPTION 'mail %: added as % without an audit event', NEW.id, NEW.state\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ",
                    hash="f49ae3974bb3cb9a6732db9276c5751b0b91d67b",
                    operation="INSERT",
                    pgid="pgtrigger_born_with_event_50cc8",
                    table="cases_mail",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="mail",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="d8f9754630886b000e9345b96098226a4250ac44",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_18ae9",
                    table="cases_mail",
                    when="BEFORE",
                ),
            ),
        ),
    ]
