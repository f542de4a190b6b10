"""Roles of those who see that notices leave and arrive, keep contacts, and read the record."""

import django.contrib.postgres.fields
from django.db import migrations, models

import accounts.roles


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_count_how_often_a_door_is_used"),
        ("providers", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="user",
            name="user_is_staff_or_of_a_provider",
        ),
        migrations.AlterField(
            model_name="user",
            name="roles",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
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
                ),
                size=None,
                verbose_name="roles",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("provider__isnull", True),
                        (
                            "roles__contained_by",
                            [
                                accounts.roles.Role["ANALYST"],
                                accounts.roles.Role["AUDITOR"],
                                accounts.roles.Role["CONTACT_MANAGER"],
                                accounts.roles.Role["FUNCTIONAL_ADMIN"],
                                accounts.roles.Role["INTAKE"],
                                accounts.roles.Role["LEAD"],
                                accounts.roles.Role["NOTICE_DESK"],
                                accounts.roles.Role["SUPERVISOR"],
                            ],
                        ),
                    ),
                    models.Q(
                        ("provider__isnull", False),
                        (
                            "roles__contained_by",
                            [accounts.roles.Role["PROVIDER_ADMIN"], accounts.roles.Role["PROVIDER_MEMBER"]],
                        ),
                    ),
                    _connector="OR",
                ),
                name="user_is_staff_or_of_a_provider",
                violation_error_message="Staff roles and provider roles do not mix.",
            ),
        ),
    ]
