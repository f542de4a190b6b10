"""Messages about a notice both ways, whom it was passed on to, and each objection with its end."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0037_link_messages_to_a_page_of_their_own"),
        ("providers", "0012_keep_the_health_of_contacts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="dispatch",
            name="kind",
            field=models.CharField(
                choices=[
                    ("first", "first notice"),
                    ("reminder", "reminder"),
                    ("withdrawal", "withdrawal"),
                    ("origin", "question for the origin"),
                    ("message", "a message waits in the portal"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="messagetemplate",
            name="kind",
            field=models.CharField(
                choices=[
                    ("first", "first notice"),
                    ("reminder", "reminder"),
                    ("withdrawal", "withdrawal"),
                    ("origin", "question for the origin"),
                    ("message", "a message waits in the portal"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Forwarding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("to_sealed", models.BinaryField(null=True)),
                ("token", models.UUIDField(editable=False, unique=True)),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=40, verbose_name="by")),
                ("expected_by", models.DateTimeField(blank=True, null=True, verbose_name="expected by")),
                ("reminded_at", models.DateTimeField(blank=True, null=True, verbose_name="reminded")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "ended_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("replaced", "forwarded anew"),
                            ("answered", "the provider answered otherwise"),
                            ("closed", "the notice is closed"),
                        ],
                        max_length=8,
                        verbose_name="ended because",
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forwardings",
                        to="cases.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "reply",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forwarding",
                        to="cases.reply",
                        verbose_name="answer",
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="providers.provider",
                        verbose_name="to",
                    ),
                ),
            ],
            options={
                "verbose_name": "forwarding",
                "verbose_name_plural": "forwardings",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[("provider", "the provider"), ("hotline", "the hotline")],
                        max_length=8,
                        verbose_name="written by",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=40, verbose_name="by")),
                ("token", models.UUIDField(editable=False, unique=True)),
                ("text_sealed", models.BinaryField(null=True)),
                ("handled_at", models.DateTimeField(blank=True, null=True, verbose_name="handled")),
                ("handled_by", models.CharField(blank=True, max_length=40, verbose_name="handled by")),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read")),
                ("read_by", models.CharField(blank=True, max_length=40, verbose_name="read by")),
                (
                    "forwarding",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="told",
                        to="cases.forwarding",
                        verbose_name="forwarding",
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="cases.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "reply",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="question",
                        to="cases.reply",
                        verbose_name="answer",
                    ),
                ),
            ],
            options={
                "verbose_name": "message about a notice",
                "verbose_name_plural": "messages about notices",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ground",
                    models.CharField(
                        choices=[
                            ("not_illegal", "the material is not illegal"),
                            ("not_ours", "it is not on our network"),
                            ("wrong_address", "something else is at this address"),
                            ("already_gone", "it was gone before the notice"),
                            ("other", "another reason"),
                        ],
                        max_length=13,
                        verbose_name="ground",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("due_at", models.DateTimeField(verbose_name="decided by")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "waits for a decision"),
                            ("upheld", "upheld"),
                            ("rejected", "rejected"),
                            ("overtaken", "nothing was left to decide"),
                        ],
                        max_length=9,
                        verbose_name="outcome",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                ("decided_by", models.CharField(blank=True, max_length=40, verbose_name="decided by")),
                ("why", models.CharField(blank=True, max_length=300, verbose_name="why")),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="cases.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "reply",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dispute",
                        to="cases.reply",
                        verbose_name="answer",
                    ),
                ),
            ],
            options={
                "verbose_name": "objection",
                "verbose_name_plural": "objections",
                "ordering": ["at", "pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", "")), fields=["due_at", "id"], name="dispute_waits"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", "")), fields=("notice",), name="dispute_open_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True), ("decided_by", ""), ("outcome", ""), ("why", "")
                            ),
                            models.Q(
                                models.Q(("outcome", ""), _negated=True),
                                ("decided_at__gte", models.F("at")),
                                models.Q(("decided_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="dispute_decided_is_dated",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="forwarding",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True), ("reminded_at__isnull", True)),
                fields=["expected_by", "id"],
                name="forwarding_clock_runs",
            ),
        ),
        migrations.AddConstraint(
            model_name="forwarding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("notice",),
                name="forwarding_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="forwarding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("expected_by__isnull", True), ("expected_by__gt", models.F("at")), _connector="OR"
                ),
                name="forwarding_expects_what_is_to_come",
            ),
        ),
        migrations.AddConstraint(
            model_name="forwarding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("ended_because", "")),
                    models.Q(("ended_at__isnull", False), models.Q(("ended_because", ""), _negated=True)),
                    _connector="OR",
                ),
                name="forwarding_ended_says_why",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="forwarding",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="47b1ec556e7193e1f97d6a07df4554872d49d781",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_57a22",
                    table="cases_forwarding",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("handled_at__isnull", True), ("side", "provider")),
                fields=["at", "id"],
                name="message_waits",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("read_at__isnull", True), ("side", "hotline")),
                fields=["notice"],
                name="message_unread",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("forwarding__isnull", True), ("reply__isnull", True)),
                    models.Q(
                        ("forwarding__isnull", True), ("reply__isnull", False), ("text_sealed__isnull", True)
                    ),
                    models.Q(
                        ("forwarding__isnull", False), ("reply__isnull", True), ("text_sealed__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="message_says_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("forwarding__isnull", True), ("read_at__isnull", True), ("side", "provider")),
                    models.Q(("handled_at__isnull", True), ("reply__isnull", True), ("side", "hotline")),
                    _connector="OR",
                ),
                name="message_handled_or_read",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("handled_at__isnull", True),
                    models.Q(
                        ("handled_at__gte", models.F("at")), models.Q(("handled_by", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="message_handled_after_it_came",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="message",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="a3bbf145224669e78f629c57c0f7cc14c0862ada",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_a6008",
                    table="cases_message",
                    when="BEFORE",
                ),
            ),
        ),
    ]
