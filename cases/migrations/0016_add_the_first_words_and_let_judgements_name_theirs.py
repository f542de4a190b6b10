"""The first words of judgements, after the ICCAM list; every judgement says in which words it was made."""

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

#: question -> (code, in Dutch, in English, whether it suggests police first), in the order of the keys.
WORDS = {
    "reason": (
        ("adult", "volwassen", "adult", False),
        ("nudism", "naturisme", "nudism", False),
        ("below_threshold", "onder de grens", "below the threshold", False),
        ("virtual", "virtueel", "virtual", False),
        ("linking", "alleen links", "only links", False),
        ("age_unclear", "leeftijd onduidelijk", "age unclear", False),
        ("not_found", "niet gevonden", "not found", False),
        ("password", "achter een wachtwoord", "behind a password", False),
        ("ordinary", "gewoon beeld van kinderen", "ordinary picture of children", False),
    ),
    "age_group": (
        ("infant", "baby of peuter", "infant or toddler", False),
        ("prepubescent", "voor de puberteit", "prepubescent", False),
        ("pubescent", "in de puberteit", "pubescent", False),
        ("several", "verschillende", "several", False),
    ),
    "sex": (
        ("female", "meisje", "female", False),
        ("male", "jongen", "male", False),
        ("both", "beide", "both", False),
    ),
    "content_type": (
        ("image", "foto", "image", False),
        ("video", "video", "video", False),
        ("collection", "verzameling", "collection", False),
        ("archive", "archiefbestand", "archive file", False),
        ("text", "tekst", "text", False),
        ("stream", "livestream", "live stream", False),
    ),
    "site_type": (
        ("website", "website", "website", False),
        ("forum", "forum", "forum", False),
        ("image_host", "beeldhost", "image host", False),
        ("file_host", "bestandshost", "file host", False),
        ("image_board", "imageboard", "image board", False),
        ("social", "sociaal netwerk", "social network", False),
        ("blog", "blog", "blog", False),
        ("link_site", "linksite", "link site", False),
        ("web_archive", "webarchief", "web archive", False),
    ),
    "commercial": (
        ("yes", "ja", "yes", False),
        ("no", "nee", "no", False),
    ),
    "ai_generated": (
        ("no", "nee", "no", False),
        ("altered", "bewerkt", "altered", False),
        ("whole", "geheel", "wholly", False),
    ),
    "self_generated": (
        ("no", "nee", "no", False),
        ("yes", "ja", "yes", True),
        ("coerced", "onder dwang", "under coercion", True),
    ),
    "victim": (
        ("known", "bekend bij de politie", "known to the police", False),
        ("identifiable", "herkenbaar", "identifiable", True),
        ("new", "mogelijk nieuw", "possibly new", True),
        ("ongoing", "misbruik gaat mogelijk door", "abuse may go on", True),
    ),
}


def add(apps, schema_editor):
    add_first_words(apps.get_model("cases", "Vocabulary"), apps.get_model("cases", "Term"))


def add_first_words(vocabulary, term):
    """Version 1, in force from now on."""
    first = vocabulary.objects.create(version=1, by="system:migration")
    term.objects.bulk_create(
        term(
            vocabulary=first,
            question=question,
            code=code,
            label_nl=label_nl,
            label_en=label_en,
            position=position,
            police_first=police_first,
        )
        for question, words in WORDS.items()
        for position, (code, label_nl, label_en, police_first) in enumerate(words, start=1)
    )
    first.in_force_at = timezone.now()
    first.save()


class Migration(migrations.Migration):
    dependencies = [("cases", "0015_keep_the_words_of_a_judgement_in_versions")]

    operations = [
        # Going back drops the tables with their rows.
        migrations.RunPython(add, migrations.RunPython.noop),
        migrations.AddField(
            model_name="assessment",
            name="answers",
            field=models.JSONField(blank=True, default=dict, verbose_name="answers"),
        ),
        migrations.AddField(
            model_name="assessment",
            name="taken_from",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.assessment",
            ),
        ),
        migrations.AlterField(
            model_name="assessment",
            name="reason",
            field=models.CharField(blank=True, max_length=24, verbose_name="reason"),
        ),
        migrations.AddField(
            model_name="assessment",
            name="vocabulary",
            field=models.ForeignKey(
                db_index=False,
                default=1,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.vocabulary",
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("legal_class__in", ["baseline", "national"]), ("answers", {}), _connector="OR"
                ),
                name="assessment_answers_are_of_what_is_illegal",
            ),
        ),
    ]
