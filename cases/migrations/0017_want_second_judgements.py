"""Second judgements: why one is wanted, by when, and what came of it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0016_add_the_first_words_and_let_judgements_name_theirs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="objection_rejected_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="objection rejected"),
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
                ],
                max_length=10,
                verbose_name="left out because",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="closed_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("not_illegal", "not illegal"),
                    ("cannot_judge", "cannot be judged"),
                    ("hosted_abroad", "hosted abroad"),
                    ("gone_before_notice", "gone before notice"),
                    ("duplicate", "duplicate"),
                    ("objection_upheld", "objection upheld"),
                    ("wrong_provider", "wrong provider"),
                    ("moved", "moved"),
                    ("judged_again", "not illegal after a second judgement"),
                ],
                max_length=20,
                verbose_name="closed because",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="hold_review",
            field=models.CharField(
                blank=True,
                choices=[
                    ("nobody_found", "Nobody was found who hosts it."),
                    ("cdn_origin", "The provider is a CDN or proxy: ask it for the origin first."),
                    ("no_contact", "The provider has no approved contact that is in use."),
                    ("moved", "Another provider hosts it now than when it was judged."),
                    ("police", "The police see it first, by what was judged."),
                    ("second", "A second person judges it before it is sent."),
                ],
                max_length=12,
                verbose_name="review",
            ),
        ),
        migrations.CreateModel(
            name="SecondLook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("sample", "sample"),
                            ("dossier", "goes into a dossier"),
                            ("national", "national law"),
                            ("dispute", "the provider disputes it"),
                        ],
                        max_length=12,
                        verbose_name="why",
                    ),
                ),
                ("wanted_at", models.DateTimeField(verbose_name="wanted")),
                ("due_at", models.DateTimeField(verbose_name="due")),
                ("settled_at", models.DateTimeField(null=True, verbose_name="settled")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("agreed", "both judged the same"),
                            ("upheld", "objection upheld"),
                            ("first", "the first judgement stands"),
                            ("second", "the second judgement stands"),
                            ("third", "judged anew by the lead"),
                            ("overtaken", "nothing was left to judge"),
                        ],
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.assessment",
                    ),
                ),
                (
                    "first_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.assessment",
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="second_looks",
                        to="cases.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.assessment",
                    ),
                ),
                (
                    "second_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "second judgement",
                "verbose_name_plural": "second judgements",
                "ordering": ["due_at", "pk"],
            },
        ),
        migrations.AddIndex(
            model_name="secondlook",
            index=models.Index(
                condition=models.Q(("second__isnull", True), ("settled_at__isnull", True)),
                fields=["due_at", "id"],
                name="second_unread",
            ),
        ),
        migrations.AddIndex(
            model_name="secondlook",
            index=models.Index(
                condition=models.Q(("second__isnull", False), ("settled_at__isnull", True)),
                fields=["due_at", "id"],
                name="second_differing",
            ),
        ),
        migrations.AddIndex(
            model_name="secondlook",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True),
                fields=["settled_at", "id"],
                name="second_settled",
            ),
        ),
        migrations.AddConstraint(
            model_name="secondlook",
            constraint=models.UniqueConstraint(
                condition=models.Q(("settled_at__isnull", True)), fields=("notice",), name="second_open_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="secondlook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_by__isnull", True),
                    models.Q(("second_by", models.F("first_by")), _negated=True),
                    _connector="OR",
                ),
                name="second_is_another_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="secondlook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("lead__isnull", True),
                    models.Q(
                        ("settled_by__isnull", False),
                        models.Q(("settled_by", models.F("first_by")), _negated=True),
                        models.Q(("settled_by", models.F("second_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="second_settled_by_a_third_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="secondlook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", ""), ("settled_at__isnull", True)),
                    models.Q(("settled_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                    _connector="OR",
                ),
                name="second_settled_says_how",
            ),
        ),
        migrations.AddConstraint(
            model_name="secondlook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("outcome__in", ["", "overtaken"]), ("second__isnull", False), _connector="OR"
                ),
                name="second_agreed_has_two_judgements",
            ),
        ),
    ]
