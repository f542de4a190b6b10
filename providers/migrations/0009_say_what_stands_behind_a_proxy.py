"""What somebody told us of the server behind a CDN or proxy, and places that rest on it."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import vault.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0008_say_who_added_a_contact_and_what_a_provider_takes"),
    ]

    operations = [
        migrations.AddField(
            model_name="attribution",
            name="behind",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="providers.attribution",
            ),
        ),
        migrations.CreateModel(
            name="Origin",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vault.sealed.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("host_key", models.BinaryField(max_length=32)),
                ("host_sealed", models.BinaryField()),
                ("server_sealed", models.BinaryField()),
                ("reason", models.CharField(max_length=300, verbose_name="how we know")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("by", models.CharField(max_length=40, verbose_name="by")),
                (
                    "proxy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="origins",
                        to="providers.provider",
                        verbose_name="CDN or proxy",
                    ),
                ),
            ],
            options={
                "verbose_name": "origin",
                "verbose_name_plural": "origins",
                "ordering": ["-at", "pk"],
            },
        ),
        migrations.AddField(
            model_name="attribution",
            name="origin",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="providers.origin",
            ),
        ),
        migrations.AddIndex(
            model_name="origin",
            index=models.Index(fields=["proxy", "host_key", "-at"], name="origin_of_host"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="origin",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="5b0809994d0692ec014b478a3620160e26ca6f7c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_ec7c9",
                    table="providers_origin",
                    when="BEFORE",
                ),
            ),
        ),
    ]
