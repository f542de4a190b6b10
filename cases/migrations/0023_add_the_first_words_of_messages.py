"""The first words of each kind of message, in both languages: those that were in the code, and of the new kinds."""

from django.db import migrations
from django.utils import timezone

#: kind -> language -> part -> words. Never changed here: a later version is drafted at the desk.
WORDS = {
    "first": {
        "en": {
            "opening": (
                "{organisation} has judged the material at the addresses below to be child sexual abuse material"
                " (CSAM). It is on your network; each line says how we know."
            ),
            "ask": (
                "Make the material inaccessible within {hours} hours. The term begins when your mail server accepts"
                " this message.\n"
                "If a customer of yours runs the server, see to it that they do, or close the address yourself: the"
                " term stays the same."
            ),
            "answer": (
                "Reply to this message, log in to the portal ({portal}) or use our API ({api}). Say for each"
                " reference:\n"
                "- seen\n"
                "- made inaccessible, and when; or already gone\n"
                "- not on your network, and whose it is if you know\n"
                "- forwarded, and to whom\n"
                "- that you dispute it, and why"
            ),
            "objection": (
                "If you believe that this notice is wrong, dispute it in the portal or reply with your reasons. A"
                " second assessor decides. The term keeps running meanwhile."
            ),
            "closing": "Questions? Call {phone} and name {number}.",
        },
        "nl": {
            "opening": (
                "{organisation} heeft het materiaal op de onderstaande adressen beoordeeld als beeldmateriaal van"
                " seksueel kindermisbruik (CSAM). Het staat op uw netwerk; bij elke regel staat hoe wij dat weten."
            ),
            "ask": (
                "Maak het materiaal binnen {hours} uur ontoegankelijk. De termijn gaat in zodra uw mailserver dit"
                " bericht aanneemt.\n"
                "Beheert een klant van u de server, zorg er dan voor dat die het doet, of sluit het adres zelf af:"
                " de termijn blijft dezelfde."
            ),
            "answer": (
                "Beantwoord dit bericht, log in op het portaal ({portal}) of gebruik onze API ({api}). Zeg bij elk"
                " kenmerk:\n"
                "- gezien\n"
                "- ontoegankelijk gemaakt, en wanneer; of was al weg\n"
                "- niet op uw netwerk, en van wie wel als u dat weet\n"
                "- doorgestuurd, en aan wie\n"
                "- dat u het betwist, en waarom"
            ),
            "objection": (
                "Meent u dat dit verzoek onjuist is, betwist het dan in het portaal of beantwoord dit bericht met uw"
                " redenen. Een tweede beoordelaar beslist. De termijn loopt intussen door."
            ),
            "closing": "Vragen? Bel {phone} en noem {number}.",
        },
    },
    "reminder": {
        "en": {
            "opening": (
                "We sent you a notice about the addresses below, and the term has ended without proof that the"
                " material is gone. This is reminder {round}."
            ),
            "ask": (
                "Make the material inaccessible now. The first of the terms ended {due_at}; each line says when."
            ),
            "answer": (
                "Reply to this message, log in to the portal ({portal}) or use our API ({api}). Say for each"
                " reference:\n"
                "- made inaccessible, and when; we look again at once\n"
                "- not on your network, and whose it is if you know\n"
                "- what keeps you from it, and when it will be done\n"
                "- that you dispute it, and why"
            ),
            "objection": (
                "If you believe that this notice is wrong, dispute it in the portal or reply with your reasons. A"
                " second assessor decides. The term is not lengthened by it."
            ),
            "closing": "Did you act already? Then tell us when: we may have looked before. Call {phone} if in doubt.",
        },
        "nl": {
            "opening": (
                "Wij stuurden u een verzoek over de onderstaande adressen, en de termijn is verstreken zonder bewijs"
                " dat het materiaal weg is. Dit is herinnering {round}."
            ),
            "ask": (
                "Maak het materiaal nu ontoegankelijk. De eerste van de termijnen eindigde {due_at}; bij elke regel"
                " staat wanneer."
            ),
            "answer": (
                "Beantwoord dit bericht, log in op het portaal ({portal}) of gebruik onze API ({api}). Zeg bij elk"
                " kenmerk:\n"
                "- ontoegankelijk gemaakt, en wanneer; wij kijken meteen opnieuw\n"
                "- niet op uw netwerk, en van wie wel als u dat weet\n"
                "- wat u ervan weerhoudt, en wanneer het gebeurt\n"
                "- dat u het betwist, en waarom"
            ),
            "objection": (
                "Meent u dat dit verzoek onjuist is, betwist het dan in het portaal of beantwoord dit bericht met uw"
                " redenen. Een tweede beoordelaar beslist. De termijn wordt er niet langer van."
            ),
            "closing": (
                "Hebt u al gehandeld? Laat ons dan weten wanneer: wij keken misschien eerder. Bel bij twijfel {phone}."
            ),
        },
    },
    "withdrawal": {
        "en": {
            "opening": "We take back our notice about the addresses below. Each line says why, and what it means.",
            "ask": "You need do nothing more. No term runs any more, and you get no reminders about these addresses.",
            "answer": "You need not answer. If something is unclear, reply to this message or call {phone}.",
            "objection": "",
            "closing": "We are sorry for the trouble, and thank you for your help.",
        },
        "nl": {
            "opening": (
                "Wij trekken ons verzoek over de onderstaande adressen in. Bij elke regel staat waarom, en wat het"
                " betekent."
            ),
            "ask": (
                "U hoeft niets meer te doen. Er loopt geen termijn meer, en u krijgt over deze adressen geen"
                " herinneringen."
            ),
            "answer": "U hoeft niet te antwoorden. Is iets onduidelijk, beantwoord dan dit bericht of bel {phone}.",
            "objection": "",
            "closing": "Excuses voor het ongemak, en dank voor uw hulp.",
        },
    },
    "origin": {
        "en": {
            "opening": (
                "{organisation} has judged material on the hosts below to be child sexual abuse material (CSAM). They"
                " lead to your network, and you stand before the server that holds the material. We want to tell"
                " whoever hosts it."
            ),
            "ask": (
                "Tell us within {hours} hours the address (IP) or name of the server behind each host.\n"
                "Please do not pass this question on to the customer whose host it is.\n"
                "This is no notice to you: no term runs, and you need make nothing inaccessible."
            ),
            "answer": (
                "Reply to this message with, for each reference:\n"
                "- the IP address or name of the server behind it\n"
                "- since when that is so, if you know\n"
                "- or that it does not stand behind your network, and why you think so"
            ),
            "objection": "",
            "closing": "Questions? Call {phone} and name {number}.",
        },
        "nl": {
            "opening": (
                "{organisation} heeft materiaal op de onderstaande hosts beoordeeld als beeldmateriaal van seksueel"
                " kindermisbruik (CSAM). Zij leiden naar uw netwerk, en u staat voor de server waarop het materiaal"
                " staat. Wij willen het laten weten aan wie het host."
            ),
            "ask": (
                "Laat ons binnen {hours} uur van elke host het adres (IP) of de naam weten van de server erachter.\n"
                "Stuur deze vraag niet door aan de klant van wie de host is.\n"
                "Dit is geen verzoek tot verwijdering aan u: er loopt geen termijn, en u hoeft niets ontoegankelijk"
                " te maken."
            ),
            "answer": (
                "Beantwoord dit bericht, met bij elk kenmerk:\n"
                "- het IP-adres of de naam van de server erachter\n"
                "- sinds wanneer dat zo is, als u dat weet\n"
                "- of dat hij niet achter uw netwerk staat, en waarom u dat denkt"
            ),
            "objection": "",
            "closing": "Vragen? Bel {phone} en noem {number}.",
        },
    },
}


def add_first_words(templates):
    """Version 1 of everything."""
    now = timezone.now()
    templates.objects.bulk_create(
        templates(
            kind=kind,
            language=language,
            version=1,
            drafted_at=now,
            drafted_by="system:migration",
            in_force_at=now,
            in_force_by="system:migration",
            **words,
        )
        for kind, languages in WORDS.items()
        for language, words in languages.items()
    )


def add(apps, schema_editor):
    add_first_words(apps.get_model("cases", "MessageTemplate"))


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0022_word_messages_in_versions"),
    ]

    operations = [
        # What takes the table away takes the words with it.
        migrations.RunPython(add, migrations.RunPython.noop),
    ]
