"""Questions to CDNs and proxies, with the moment by which an answer is wanted."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0028_keep_what_comes_back"),
        ("providers", "0009_say_what_stands_behind_a_proxy"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="hold_review",
            field=models.CharField(
                blank=True,
                choices=[
                    ("nobody_found", "Nobody was found who hosts it."),
                    (
                        "cdn_origin",
                        "A CDN or proxy stands before the server: it is asked for the origin first.",
                    ),
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
            name="OriginRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("host_key", models.BinaryField(max_length=32)),
                ("round", models.PositiveSmallIntegerField(default=1, verbose_name="round")),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                ("due_at", models.DateTimeField(verbose_name="answer wanted by")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "waits for an answer"),
                            ("answered", "answered"),
                            ("moot", "no notice waits for it any more"),
                        ],
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="origin_requests",
                        to="cases.notice",
                        verbose_name="notice",
                    ),
                ),
                (
                    "origin",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="providers.origin",
                    ),
                ),
                (
                    "proxy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="origin_requests",
                        to="providers.provider",
                        verbose_name="CDN or proxy",
                    ),
                ),
            ],
            options={
                "verbose_name": "question for an origin",
                "verbose_name_plural": "questions for origins",
                "ordering": ["due_at", "pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", "")), fields=["due_at", "id"], name="origin_unanswered"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", "")),
                        fields=("proxy", "host_key"),
                        name="origin_asked_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("origin__isnull", True), ("outcome", "")),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("origin__isnull", False),
                                ("outcome", "answered"),
                            ),
                            models.Q(
                                ("closed_at__isnull", False), ("origin__isnull", True), ("outcome", "moot")
                            ),
                            _connector="OR",
                        ),
                        name="origin_request_is_whole",
                    ),
                ],
            },
        ),
    ]
