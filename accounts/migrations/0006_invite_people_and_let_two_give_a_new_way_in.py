"""Links that set up an account, and new ways in that two of the staff give."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.roles


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_keep_sessions_where_their_person_can_see_them"),
        ("providers", "0008_say_who_added_a_contact_and_what_a_provider_takes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        choices=[
                            (accounts.roles.Role["INTAKE"], "intake"),
                            (accounts.roles.Role["ANALYST"], "analyst"),
                            (accounts.roles.Role["LEAD"], "lead analyst"),
                            (accounts.roles.Role["NOTICE_DESK"], "notice desk"),
                            (accounts.roles.Role["CONTACT_MANAGER"], "contact manager"),
                            (accounts.roles.Role["SUPERVISOR"], "supervisor"),
                            (accounts.roles.Role["AUDITOR"], "auditor"),
                            (accounts.roles.Role["FUNCTIONAL_ADMIN"], "functional admin"),
                            (accounts.roles.Role["PROVIDER_MEMBER"], "provider contact"),
                            (accounts.roles.Role["PROVIDER_ADMIN"], "provider admin"),
                        ],
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked")),
                ("used_at", models.DateTimeField(null=True, verbose_name="used")),
                (
                    "invited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invited",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="invited by",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitations",
                        to="providers.provider",
                        verbose_name="provider",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("person__isnull", False),
                            models.Q(("provider__isnull", False), models.Q(("role", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="invitation_of_a_person_or_to_a_provider",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Recovery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("confirmed", models.BooleanField(null=True, verbose_name="confirmed")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recoveries",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "recovery",
                "verbose_name_plural": "recoveries",
                "ordering": ["-asked_at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at__isnull", True)),
                        fields=("person",),
                        name="recovery_asked_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed", True), _negated=True),
                            models.Q(
                                models.Q(("decided_by", models.F("asked_by")), _negated=True),
                                models.Q(("decided_by", models.F("person")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="recovery_by_two",
                    ),
                ],
            },
        ),
    ]
